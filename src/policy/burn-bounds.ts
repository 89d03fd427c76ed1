/**
 * What each rule of a plan bounds, and which rules bound nothing although they may look it.
 * In: a plan, and what all calls of a population have in common. Out: bounds; sound, never better than the truth.
 * @module
 */
import { certainty, type Population } from "./burn-filter.ts";
import type { Action, Condition, Entitlement, Limit, Metric, Plan, Rule, Window } from "./plan.ts";

/** A rule that refuses calls beyond an amount of one meter. */
export interface Bound {
  readonly rule: Rule;
  readonly metric: Metric;
  readonly window: Window;
  /** Scopes of the meter: each combination of their values may reach the amount. */
  readonly scopes: readonly string[];
  /** The most that may be reached: nano-dollars or a count. */
  readonly amount: number;
  /** True where the store may keep another amount than the policy's own text. */
  readonly live: boolean;
  /** True where what runs into it stays closed until a person opens it: a pause. */
  readonly final: boolean;
}

/** A rule that refuses or shortens a single call. */
export interface CallBound {
  readonly rule: Rule;
  readonly metric: "cost" | "tokens" | "input_tokens" | "output_tokens" | "retries";
  /** Nano-dollars, tokens, or retries. */
  readonly amount: number;
}

/** A rule that bounds no spend, and why not. */
export interface Idle {
  readonly rule: Rule;
  readonly why: string;
}

/** The bounds that hold for every call of the population; `sent` is its model as requests name it. */
export function boundsFor(plan: Plan, known: Population, sent: string | null = null): readonly Bound[] {
  return plan.rules.flatMap((rule) => {
    if (!refuses(rule) || certainty(rule.filter, known, sent) !== "yes") return [];
    const bound = boundOf(plan, rule, known);
    return bound === null ? [] : [bound];
  });
}

/** What one rule bounds for the calls that it judges; null where it bounds no meter. */
export function boundOf(plan: Plan, rule: Rule, known: Population): Bound | null {
  const [condition, ...others] = rule.conditions;
  if (!refuses(rule) || condition === undefined || others.length > 0 || condition.reading.kind !== "meter") return null;
  const meter = plan.meters[condition.reading.meter];
  const most = meter === undefined ? null : mostOf(plan, condition, known);
  if (meter === undefined || most === null || most.amount === Number.POSITIVE_INFINITY) return null;
  const { metric, window, scopes } = meter;
  return { rule, metric, window, scopes, ...most, final: rule.actions.some(({ kind }) => kind === "pause") };
}

/** The bounds of a single call of this population: refusals, and caps of its answer. */
export function callBoundsFor(plan: Plan, known: Population, sent: string): readonly CallBound[] {
  return plan.rules.flatMap((rule): CallBound[] => {
    if (rule.shadow || rule.flag !== null || certainty(rule.filter, known, sent) !== "yes") return [];
    const [condition, ...others] = rule.conditions;
    if (others.length > 0) return [];
    const cap = capOf(rule.actions);
    if (condition === undefined) return cap === null ? [] : [{ rule, metric: "output_tokens", amount: cap }];
    if (condition.reading.kind !== "call") return [];
    const { metric } = condition.reading;
    const most = mostOf(plan, condition, known);
    if (most === null || most.amount === Number.POSITIVE_INFINITY) return [];
    if (refuses(rule)) return [{ rule, metric, amount: most.amount }];
    // A call below the threshold is left alone, one above it is cut down to the cap.
    if (cap === null || metric !== "output_tokens") return [];
    return [{ rule, metric, amount: Math.max(cap, most.amount) }];
  });
}

/** Rules that bound neither a meter nor a call, with the reason for people. */
export function idleRules(plan: Plan): readonly Idle[] {
  return plan.rules.flatMap((rule) => {
    const why = idleness(plan, rule);
    return why === null ? [] : [{ rule, why }];
  });
}

/** A rule that stops retries beyond a share of all calls, in millionths, or beyond a number of them: null. */
export interface RetryLimit {
  readonly rule: Rule;
  readonly millionths: number | null;
}

/** What limits the retries of every call of the population; the smallest share before any number. */
export function retryLimitFor(plan: Plan, known: Population, sent: string): RetryLimit | null {
  let found: RetryLimit | null = null;
  for (const rule of plan.rules) {
    if (!refuses(rule) || !looksAtRetries(plan, rule) || certainty(rule.filter, known, sent) !== "yes") continue;
    const millionths = retryShare(rule);
    if (found === null || (millionths ?? Number.POSITIVE_INFINITY) < (found.millionths ?? Number.POSITIVE_INFINITY)) {
      found = { rule, millionths };
    }
  }
  return found;
}

const looksAtRetries = (plan: Plan, { conditions }: Rule): boolean =>
  conditions.length > 0 &&
  conditions.every(({ reading }) => reading.kind === "meter" && plan.meters[reading.meter]?.metric === "retries");

function retryShare({ conditions }: Rule): number | null {
  const shares = conditions.flatMap(({ limit }) => (limit.kind === "share" ? [limit.millionths] : []));
  return shares.length === 0 ? null : Math.max(...shares);
}

/** Whether the rule stops calls, at once or after a wait for room. */
export const refuses = (rule: Rule): boolean =>
  !rule.shadow && rule.flag !== "store.down" && rule.actions.some(({ kind }) => REFUSING.has(kind));

const REFUSING: ReadonlySet<string> = new Set(["deny", "deny for", "pause", "hold"]);

const capOf = (actions: readonly Action[]): number | null =>
  actions.reduce<number | null>((least, action) => {
    return action.kind === "cap" ? Math.min(least ?? Number.POSITIVE_INFINITY, action.tokens) : least;
  }, null);

function mostOf(
  plan: Plan,
  { op, limit }: Condition,
  known: Population,
): { readonly amount: number; readonly live: boolean } | null {
  const found = limitMost(plan, limit, known);
  // What must stay below the limit may come within one of it.
  return found === null ? null : { ...found, amount: op === ">=" ? found.amount - 1 : found.amount };
}

function limitMost(
  plan: Plan,
  limit: Limit,
  known: Population,
): { readonly amount: number; readonly live: boolean } | null {
  if (limit.kind === "fixed") return { amount: limit.amount, live: false };
  if (limit.kind === "share") return null;
  const { amount, live } = grantMost(plan, limit.limit, known);
  return { amount: Math.floor((amount * limit.millionths) / 1_000_000), live };
}

/** The most that a named limit grants anyone of the population. */
export function grantMost(
  plan: Pick<Plan, "limits">,
  index: number,
  known: Population,
): { readonly amount: number; readonly live: boolean } {
  const named = plan.limits[index];
  if (named === undefined) return { amount: Number.POSITIVE_INFINITY, live: false };
  const value = known[named.by];
  const rows =
    value === undefined ? [...named.rows.values(), named.otherwise] : [named.rows.get(value) ?? named.otherwise];
  const grants = rows.map((row: Entitlement) => {
    if (row.kind === "amount") return { amount: row.amount, live: false };
    return row.kind === "unlimited"
      ? { amount: Number.POSITIVE_INFINITY, live: false }
      : grantMost(plan, row.limit, known);
  });
  return {
    amount: Math.max(...grants.map(({ amount }) => amount)),
    live: named.fromStore || grants.some(({ live }) => live),
  };
}

function idleness(plan: Plan, rule: Rule): string | null {
  if (rule.flag === "store.down") return null;
  if (rule.shadow) return "is in shadow: it reports, and refuses nothing";
  const kinds = new Set(rule.actions.map(({ kind }) => kind));
  if (!refuses(rule)) {
    if (kinds.has("cap") || kinds.has("route")) {
      return rule.conditions.some(({ reading }) => reading.kind === "meter")
        ? "makes calls cheaper once it fires, and refuses none"
        : null;
    }
    return kinds.has("backoff") ? "makes retries wait, and refuses none" : "warns, and refuses nothing";
  }
  if (rule.flag !== null || rule.conditions.length === 0) return null;
  if (looksAtRetries(plan, rule)) return "bounds retries, not first attempts";
  if (rule.conditions.length > 1) return "fires only where all its conditions hold, so that none of them is a bound";
  const [{ reading, limit } = { reading: null, limit: null }] = rule.conditions;
  if (reading === null || reading.kind === "call") return null;
  const metric = plan.meters[reading.meter]?.metric;
  if (metric === "repeats") return "stops a question asked again, not a loop whose question changes";
  if (metric === "errors") return "stops calls after errors, not calls that succeed";
  if (limit?.kind === "named" && grantMost(plan, limit.limit, {}).amount === Number.POSITIVE_INFINITY) {
    return "names a limit that is `unlimited` for someone";
  }
  return null;
}
