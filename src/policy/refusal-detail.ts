/**
 * A rule that fired as a refusal says it to a program: dollars and ISO times instead of nano-dollars and milliseconds.
 * @module
 */
import { type Call, NONE } from "../call/call.ts";
import type { RefusalDetail } from "../errors.ts";
import { DOLLAR } from "./number.ts";
import type { Fired } from "./verdict.ts";
import { metrics } from "./vocabulary.ts";

/** The figures of a refusal. With the call, a closed gate's scope is named too. */
export function refusalDetail(fired: Fired, call?: Pick<Call, "subject">): RefusalDetail {
  const { rule, action, figures, closed } = fired;
  if (figures === null) {
    const scope = Object.fromEntries(
      call === undefined ? [] : rule.closes.map((name) => [name, call.subject[name] ?? NONE]),
    );
    const nothing = { spent: null, held: null, estimate: null, limit: null };
    const until = closed?.until ?? null;
    return {
      rule: rule.id,
      scope,
      metric: rule.flag ?? "",
      ...nothing,
      unit: "",
      resets_at: until === null ? null : iso(until),
    };
  }
  const { metric, resetsAt } = figures;
  const size = metric === "cost" ? DOLLAR : 1;
  return {
    rule: rule.id,
    scope: figures.scope,
    metric,
    spent: figures.spent / size,
    held: figures.held / size,
    estimate: figures.estimate / size,
    limit: figures.limit / size,
    unit: unitOf(metric),
    // A pause outlives its window: only a person ends it.
    resets_at: resetsAt === null || action.kind === "pause" ? null : iso(resetsAt),
  };
}

const unitOf = (metric: string): string =>
  metric === "cost" ? "USD" : ([...metrics].find(([name]) => name === metric)?.[1].noun ?? metric);

const iso = (at: number): string => new Date(at).toISOString().replace(".000Z", "Z");
