import type { IncomingMessage } from "node:http";
import type { Failure } from "./exchange.ts";
import { failureOf } from "./failure.ts";
import { Sent } from "./http-sent.ts";
import type { OnceTap } from "./once.ts";
import { followUpgrade } from "./websocket.ts";

/** Follows the response of one request through the request's own events, always after the caller has had them. */
export class ResponseWatch {
  #tap: OnceTap | null = null;
  #response: IncomingMessage | null = null;
  #cause: Failure | null = null;
  #callerLeft = false;
  #timedOut = false;
  readonly #sent = new Sent();

  /** The request goes out; from here its tap is told. */
  begin(tap: OnceTap): void {
    this.#tap = tap;
  }

  /** The caller destroyed the request. One that waits in its agent's queue is heard of no more until its turn comes. */
  callerLeft(): void {
    this.#callerLeft = true;
    if (!this.#sent.begun) this.#tap?.fail(this.#failure(undefined));
  }

  /** Emits one event of the request and tells the tap of it. `rest`: what an upgraded request is handed. */
  event(name: unknown, subject: unknown, rest: readonly unknown[], emit: () => unknown): unknown {
    const tap = this.#tap;
    if (tap === null) return emit();
    if (name === "socket" && typeof subject === "object" && subject !== null) this.#sent.begin(subject);
    if (name === "timeout") this.#timedOut = true;
    // Now and not later: a caller who hears of a broken connection may well destroy the request.
    if (name === "error") this.#cause ??= this.#failure(subject);
    const head = isMessage(subject) && (name === "response" || name === "upgrade") ? headOf(subject) : null;
    if (name === "response" && isMessage(subject)) this.#follow(subject, tap);
    if (name === "upgrade" && head !== null) followUpgrade(tap, head.headers, rest[0], rest[1]);
    try {
      return emit();
    } finally {
      if (head !== null) tap.head(head.status, head.headers);
      this.#tell(name, tap);
    }
  }

  #tell(name: unknown, tap: OnceTap): void {
    if (name === "upgrade") tap.end();
    if (name === "error" && this.#response === null && this.#cause !== null) tap.fail(this.#cause);
    if (name === "close") {
      if (this.#response?.complete === true) tap.end();
      else tap.fail(this.#cause ?? this.#failure(this.#response?.errored));
    }
  }

  /** node:http's parser pushes each part of the body into the response, and null at its end. */
  #follow(response: IncomingMessage, tap: OnceTap): void {
    this.#response = response;
    const push = response.push;
    Object.defineProperty(response, "push", {
      configurable: true,
      writable: true,
      value: (chunk: unknown, encoding?: BufferEncoding): boolean => {
        const more = push.call(response, chunk, encoding);
        if (chunk instanceof Uint8Array) tap.chunk(chunk);
        else if (chunk === null && response.complete) tap.end();
        return more;
      },
    });
  }

  #failure(error: unknown): Failure {
    // A connection that breaks destroys the response with ECONNRESET; a caller who leaves destroys it with no error.
    const left = this.#callerLeft || (this.#response !== null && !isReset(error));
    const { kind, code } = failureOf(error, left);
    return { kind: this.#timedOut ? "timeout" : kind, code, ...(this.#sent.nothing && { unsent: true }) };
  }
}

const isReset = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ECONNRESET";

/** node:http's own class is not loaded for this. */
const isMessage = (value: unknown): value is IncomingMessage =>
  typeof value === "object" && value !== null && "statusCode" in value && "push" in value;

interface Head {
  readonly status: number;
  readonly headers: Record<string, string>;
}

/** Taken before the caller has it: axios takes `content-encoding` away from a response that it unpacks. */
function headOf(response: IncomingMessage): Head {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return { status: response.statusCode ?? 0, headers };
}
