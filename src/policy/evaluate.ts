/**
 * What the policy says to one call.
 * In: a plan, a call, the rules whose filter holds, and what the store read. Out: a verdict.
 * @module
 */
import type { Call } from "../call/call.ts";
import type { Action, Plan, Rule } from "./plan.ts";
import { type Closed, figuresOf, holds, type Readings } from "./readings.ts";
import { byHandSentence, sentence } from "./sentence.ts";
import { type Fired, strictness, type Verdict } from "./verdict.ts";

export type { Readings } from "./readings.ts";

/** Judges a call: the strictest rule decides, every warning is said, shadow rules only report. */
export function evaluate(plan: Plan, call: Call, rules: readonly Rule[], readings: Readings): Verdict {
  const stopping: Fired[] = [];
  const waits: Fired[] = [];
  const warnings: Fired[] = [];
  const shadows: Fired[] = [];
  for (const { scope, since, until } of readings.byHand) {
    if (Object.entries(scope).every(([name, value]) => call.subject[name] === value)) {
      stopping.push(pausedByHand(scope, { since, until }, readings.now));
    }
  }
  const say = (rule: Rule, action: Action, closed: Closed | null): Fired =>
    fire(plan, call, rule, action, readings, closed);
  for (const rule of rules) {
    if (rule.flag === "store.down") continue;
    const stop = strictestStop(rule.actions);
    const gate = rule.shadow || !closes(stop) ? undefined : readings.closed.get(rule.id);
    if (gate !== undefined && stop !== null) stopping.push(say(rule, stop, gate));
    if (!fires(plan, call, rule, readings)) continue;
    if (rule.shadow) {
      const action = strictestAction(rule.actions);
      if (action !== null) shadows.push(say(rule, action, null));
      continue;
    }
    for (const action of rule.actions) {
      if (action.kind === "hold" || action.kind === "backoff") waits.push(say(rule, action, null));
      else if (action.kind === "warn") warnings.push(say(rule, action, null));
      else if (action === stop && gate === undefined) stopping.push(say(rule, action, null));
    }
  }
  const decided = strictest(stopping) ?? strictest(waits) ?? strictest(warnings);
  if (decided === null && shadows.length === 0) return ALLOWED;
  return Object.freeze({
    kind: decided === null ? "allow" : kindOf(decided.action),
    decided,
    warnings: Object.freeze(warnings),
    waits: Object.freeze(waits),
    shadows: Object.freeze(shadows),
  });
}

const NOTHING: readonly Fired[] = Object.freeze([]);

/** What nearly every call is told. */
const ALLOWED: Verdict = Object.freeze({
  kind: "allow",
  decided: null,
  warnings: NOTHING,
  waits: NOTHING,
  shadows: NOTHING,
});

/** Whether the rule's flag is up and every condition over its limit. */
export function fires(plan: Pick<Plan, "limits">, call: Call, rule: Rule, readings: Readings): boolean {
  if (rule.flag === "call.unpriced" && !call.unpriced) return false;
  if (rule.flag === "call.unmetered" && call.spending !== "unmetered") return false;
  for (const condition of rule.conditions) if (!holds(condition, plan, call, readings)) return false;
  return true;
}

/** One rule and one of its actions as a fact about this call. */
export function fire(
  plan: Plan,
  call: Call,
  rule: Rule,
  action: Action,
  readings: Readings,
  closed: Closed | null,
): Fired {
  const [condition] = rule.conditions;
  const figures = closed !== null || condition === undefined ? null : figuresOf(condition, plan, call, readings);
  return Object.freeze({
    rule,
    action,
    figures:
      figures !== null && action.kind === "deny for"
        ? // Room in the window helps nobody while the gate is closed.
          Object.freeze({ ...figures, resetsAt: Math.max(readings.now + action.ms, figures.resetsAt ?? 0) })
        : figures,
    closed: closed === null ? null : Object.freeze({ since: closed.since, until: closed.until }),
    message: sentence({ plan, call, rule, action, readings, closed }),
  });
}

type Kind = keyof typeof strictness;

/** What the verdict is called: shapes, `local` and `allow` never get this far. */
function kindOf({ kind }: Action): Kind {
  return kind === "cap" || kind === "route" || kind === "local" ? "allow" : kind;
}

const closes = (action: Action | null): boolean => action?.kind === "deny for" || action?.kind === "pause";

/** The strictest of a rule's actions that keep a call from leaving, a `hold` among them; null where none does. */
export function strictestStop(actions: readonly Action[]): Action | null {
  const found = strictestAction(actions);
  return found !== null && strictness[kindOf(found)] >= strictness.hold ? found : null;
}

/** The strictest of a rule's actions; the first of those that are no stricter than letting the call go. */
function strictestAction(actions: readonly Action[]): Action | null {
  let found: Action | null = null;
  for (const action of actions) {
    if (found === null || strictness[kindOf(action)] > strictness[kindOf(found)]) found = action;
  }
  return found;
}

/** The strictest; ties are named by the smallest rule id, never by position. */
function strictest(fired: readonly Fired[]): Fired | null {
  let found: Fired | null = null;
  for (const each of fired) {
    if (found === null) {
      found = each;
      continue;
    }
    const more = strictness[kindOf(each.action)] - strictness[kindOf(found.action)];
    if (more > 0 || (more === 0 && each.rule.id < found.rule.id)) found = each;
  }
  return found;
}

/** A pause that no rule asked for. Its id is empty, as in the key of its gate. */
function pausedByHand(scope: Readonly<Record<string, string>>, closed: Closed, now: number): Fired {
  const action: Action = Object.freeze({ kind: "pause", message: null });
  return Object.freeze({
    rule: Object.freeze({
      id: "",
      text: "paused by hand",
      doc: null,
      file: "",
      line: 0,
      shadow: false,
      conditions: [],
      flag: null,
      filter: null,
      actions: [action],
      closes: Object.keys(scope),
    }),
    action,
    figures: null,
    closed: Object.freeze(closed),
    message: byHandSentence(scope, closed, now),
  });
}
