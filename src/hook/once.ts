import type { Failure, Tap } from "./exchange.ts";

/** A tap that is told of its end exactly once and cannot harm the request it watches. */
export class OnceTap {
  readonly #tap: Tap;
  readonly #over: () => void;
  #open = true;

  /** `over`: what else is to be done when it ends, whichever way. */
  constructor(tap: Tap, over: () => void = () => {}) {
    this.#tap = tap;
    this.#over = over;
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    if (this.#open) quietly(() => this.#tap.head(status, headers));
  }

  chunk(bytes: Uint8Array): void {
    if (this.#open) quietly(() => this.#tap.chunk(bytes));
  }

  end(): void {
    if (this.#shut()) quietly(() => this.#tap.end());
  }

  fail(failure: Failure): void {
    if (this.#shut()) quietly(() => this.#tap.fail(failure));
  }

  #shut(): boolean {
    const wasOpen = this.#open;
    this.#open = false;
    if (wasOpen) quietly(this.#over);
    return wasOpen;
  }
}

/** Runs what must never become the application's error. */
export function quietly(fn: () => void): void {
  try {
    fn();
  } catch {
    // A watcher that fails loses its figures, never the caller's response.
  }
}
