/**
 * Signs of life for the holds of calls that are under way, so that only a dead process loses them.
 * @module
 */
import type { Store } from "./store/store.ts";

export interface Heartbeat {
  /** Keeps the hold of an attempt alive until it is removed. */
  add(attempt: string): void;
  remove(attempt: string): void;
}

/**
 * Three beats per lifetime: two may be lost before a hold is. The timer never keeps the process alive, and goes with the
 * first beat that has nothing to renew: calls one after another do not each start one.
 */
export function createHeartbeat(store: Pick<Store, "extend">, holdMs: number): Heartbeat {
  const beating = new Set<string>();
  let timer: NodeJS.Timeout | null = null;
  const beat = (): void => {
    if (beating.size === 0) {
      clearInterval(timer ?? undefined);
      timer = null;
      return;
    }
    // A beat that is lost is made good by the next one; the store's own down-and-up reports speak for it.
    store.extend([...beating].map((attempt) => ({ attempt, holdMs }))).catch(() => {});
  };
  return {
    add(attempt) {
      beating.add(attempt);
      timer ??= setInterval(beat, Math.max(50, Math.floor(holdMs / 3))).unref();
    },
    remove(attempt) {
      beating.delete(attempt);
    },
  };
}
