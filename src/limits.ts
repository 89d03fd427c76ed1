/**
 * The limits that rules set on one meter of one subject, as far as they concern it.
 * @module
 */
import { NONE } from "./call/call.ts";
import { globs } from "./policy/match.ts";
import type { Action, Condition, Filter, Limit, Plan, Rule } from "./policy/plan.ts";

/** One condition of a rule on a meter, and what the rule does beyond it. */
export interface Bound {
  readonly rule: Rule;
  readonly condition: Condition;
  /** The strictest action of the rule. */
  readonly action: Action["kind"];
}

type Scope = Readonly<Record<string, string>>;

const byStrictness: readonly Action["kind"][] = ["pause", "deny for", "deny", "warn", "cap", "local", "allow"];

/** Indexes the plan once; the function it returns gives the bounds on a meter (by index) that may judge this subject. */
export function boundsOf(plan: Plan): (meter: number, scope: Scope) => readonly Bound[] {
  const index = new Map<number, Bound[]>();
  for (const rule of plan.rules) {
    const action = byStrictness.find((kind) => rule.actions.some((one) => one.kind === kind)) ?? "allow";
    for (const condition of rule.conditions) {
      if (condition.reading.kind !== "meter") continue;
      const { meter } = condition.reading;
      const bounds = index.get(meter) ?? [];
      bounds.push({ rule, condition, action });
      index.set(meter, bounds);
    }
  }
  return (meter, scope) =>
    (index.get(meter) ?? []).filter(({ rule }) => rule.filter === null || mayHold(rule.filter, scope) !== false);
}

/** A limit in nano-dollars or counts; `total` gives what is spent and held on another meter of the same subject. */
export function limitAmount(limit: Limit, total: (meter: number) => number): number {
  return limit.kind === "fixed" ? limit.amount : Math.floor((total(limit.of) * limit.millionths) / 1e6);
}

/** Whether the filter holds for calls of this subject: null where that depends on what the scope does not tell. */
export function mayHold(filter: Filter, scope: Scope): boolean | null {
  switch (filter.kind) {
    case "and": {
      const of = filter.of.map((part) => mayHold(part, scope));
      return of.includes(false) ? false : of.includes(null) ? null : true;
    }
    case "or": {
      const of = filter.of.map((part) => mayHold(part, scope));
      return of.includes(true) ? true : of.includes(null) ? null : false;
    }
    case "not": {
      const of = mayHold(filter.of, scope);
      return of === null ? null : !of;
    }
    default: {
      const value = scope[filter.dimension];
      if (value === undefined) return null;
      if (filter.kind === "missing") return value === NONE;
      return filter.kind === "in" ? filter.values.includes(value) : globs(filter.pattern, value);
    }
  }
}
