import { BUCKETS, bucketOf } from "./histogram.ts";
import type { Print, Tables } from "./tables.ts";

/** A fingerprint is remembered for so long after it was last settled, ms. */
export const PRINT_KEPT = 86_400_000;
/** What was learned is kept for so long after it was last added to, ms. */
export const LESSON_KEPT = 30 * 86_400_000;

/** What went before a call: 0 for a first attempt, and whether the last one succeeded. */
export interface History {
  readonly attemptNumber: number;
  readonly repeat: boolean;
}

/** What is remembered of a fingerprint; the SDK's own attempt number counts where it is greater. */
export function historyOf(tables: Tables, fingerprint: string | null, sdkRetry: number | null): History {
  const print = fingerprint === null ? undefined : tables.prints.get(fingerprint);
  const attemptNumber = Math.max(print?.failures ?? 0, sdkRetry ?? 0);
  return { attemptNumber, repeat: print?.succeeded === true && attemptNumber === 0 };
}

/** Remembers how a call with this fingerprint ended. */
export function remember(tables: Tables, fingerprint: string, succeeded: boolean, now: number): void {
  const failures = tables.prints.get(fingerprint)?.failures ?? 0;
  tables.prints.set(fingerprint, succeeded ? SUCCEEDED : { succeeded, failures: failures + 1 }, now + PRINT_KEPT);
}

/** One for all: a ledger in this process keeps it for every question of a day. */
const SUCCEEDED: Print = Object.freeze({ succeeded: true, failures: 0 });

/** Counts a value in the histogram under the key. */
export function learn(tables: Tables, key: string, value: number, now: number): void {
  const counts = [...(tables.lessons.get(key) ?? BUCKETS.map(() => 0))];
  const bucket = bucketOf(value);
  counts[bucket] = (counts[bucket] ?? 0) + 1;
  tables.lessons.set(key, counts, now + LESSON_KEPT);
}
