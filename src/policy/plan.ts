/**
 * A checked policy as plain frozen data: the distinct meters it counts on, and its rules.
 * In: checked syntax trees. Out: a `Plan`, which match, evaluate and the store's requests are made from.
 * @module
 */

/** Amounts: cost in integer nano-dollars, all others integer counts. */
export type Metric =
  | "cost"
  | "tokens"
  | "input_tokens"
  | "output_tokens"
  | "calls"
  | "retries"
  | "repeats"
  | "errors"
  | "concurrency"
  /** Distinct runs seen. */
  | "runs";

export type Window =
  | { readonly kind: "hourly" | "daily" | "weekly" | "monthly"; readonly timezone: string }
  /** For ever. */
  | { readonly kind: "total" }
  /** As long as the run lives. */
  | { readonly kind: "run" }
  | { readonly kind: "last"; readonly ms: number }
  /** In flight now: concurrency. */
  | { readonly kind: "now" };

/** (scopes, metric, window). Every call counts on every meter of the plan; filters only decide who is judged. */
export interface Meter {
  /** Canonical path: `tenant.feature.tokens.daily`, `tenant.cost.last 15m`, `run.calls`. Unique in the plan. */
  readonly id: string;
  /** Sorted as in the vocabulary; empty for `global`. */
  readonly scopes: readonly string[];
  readonly metric: Metric;
  readonly window: Window;
}

/** What a condition compares: a meter of the plan (by index), or this very call's own estimate. */
export type Reading =
  | { readonly kind: "meter"; readonly meter: number }
  | { readonly kind: "call"; readonly metric: "cost" | "tokens" | "input_tokens" | "output_tokens" | "retries" };

export type Limit =
  | { readonly kind: "fixed"; readonly amount: number }
  /** A share of another meter, in millionths: `retries last 15m > 30%` is 300_000 of the calls meter. */
  | { readonly kind: "share"; readonly millionths: number; readonly of: number }
  /** A named limit of the plan (by index), or a share of it in millionths: its amount depends on whose call it is. */
  | { readonly kind: "named"; readonly limit: number; readonly millionths: number };

/** What one value of a dimension may use: nano-dollars or a count; another limit of the plan by index; or no limit. */
export type Entitlement =
  | { readonly kind: "amount"; readonly amount: number }
  | { readonly kind: "limit"; readonly limit: number }
  | { readonly kind: "unlimited" };

/** `limit quota by tenant { "acme": $50 } else $1`, from a table, a file (read when the policy is) or the store (live). */
export interface NamedLimit {
  readonly name: string;
  /** The scope or dimension whose value decides. */
  readonly by: string;
  readonly unit: "money" | "tokens" | "count";
  /** By value of `by`; empty where the store is asked. */
  readonly rows: ReadonlyMap<string, Entitlement>;
  /** True: what the store keeps under the limit's key counts first. */
  readonly fromStore: boolean;
  /** For values that stand nowhere else. */
  readonly otherwise: Entitlement;
}

export interface Condition {
  readonly reading: Reading;
  readonly op: ">" | ">=";
  readonly limit: Limit;
  /** As the author wrote it, for messages: `research > 95%`. */
  readonly text: string;
  /** The named budget that the subject or the share refers to, if any. */
  readonly budget: string | null;
}

export type Flag = "call.unpriced" | "call.unmetered" | "store.down";

export type Filter =
  | { readonly kind: "and" | "or"; readonly of: readonly Filter[] }
  | { readonly kind: "not"; readonly of: Filter }
  /** `==` and `in`. */
  | { readonly kind: "in"; readonly dimension: string; readonly values: readonly string[] }
  | { readonly kind: "glob"; readonly dimension: string; readonly pattern: string }
  | { readonly kind: "missing"; readonly dimension: string };

export type Action =
  | { readonly kind: "deny"; readonly message: string | null }
  | { readonly kind: "deny for"; readonly ms: number; readonly message: string | null }
  | { readonly kind: "pause"; readonly message: string | null }
  | { readonly kind: "warn"; readonly message: string | null }
  | { readonly kind: "cap"; readonly tokens: number }
  /** Another model of the same provider and dialect. */
  | { readonly kind: "route"; readonly model: string }
  /** Sleeps before a retry leaves: `ms` before the first one, twice as long before each further one. */
  | { readonly kind: "backoff"; readonly ms: number }
  /** Waits up to `ms` for room, then refuses. */
  | { readonly kind: "hold"; readonly ms: number }
  /** Only for `store.down`. */
  | { readonly kind: "local" | "allow" };

export interface Rule {
  /** Its label, else its canonical text: survives reordering and reformatting. */
  readonly id: string;
  /** Canonical text of the whole rule. */
  readonly text: string;
  /** The `##` lines above it. */
  readonly doc: string | null;
  readonly file: string;
  readonly line: number;
  readonly shadow: boolean;
  /** All must hold for the rule to fire. Empty with a flag or a bare `when`. */
  readonly conditions: readonly Condition[];
  readonly flag: Flag | null;
  readonly filter: Filter | null;
  readonly actions: readonly Action[];
  /** Scopes whose values a `deny for` or `pause` closes: the first subject's, without metric or window. */
  readonly closes: readonly string[];
}

export interface NamedBudget {
  readonly name: string;
  readonly limit: Exclude<Limit, { kind: "share" }>;
  readonly meter: number;
}

export interface Plan {
  readonly meters: readonly Meter[];
  readonly rules: readonly Rule[];
  readonly budgets: readonly NamedBudget[];
  readonly limits: readonly NamedLimit[];
  readonly dimensions: readonly string[];
  /** Policy files in load order, as shown to people. */
  readonly files: readonly string[];
  /** 12 hex digits over the text of all files. */
  readonly hash: string;
}
