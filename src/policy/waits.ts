/**
 * How long a verdict makes its call wait: `hold` for room, `backoff` before a retry leaves.
 * @module
 */
import type { Fired, Verdict } from "./verdict.ts";
import { lengthText } from "./words.ts";

/** No retry sleeps longer, ms. */
const LONGEST_BACKOFF = 60_000;

/** The sleep before this attempt leaves, ms: `base` before a first one, twice as long before each further one. */
export function backoffMs(base: number, attemptNumber: number): number {
  return Math.min(LONGEST_BACKOFF, base * 2 ** Math.max(0, attemptNumber - 1));
}

/** The longest sleep that the verdict asks for before this attempt leaves, ms; 0 where it asks for none. */
export function backoffOf(verdict: Pick<Verdict, "waits">, attemptNumber: number): number {
  let longest = 0;
  for (const { action } of verdict.waits) {
    if (action.kind === "backoff") longest = Math.max(longest, backoffMs(action.ms, attemptNumber));
  }
  return longest;
}

export interface Holding {
  readonly fired: Fired;
  /** From the first verdict that held the call. */
  readonly ms: number;
}

/** The hold that runs out first; null where the verdict is no `hold`. Ties are named by the smallest rule id. */
export function shortestHold(verdict: Verdict): Holding | null {
  if (verdict.kind !== "hold") return null;
  let found: Holding | null = null;
  for (const fired of verdict.waits) {
    if (fired.action.kind !== "hold") continue;
    const { ms } = fired.action;
    if (found === null || ms < found.ms || (ms === found.ms && fired.rule.id < found.fired.rule.id)) {
      found = Object.freeze({ fired, ms });
    }
  }
  return found;
}

/** The refusal that a `hold` becomes when it has run out: by the shortest hold, and it says how long the call waited. */
export function waitedOut(verdict: Verdict, waitedMs: number): Verdict {
  const holding = shortestHold(verdict);
  if (holding === null) return verdict;
  // What is left of a second is the timer's, not the policy's.
  const waited = waitedMs >= 1_000 ? Math.round(waitedMs / 1_000) * 1_000 : Math.round(waitedMs);
  const message = `${holding.fired.message} It waited ${lengthText(waited)} for room.`;
  return Object.freeze({ ...verdict, decided: Object.freeze({ ...holding.fired, message }) });
}
