import type { Failure, Line, Session, Tap } from "./exchange.ts";

/** A tap that is told of its end exactly once and cannot harm the request it watches. */
export class OnceTap {
  #tap: Tap | null;
  readonly #over: () => void;

  /** `over`: what else is to be done when it ends, whichever way. */
  constructor(tap: Tap, over: () => void = () => {}) {
    this.#tap = tap;
    this.#over = over;
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    quietly(() => this.#tap?.head(status, headers));
  }

  chunk(bytes: Uint8Array): void {
    quietly(() => this.#tap?.chunk(bytes));
  }

  /** Hands the rest over to whoever follows the WebSocket; null where nobody does. */
  upgrade(headers: Readonly<Record<string, string>>, line: Line): Session | null {
    const session = this.#tap?.upgrade?.(headers, line) ?? null;
    if (session !== null) this.#shut();
    return session;
  }

  end(): void {
    const tap = this.#shut();
    quietly(() => tap?.end());
  }

  fail(failure: Failure): void {
    const tap = this.#shut();
    quietly(() => tap?.fail(failure));
  }

  /** Lets go of the tap: clients keep their handlers long after a response, and with them all that the call was. */
  #shut(): Tap | null {
    const tap = this.#tap;
    this.#tap = null;
    if (tap !== null) quietly(this.#over);
    return tap;
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
