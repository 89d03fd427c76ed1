/**
 * The limits that rules set on one meter of one subject, as far as they concern it.
 * @module
 */
import { NONE } from "./call/call.ts";
import { limitKey } from "./keys.ts";
import { globs } from "./policy/match.ts";
import type { Action, Condition, Filter, Limit, Plan, Rule } from "./policy/plan.ts";
import type { Store } from "./store/store.ts";

/** One condition of a rule on a meter, and what the rule does beyond it. */
export interface Bound {
  readonly rule: Rule;
  readonly condition: Condition;
  /** The strictest action of the rule. */
  readonly action: Action["kind"];
}

type Scope = Readonly<Record<string, string>>;

const byStrictness: readonly Action["kind"][] = [
  "pause",
  "deny for",
  "deny",
  "hold",
  "backoff",
  "warn",
  "route",
  "cap",
  "local",
  "allow",
];

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

/** What limits are made of beside the policy. */
export interface Figures {
  /** What is spent and held on another meter of the same subject. */
  readonly total: (meter: number) => number;
  /** Limits that the store keeps, by key. */
  readonly kept: ReadonlyMap<string, number>;
}

/**
 * A limit in nano-dollars or counts; infinite where there is none. The name of a dimension where it depends on the
 * calls' value of it, which the scope does not tell.
 */
export function limitAmount(plan: Plan, limit: Limit, scope: Scope, { total, kept }: Figures): number | string {
  if (limit.kind === "fixed") return limit.amount;
  const whole = limit.kind === "share" ? total(limit.of) : granted(plan, limit.limit, scope, kept);
  return typeof whole === "string" ? whole : Math.floor((whole * limit.millionths) / 1e6);
}

/** What a named limit (by index) grants the subject, or the dimension that decides and the scope does not tell. */
export function granted(plan: Plan, limit: number, scope: Scope, kept: Figures["kept"]): number | string {
  const named = plan.limits[limit];
  if (named === undefined) return Number.POSITIVE_INFINITY;
  const value = scope[named.by];
  if (value === undefined && (named.fromStore || named.rows.size > 0)) return named.by;
  const live = named.fromStore ? kept.get(limitKey(named.name, named.by, value ?? NONE)) : undefined;
  // What another program wrote there may be no number: then no call is judged by it.
  if (live !== undefined && !Number.isNaN(live)) return live;
  const given = named.rows.get(value ?? NONE) ?? named.otherwise;
  if (given.kind === "limit") return granted(plan, given.limit, scope, kept);
  return given.kind === "amount" ? given.amount : Number.POSITIVE_INFINITY;
}

/** The limits that the store keeps for this plan; it is asked only where there are any to keep. */
export const keptBy = async (store: Pick<Store, "limits">, plan: Plan): Promise<ReadonlyMap<string, number>> =>
  plan.limits.some(({ fromStore }) => fromStore) ? store.limits() : new Map();

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
