import { isSentAway, type Session } from "./http2-session.ts";

/** The streams of one session that are held, which it must not close without. */
export class SessionHolds {
  readonly #session: Session;
  /** For each hold, what ends it when the session takes no more requests. */
  readonly #held = new Set<() => void>();
  #close: (() => void) | null = null;
  #connecting: (() => void)[] = [];

  constructor(session: Session) {
    this.#session = session;
  }

  add(end: () => void): void {
    this.#held.add(end);
  }

  /** One hold is over; the last one lets a postponed `close` happen. */
  delete(end: () => void): void {
    this.#held.delete(end);
    if (this.#held.size > 0 || this.#close === null) return;
    // nghttp2 would send its farewell before the request that was just given to it.
    setImmediate(() => this.#closeNow());
  }

  #closeNow(): void {
    const close = this.#close;
    this.#close = null;
    this.#open();
    close?.();
  }

  /**
   * True where `close` must wait: it would tell the server that nothing more is coming. The session is closed to new
   * requests meanwhile. One that the server closes lets nobody through any more: those who are held hear of it.
   */
  postpone(close: () => void, callback: unknown): boolean {
    if (this.#held.size === 0 || this.#session.closed || this.#session.destroyed) return false;
    if (isSentAway(this.#session)) {
      setImmediate(() => {
        for (const end of [...this.#held]) end();
      });
      return false;
    }
    if (typeof callback === "function") this.#session.once("close", () => callback());
    this.#close = close;
    this.#shut();
    return true;
  }

  /** Runs `send` when the session is connected: one listener for all, as node:http2 has. */
  whenConnected(send: () => void): void {
    this.#connecting.push(send);
    if (this.#connecting.length > 1) return;
    this.#session.once("connect", () => {
      for (const one of this.#connecting.splice(0)) one();
    });
  }

  /** Sends a stream that was held. */
  through(send: () => void): void {
    if (this.#close === null) {
      send();
      return;
    }
    this.#open();
    try {
      send();
    } finally {
      this.#shut();
    }
  }

  #shut(): void {
    Object.defineProperty(this.#session, "closed", { value: true, configurable: true });
  }

  #open(): void {
    Reflect.deleteProperty(this.#session, "closed");
  }
}
