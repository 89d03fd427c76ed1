import type { Stream } from "./http2-session.ts";
import type { Method } from "./patches.ts";

const METHODS = ["_write", "_writev", "_final"] as const;

/**
 * What a stream writes while it is held. `end` lifts the cork that node:http2 puts on a stream it has not sent, so that
 * the first write and the end come here, to wait for the decision.
 */
export class HeldOutput {
  readonly #stream: Stream;
  #waiting: { readonly name: string; readonly args: readonly unknown[] } | null = null;

  constructor(stream: Stream) {
    this.#stream = stream;
    for (const name of METHODS) {
      this.#shadow(name, (...args) => {
        this.#waiting = { name, args };
      });
    }
  }

  /** Everything goes the stream's own way. */
  release(): void {
    for (const name of METHODS) Reflect.deleteProperty(this.#stream, name);
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting === null) return;
    const method = Reflect.get(this.#stream, waiting.name) as Method;
    method.apply(this.#stream, [...waiting.args]);
  }

  /** The same for a stream that is written to its end, with another body: the first write takes it out. */
  replace(body: Buffer): void {
    const waiting = this.#waiting;
    if (waiting?.name === "_final") {
      this.release();
      return;
    }
    this.#waiting = null;
    for (const name of METHODS) Reflect.deleteProperty(this.#stream, name);
    const write = Reflect.get(this.#stream, "_write") as Method;
    let out = false;
    const instead = (done: unknown): void => {
      if (out) finish(done);
      else write.call(this.#stream, body, "buffer", done);
      out = true;
    };
    this.#shadow("_write", (_chunk, _encoding, done) => instead(done));
    this.#shadow("_writev", (_chunks, done) => instead(done));
    if (waiting !== null) instead(waiting.args.at(-1));
  }

  /** Everything is taken in and goes nowhere. */
  drop(): void {
    for (const name of METHODS) this.#shadow(name, (...args) => finish(args.at(-1)));
    this.#stream.uncork();
    const waiting = this.#waiting;
    this.#waiting = null;
    finish(waiting?.args.at(-1));
  }

  #shadow(name: string, method: (...args: unknown[]) => void): void {
    Object.defineProperty(this.#stream, name, { value: method, configurable: true, writable: true });
  }
}

function finish(done: unknown): void {
  if (typeof done === "function") done();
}
