/**
 * What came of a simulated call, in the words of `expect`.
 * @module
 */
import type { ExpectNode } from "./ast.ts";
import { plainAmount } from "./explain-amount.ts";
import type { RuleReport } from "./explain-call.ts";
import { list } from "./explain-filter.ts";
import type { Simulated } from "./simulate.ts";
import type { Fired } from "./verdict.ts";

type Word = ExpectNode["verdict"];

export interface Outcome {
  /** All that was done with the call, and the ids of the rules that did it. A call that is stopped is nothing else. */
  readonly acts: ReadonlyMap<Word, readonly string[]>;
}

/**
 * What was done. A call that goes may be routed, capped, warned about and delayed at once; `allow` is a call that goes
 * without any of these. `deny for` is a `deny`.
 */
export function outcomeOf({ verdict, route, cap, outage, judged }: Simulated): Outcome {
  const { kind, decided, waits, warnings, shadows } = verdict;
  if (kind === "deny" || kind === "deny for" || kind === "pause") {
    return one(kind === "pause" ? "pause" : "deny", decided === null ? [] : [decided]);
  }
  if (kind === "hold") return one("hold", doing(waits, "hold"));
  const acts = new Map<Word, readonly string[]>();
  if (route !== null) acts.set("route", ids(route.fired));
  if (cap !== null) acts.set("cap", ids(cap.fired));
  if (warnings.length > 0) acts.set("warn", ids(warnings));
  if (doing(waits, "backoff").length > 0) acts.set("backoff", ids(doing(waits, "backoff")));
  if (acts.size === 0) {
    // What let it go: a rule for a store that is away, or rules in shadow that would have stopped it.
    const away = judged.rules.filter(
      ({ flag, actions }) => flag === "store.down" && actions.some((action) => action.kind === outage?.kind),
    );
    acts.set("allow", [...away.map(({ id }) => id), ...ids(shadows)]);
  }
  return { acts };
}

const one = (word: Word, fired: readonly Fired[]): Outcome => ({ acts: new Map([[word, ids(fired)]]) });

const ids = (fired: readonly Fired[]): readonly string[] => fired.map(({ rule }) => rule.id);

const doing = (fired: readonly Fired[], kind: "hold" | "backoff"): readonly Fired[] =>
  fired.filter(({ action }) => action.kind === kind);

const done: Readonly<Record<Word, string>> = {
  allow: "allowed",
  warn: "allowed with a warning",
  backoff: "delayed",
  hold: "held",
  deny: "denied",
  pause: "paused",
  route: "routed",
  cap: "capped",
};

/** `denied by "loop"`, `routed by "a" and capped by "b"`. */
export const happenedText = ({ acts }: Outcome): string =>
  list(
    [...acts].map(([word, by]) => (by.length === 0 ? done[word] : `${done[word]} by ${quoted(by)}`)),
    "and",
  );

const quoted = (by: readonly string[]): string =>
  list(
    [...new Set(by)].map((id) => `\`${id}\``),
    "and",
  );

/** Why this is not what was expected. */
export function wrongText(expected: Word, rule: string | null, outcome: Outcome): string {
  const reasons = outcome.acts.get(expected);
  if (reasons !== undefined && rule !== null) {
    return reasons.length === 0
      ? `the call is ${done[expected]}, but not by \`${rule}\``
      : `the call is ${done[expected]}, but by ${quoted(reasons)}, not by \`${rule}\``;
  }
  return `the call is ${happenedText(outcome)}, not ${done[expected]}${rule === null ? "" : ` by \`${rule}\``}`;
}

/** What a rule made of the call, as a help line. */
export function reasonText({ rule, matches, why, conditions, fired }: RuleReport): string {
  if (fired) return `\`${rule.id}\` fires as well, but another rule is stricter, or has the smaller name`;
  if (!matches) return `\`${rule.id}\` does not concern this call: ${why ?? "its filter does not hold"}`;
  if (why !== null) return `\`${rule.id}\` does not fire: ${why}`;
  const open = conditions.find(({ headroom, condition }) => (condition.op === ">" ? headroom >= 0 : headroom > 0));
  if (open === undefined) return `\`${rule.id}\` was not asked`;
  const { figures, total, condition } = open;
  const text = `${plainAmount(figures.metric, total)} of ${plainAmount(figures.metric, figures.limit)}`;
  return `\`${rule.id}\` does not fire: \`${condition.text}\` stands at ${text} with this call`;
}
