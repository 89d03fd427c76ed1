import type { Failure } from "./exchange.ts";
import { failureOf } from "./failure.ts";
import { isCutOff, type Stream } from "./http2-session.ts";
import type { OnceTap } from "./once.ts";
import type { Patches } from "./patches.ts";
import { followUpgrade } from "./websocket.ts";

/** The events of a stream that tell how its response goes. */
const TELLING: ReadonlySet<unknown> = new Set(["response", "timeout", "error", "close"]);

/** RFC 9113, section 8.7: a refused stream was not processed. */
const REFUSED_STREAM = 7;

/** Follows the response of one stream, always after the caller has had each part of it. */
export class StreamWatch {
  readonly #stream: Stream;
  readonly #protocol: string | null;
  #tap: OnceTap | null = null;
  #cause: Failure | null = null;
  #callerLeft = false;
  #timedOut = false;
  #invited = false;
  #headed = false;
  /** An answer without a body, which node:http2 ends before it tells of its head. */
  #empty = false;

  /** `protocol`: what the stream becomes when it is answered with 200. */
  constructor(stream: Stream, patches: Patches, protocol: string | null) {
    this.#stream = stream;
    this.#protocol = protocol;
    const watch = this;
    patches.apply(stream, "emit", (original) => {
      return function emit(this: unknown, ...args: unknown[]): unknown {
        if (args[0] === "continue" && watch.#invited) return true;
        if (!TELLING.has(args[0])) return original.apply(this, args);
        watch.#before(args[0], args[1]);
        try {
          return original.apply(this, args);
        } finally {
          watch.#after(args[0], args[1]);
        }
      };
    });
    patches.apply(stream, "push", (original) => {
      return function push(this: unknown, chunk: unknown, encoding: unknown): unknown {
        const more = original.call(this, chunk, encoding);
        if (chunk instanceof Uint8Array) watch.#tap?.chunk(chunk);
        else if (chunk === null && watch.#isWhole()) watch.#whole();
        return more;
      };
    });
  }

  /** Tells the caller to go on with its body, which the server will say once more. */
  invite(): void {
    this.#stream.emit("continue");
    this.#invited = true;
  }

  /** The request goes out; from here its tap is told. */
  begin(tap: OnceTap): void {
    this.#tap = tap;
  }

  /** The caller closes or destroys the stream, unless it is node:http2 that does so because the connection broke. */
  leaving(): void {
    if (!this.#stream.closed && !this.#stream.destroyed && !isCutOff(this.#stream.session)) this.#callerLeft = true;
  }

  #whole(): void {
    if (this.#headed) this.#tap?.end();
    else this.#empty = true;
  }

  #before(name: unknown, subject: unknown): void {
    if (name === "timeout") this.#timedOut = true;
    if (name === "error") this.#cause ??= this.#failure(subject);
    const [tap, upgrade] = [this.#tap, this.#protocol];
    if (name !== "response" || tap === null || upgrade === null || !isHeaders(subject)) return;
    if (Number(subject[":status"]) === 200) followUpgrade(tap, { ...headersOf(subject), upgrade }, this.#stream);
  }

  #after(name: unknown, subject: unknown): void {
    if (name === "response" && isHeaders(subject)) {
      this.#headed = true;
      this.#tap?.head(Number(subject[":status"]), headersOf(subject));
      if (this.#empty) this.#tap?.end();
    }
    if (name === "close") this.#tap?.fail(this.#cause ?? this.#failure(undefined));
  }

  /** A null that is pushed ends a response, and everything that is broken off, too. */
  #isWhole(): boolean {
    const { destroyed, closed, rstCode } = this.#stream;
    return !destroyed && !this.#callerLeft && (!closed || rstCode === 0);
  }

  #failure(error: unknown): Failure {
    const { pending, rstCode } = this.#stream;
    const found: Failure =
      error === undefined && !this.#callerLeft
        ? { kind: "network", code: "ERR_HTTP2_STREAM_ERROR" }
        : failureOf(error, this.#callerLeft);
    const failure: Failure = this.#timedOut ? { ...found, kind: "timeout" } : found;
    return pending || rstCode === REFUSED_STREAM ? { ...failure, unsent: true } : failure;
  }
}

type Headers = Readonly<Record<string, unknown>>;

const isHeaders = (value: unknown): value is Headers => typeof value === "object" && value !== null;

function headersOf(received: Headers): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(received)) {
    if (value === undefined || name.startsWith(":")) continue;
    headers[name] = Array.isArray(value) ? value.join(", ") : String(value);
  }
  return headers;
}
