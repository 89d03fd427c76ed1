/**
 * A line at the bottom of a terminal that says how far a long reading is.
 * @module
 */
import type { Clock } from "../clock.ts";

export interface ProgressOptions {
  /** Bytes in all. */
  readonly total: number;
  readonly write: (text: string) => void;
  readonly clock: Clock;
  /** Characters of a line. */
  readonly columns: number;
}

const BAR = 24;
/** ms between two drawings. */
const EVERY = 100;

export class Progress {
  readonly #options: ProgressOptions;
  readonly #began: number;
  #drawn = Number.NEGATIVE_INFINITY;
  #done = 0;
  #isShown = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#began = options.clock();
  }

  /** So many bytes more are read. */
  add(bytes: number): void {
    this.#done += bytes;
    const now = this.#options.clock();
    // What is over at once needs no line that comes and goes.
    if (now - this.#began < EVERY || now - this.#drawn < EVERY) return;
    this.#drawn = now;
    this.#isShown = true;
    this.#options.write(`\r${this.#line(now - this.#began).slice(0, this.#options.columns - 1)}\x1b[K`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.#isShown) this.#options.write("\r\x1b[K");
  }

  #line(elapsedMs: number): string {
    const { total } = this.#options;
    const share = total === 0 ? 1 : Math.min(1, this.#done / total);
    const full = Math.round(share * BAR);
    const rate = (this.#done * 1_000) / Math.max(1, elapsedMs);
    const left = Math.ceil(Math.max(0, total - this.#done) / Math.max(1, rate));
    const bar = `${"#".repeat(full)}${".".repeat(BAR - full)}`;
    return `[${bar}] ${Math.floor(share * 100)}%  ${size(this.#done)} of ${size(total)}  ${size(rate)}/s  ${left}s left`;
  }
}

/** `1.4 GB`, `120 MB`, `8 kB`. */
function size(bytes: number): string {
  for (const [unit, factor] of [
    ["GB", 1e9],
    ["MB", 1e6],
    ["kB", 1e3],
  ] as const) {
    const amount = bytes / factor;
    if (amount >= 1) return `${amount >= 10 ? Math.round(amount) : amount.toFixed(1)} ${unit}`;
  }
  return `${Math.round(bytes)} B`;
}
