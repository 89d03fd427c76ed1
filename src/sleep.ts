/**
 * Waiting for a given time, or until nobody waits any more.
 * @module
 */

/** Resolves after `ms`, or when the signal fires. It keeps the process alive: a call that sleeps is work under way. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}
