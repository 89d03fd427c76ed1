/**
 * Fingerprints where a log has none but says which calls repeat others: a repeat gets the one of the call before it.
 * @module
 */
import type { Recorded } from "./recorded.ts";

/** Runs that are remembered, the oldest forgotten first. */
const MOST = 50_000;

export class Fingerprints {
  readonly #last = new Map<string, string>();
  #made = 0;

  /** The fingerprint of a call; calls must be asked about in their order. Null where nothing is known of repeats. */
  of({ asked, repeat, attemptNumber, tellsRepeats }: Recorded): string | null {
    if (asked.fingerprint !== null || !tellsRepeats) return asked.fingerprint;
    const { run, agent, feature, model } = asked.subject;
    const key = [run, agent, feature, model].join("\0");
    const before = this.#last.get(key);
    if (before !== undefined && (repeat || attemptNumber > 0)) return before;
    const print = `recorded-${++this.#made}`;
    this.#last.delete(key);
    this.#last.set(key, print);
    const [oldest] = this.#last.keys();
    if (this.#last.size > MOST && oldest !== undefined) this.#last.delete(oldest);
    return print;
  }
}
