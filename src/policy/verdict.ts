/**
 * What the policy says to one call, and the order of strictness.
 * @module
 */
import type { Action, Rule } from "./plan.ts";

/** The figures a rule fired on. Amounts: nano-dollars for money, else counts. */
export interface Figures {
  /** Canonical meter path, or `call.cost` and the like. */
  readonly meter: string;
  readonly metric: string;
  /** Scope → value of the meter; empty for global and for a call's own figures. */
  readonly scope: Readonly<Record<string, string>>;
  readonly window: string | null;
  readonly spent: number;
  readonly held: number;
  readonly estimate: number;
  readonly limit: number;
  /** When room returns, ms since 1970; null where nothing returns by itself. */
  readonly resetsAt: number | null;
}

/** A rule that fired on this call. */
export interface Fired {
  readonly rule: Rule;
  readonly action: Action;
  /** Null for flags and bare filters, and where an already closed gate spoke. */
  readonly figures: Figures | null;
  /** Set where the rule had closed its scope before this call. `until` null: until someone resumes it. */
  readonly closed: { readonly since: number; readonly until: number | null } | null;
  /** One sentence for people, placeholders filled. */
  readonly message: string;
}

/**
 * `allow` and `warn` let the call go, `backoff` lets it go later, `hold` judges it again until it fits or time is up;
 * the others stop it. Greater is stricter.
 */
export const strictness = { allow: 0, warn: 1, backoff: 2, hold: 3, deny: 4, "deny for": 5, pause: 6 } as const;

export interface Verdict {
  readonly kind: keyof typeof strictness;
  /** The strictest rule that fired; ties are named by the smallest rule id. Null where nothing fired. */
  readonly decided: Fired | null;
  /** All warnings that fired, whatever was decided. */
  readonly warnings: readonly Fired[];
  /** All rules that fired with `hold` or `backoff`, whatever was decided. */
  readonly waits: readonly Fired[];
  /** What shadow rules would have done. */
  readonly shadows: readonly Fired[];
}

/** Whether the verdict ends the call as it stands. A `hold` does not: it is judged again. */
export const stops = (verdict: Verdict): boolean => strictness[verdict.kind] >= strictness.deny;
