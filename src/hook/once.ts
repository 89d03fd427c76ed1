import type { Failure, Tap } from "./exchange.ts";

/** A tap that is told of its end exactly once and cannot harm the request it watches. */
export class OnceTap {
  readonly #tap: Tap;
  #open = true;

  constructor(tap: Tap) {
    this.#tap = tap;
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
