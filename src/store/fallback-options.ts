import { type Clock, now } from "../clock.ts";
import type { StoreDown } from "./down.ts";
import type { Store } from "./store.ts";

export interface FallbackOptions {
  /** How the store is called before it is open. */
  readonly name?: string;
  readonly kind?: Store["kind"];
  readonly clock?: Clock;
  /** How long one judgement may take, ms. */
  readonly deadlineMs?: number;
  /** How long everything else may take, opening included, ms. */
  readonly patienceMs?: number;
  /** How much of a shared limit this process may spend alone while the store is away, in millionths. */
  readonly localShareMillionths?: number;
  /** How many settlements wait one by one for the store to come back. */
  readonly queueLimit?: number;
  /** Pauses between attempts to reach a store that is away, ms. */
  readonly retryMs?: { readonly first: number; readonly most: number };
  readonly onDown?: (why: StoreDown) => void;
  readonly onUp?: () => void;
}

/** What is not said otherwise. */
export const FALLBACK_DEFAULTS: Required<FallbackOptions> = Object.freeze({
  name: "not opened yet",
  kind: "memory",
  clock: now,
  deadlineMs: 250,
  patienceMs: 2_000,
  localShareMillionths: 50_000,
  queueLimit: 10_000,
  retryMs: Object.freeze({ first: 100, most: 5_000 }),
  onDown: () => {},
  onUp: () => {},
});
