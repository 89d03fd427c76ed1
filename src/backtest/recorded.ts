/**
 * One call as some log recorded it: what was asked, what came of it, and when.
 * @module
 */
import type { Bill, Call, Outcome } from "../call/call.ts";

export interface Recorded {
  /** Unique in all logs: the same call twice is one call. */
  readonly id: string;
  /** When the request arrived, ms since 1970. */
  readonly at: number;
  /** How long the provider took, ms; waits that rules imposed left out. */
  readonly tookMs: number;
  /** As the application asked for it, before any rule changed it. */
  readonly asked: Call;
  /** Canonical name of the model that it left for. */
  readonly leftFor: string;
  /** What it used; where it was refused, what it was expected to. */
  readonly bill: Bill;
  readonly outcome: Outcome;
  /** True where the guard of that day refused it, so that nothing was spent. */
  readonly refused: boolean;
  /** 0 for a first attempt. */
  readonly attemptNumber: number;
  readonly repeat: boolean;
  /** True where the log says which calls repeat others although it has no fingerprint. */
  readonly tellsRepeats: boolean;
  /** The span above it, where the log is of spans; null where there is none. */
  readonly parent: string | null;
  /** True for a span of the guard itself, or one that it enriched, and for its own log. */
  readonly guarded: boolean;
}

/** What a piece of a log is. */
export type Understood =
  | { readonly kind: "call"; readonly recorded: Recorded }
  /** A span of something else: right as it is. */
  | { readonly kind: "other" }
  /** It should be a call and cannot be used. */
  | { readonly kind: "unusable"; readonly why: string };
