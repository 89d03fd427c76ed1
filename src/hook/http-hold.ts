import { AsyncResource } from "node:async_hooks";
import { ask, discard } from "./decision.ts";
import type { Departure, Gatekeeper, Passage } from "./exchange.ts";
import { Gather, type Seen, UNSEEN } from "./gather.ts";
import { AnswerSocket } from "./http-answer.ts";
import { editOutput } from "./http-output.ts";
import { type Connection, headerOf, headersOf, type Request } from "./http-request.ts";
import { ResponseWatch } from "./http-response.ts";
import { GuestSocket } from "./http-socket.ts";
import type { Limits } from "./limits.ts";
import { OnceTap } from "./once.ts";
import { type Origin, repointed } from "./origin.ts";

/** What a hold is made of. `attach` is node:http's own `onSocket`. */
export interface HoldParts {
  readonly gatekeeper: Gatekeeper;
  readonly limits: Limits;
  readonly request: Request;
  readonly destination: { readonly origin: Origin; readonly path: string };
  readonly wantsBody: boolean;
  readonly attach: (socket: unknown, error?: unknown) => unknown;
  /** Asks the agent for another socket; false where nobody knows how. */
  readonly reconnect: () => boolean;
}

/**
 * One request of node:http while it is decided on, and its response after that.
 *
 *     held ──▶ released   it has its socket, or will get it, and goes its own way
 *       └────▶ answered   it was given our answer; a socket that comes for it goes back to its agent
 *
 * The request writes as ever: without a socket node:http keeps the output to itself. Only the socket is withheld.
 */
export class HttpHold {
  readonly #parts: HoldParts;
  /** The caller's async context: what runs on the socket must not see the gatekeeper's. */
  readonly #context = new AsyncResource("BudgetGuardHold");
  readonly #decision = new AbortController();
  readonly #watch = new ResponseWatch();
  #state: "held" | "released" | "answered" = "held";
  #asked = false;
  #invited = false;
  #socket: GuestSocket | null = null;
  /** The socket that was withheld is gone, and the request needs another one. */
  #lost = false;
  #timeoutMs: number | undefined;
  readonly #gather: Gather;

  constructor(parts: HoldParts) {
    this.#parts = parts;
    // Most headers are set after the request asked for its socket, which is when it is first met.
    this.#gather = new Gather(
      () => headerOf(parts.request, "content-type"),
      parts.limits,
      (seen) => this.#ask(seen),
    );
  }

  get held(): boolean {
    return this.#state === "held";
  }

  /** Whether the caller was told to go on with its body, which the server will say once more. */
  get invited(): boolean {
    return this.#invited;
  }

  /** Who watches the response. */
  get watch(): ResponseWatch {
    return this.#watch;
  }

  /** A socket, or the failure to get one, has come. True where it was withheld. */
  takeSocket(socket: Connection | undefined, error: unknown): boolean {
    if (this.#state === "released") return false;
    if (this.#state === "answered") {
      if (socket !== undefined) GuestSocket.giveBack(socket, this.#parts.request);
      return true;
    }
    if (socket === undefined || error) {
      this.#abandon();
      return false;
    }
    try {
      this.#socket = new GuestSocket(socket, this.#parts.request, (why) => this.#broken(why));
      this.#socket.setTimeout(this.#timeoutMs);
      if (headerOf(this.#parts.request, "expect") !== undefined) setImmediate(() => this.#invite());
      this.#gather.wait();
    } catch {
      this.surrender();
    }
    return this.#socket !== null;
  }

  /** Part of the body was written. */
  piece(chunk: unknown, encoding: unknown): void {
    if (this.#parts.wantsBody) this.#gather.piece(chunk, encoding);
    else this.#ask(UNSEEN);
  }

  /**
   * A piece was taken in. Its callback, and the 'drain' of an output that is `full`, would come when the socket has it:
   * a caller who writes the rest only then is told at once, since the rest is wanted for the decision.
   */
  taken(written: (() => void) | undefined, full: boolean): void {
    if (this.#asked || (written === undefined && !full)) return;
    process.nextTick(() => {
      written?.();
      if (full) this.#drain();
    });
  }

  /** The request is written to its end. */
  finish(): void {
    const wanted = this.#parts.wantsBody && headerOf(this.#parts.request, "upgrade") === undefined;
    if (wanted) this.#gather.finish();
    else this.#ask(UNSEEN);
  }

  /** The caller set a time limit on the socket. */
  setTimeout(ms: number): void {
    this.#timeoutMs = ms;
    this.#socket?.setTimeout(ms);
  }

  /** The caller destroyed the request: node:http reports that in its own way once it has the socket. */
  destroyed(): void {
    this.#watch.callerLeft();
    if (this.held) this.#giveUp();
  }

  /** The request failed without a socket, as some agents tell it: nothing is sent, and no socket is wanted any more. */
  failed(): void {
    if (!this.held || this.#socket !== null || this.#lost) return;
    this.#abandon();
    this.#state = "answered";
  }

  /**
   * A caller who expects "100 Continue" writes no body before it has come, and the body is wanted for the decision. A
   * client need not wait for the server to say so (RFC 9110, section 10.1.1).
   */
  #invite(): void {
    const { request, wantsBody } = this.#parts;
    if (!this.held || this.#asked) return;
    if (!wantsBody) this.#ask(UNSEEN);
    else if (request.listenerCount("continue") > 0) {
      this.#context.runInAsyncScope(() => request.emit("continue"));
      this.#invited = true;
    } else if (request.listenerCount("information") > 0) this.#ask(UNSEEN);
  }

  #drain(): void {
    const { request } = this.#parts;
    if (this.#asked || !this.held || request.finished) return;
    const symbol = Object.getOwnPropertySymbols(request).find(({ description }) => description === "kNeedDrain");
    if (symbol !== undefined) Reflect.set(request, symbol, false);
    request.emit("drain");
  }

  #ask({ body, start }: Seen): void {
    if (this.#asked || !this.held) return;
    this.#asked = true;
    this.#gather.stop();
    const { gatekeeper, request, destination } = this.#parts;
    const departure: Departure = Object.freeze({
      transport: "http",
      ...destination.origin,
      method: request.method,
      path: destination.path,
      headers: headersOf(request),
      body,
      ...(start !== null && { bodyStart: start }),
    });
    void ask(gatekeeper, departure, this.#decision.signal)
      .then(async (passage) => {
        // No network answers in the same turn: callers who try again and again must not starve the event loop.
        if (passage.kind !== "go") await new Promise((resolve) => setImmediate(resolve));
        this.#settle(passage, body !== null);
      })
      .catch(() => this.surrender());
  }

  /** A fault of ours: the request goes its own way, as if we had never been. */
  surrender(): void {
    if (this.held) this.#giveUp();
  }

  #settle(passage: Passage, bodySeen: boolean): void {
    if (!this.held) discard(passage);
    else if (passage.kind === "go") this.#go(passage, bodySeen);
    else if (passage.kind === "throw") this.#answer(undefined, passage.error);
    else {
      const { request, destination } = this.#parts;
      this.#answer(new AnswerSocket(passage.answer, request.method, destination.origin.protocol === "https:"));
    }
  }

  #go(passage: Extract<Passage, { kind: "go" }>, bodySeen: boolean): void {
    const { request, destination } = this.#parts;
    const body = bodySeen ? passage.body : null;
    const path = bodySeen ? passage.path : undefined;
    const target = path === undefined ? null : repointed(request.path, destination.path, path);
    const remove = new Set(passage.removeHeaders.filter((name) => headerOf(request, name) !== undefined));
    if (remove.size > 0 || body !== null || target !== null) editOutput(request, remove, body, target);
    this.#watch.begin(new OnceTap(passage.tap));
    this.#state = "released";
    const socket = this.#socket?.leave();
    if (socket !== undefined) this.#attach(socket);
    else if (this.#lost && !this.#context.runInAsyncScope(this.#parts.reconnect)) this.#attach(undefined, hangUp());
  }

  #answer(socket: AnswerSocket | undefined, error?: Error): void {
    this.#state = "answered";
    const withheld = this.#socket?.leave();
    this.#attach(socket, error);
    if (withheld !== undefined) GuestSocket.giveBack(withheld, this.#parts.request);
  }

  /**
   * The socket failed or was closed. Servers close connections that idle, and one that was used before idles because of
   * us: unheld the request would have been sent on it in time. Another one will do.
   */
  #broken(why: unknown): void {
    if (this.#parts.request.reusedSocket !== true) {
      this.#giveUp(why);
      return;
    }
    this.#socket?.leave();
    this.#socket = null;
    this.#lost = true;
  }

  /** Ends the hold without an answer: the caller left, or the socket broke. */
  #giveUp(error?: unknown): void {
    this.#abandon();
    const socket = this.#socket?.leave();
    if (socket !== undefined || this.#lost) this.#attach(socket, error);
  }

  #abandon(): void {
    this.#state = "released";
    this.#gather.stop();
    this.#decision.abort();
  }

  #attach(socket: unknown, error?: unknown): void {
    this.#context.runInAsyncScope(this.#parts.attach, undefined, socket, error);
  }
}

const hangUp = (): Error => Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
