import type { Clock } from "../../src/clock.ts";

/** A clock that moves only when it is told to. */
export function handClock(start = Date.UTC(2026, 10, 22, 14, 25)): { now: Clock; pass(ms: number): Promise<void> } {
  let at = start;
  return {
    now: () => at,
    async pass(ms) {
      at += ms;
    },
  };
}
