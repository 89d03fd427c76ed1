/**
 * Signs of life for the holds of calls that are under way, so that only a dead process loses them.
 * @module
 */
import type { Store } from "./store/store.ts";

interface Beating {
  readonly holdMs: number;
  /** The parts of the hold that are surely spent by now, per meter; null leaves them as they were judged. */
  readonly floors: () => readonly number[] | null;
}

export interface Heartbeat {
  /** Keeps the hold of an attempt alive until it is removed. */
  add(attempt: string, beating: Beating): void;
  remove(attempt: string): void;
}

/** Three beats per lifetime: two may be lost before a hold is. The timer never keeps the process alive. */
export function createHeartbeat(store: Pick<Store, "extend">, holdMs: number): Heartbeat {
  const beating = new Map<string, Beating>();
  let timer: NodeJS.Timeout | null = null;
  const beat = (): void => {
    const holds = [...beating].map(([attempt, { holdMs: lifetime, floors }]) => {
      const known = floors();
      return known === null ? { attempt, holdMs: lifetime } : { attempt, holdMs: lifetime, floors: known };
    });
    // A beat that is lost is made good by the next one; the store's own down-and-up reports speak for it.
    if (holds.length > 0) store.extend(holds).catch(() => {});
  };
  return {
    add(attempt, what) {
      beating.set(attempt, what);
      timer ??= setInterval(beat, Math.max(50, Math.floor(holdMs / 3))).unref();
    },
    remove(attempt) {
      beating.delete(attempt);
      if (beating.size > 0 || timer === null) return;
      clearInterval(timer);
      timer = null;
    },
  };
}
