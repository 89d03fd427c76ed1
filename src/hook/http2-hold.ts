import { AsyncResource } from "node:async_hooks";
import { ask, discard } from "./decision.ts";
import type { Departure, Gatekeeper, Passage } from "./exchange.ts";
import { Gather, lasting, type Seen, UNSEEN, writtenOnce } from "./gather.ts";
import { answerStream } from "./http2-answer.ts";
import { edited, type HeaderEdit } from "./http2-departure.ts";
import { HeldOutput } from "./http2-output.ts";
import { StreamWatch } from "./http2-response.ts";
import { headersOf, type Session, type Stream } from "./http2-session.ts";
import type { SessionHolds } from "./http2-sessions.ts";
import type { Limits } from "./limits.ts";
import { OnceTap } from "./once.ts";
import type { Origin } from "./origin.ts";
import { Patches } from "./patches.ts";

/** What a hold is made of. `send` is what node:http2 would have called by itself. */
export interface Http2HoldParts {
  readonly gatekeeper: Gatekeeper;
  readonly limits: Limits;
  readonly session: Session;
  readonly stream: Stream;
  readonly send: () => void;
  readonly method: string;
  /** What the stream is to become: `websocket`; null for all others. */
  readonly protocol: string | null;
  readonly destination: { readonly origin: Origin; readonly path: string };
  readonly wantsBody: boolean;
  readonly holds: SessionHolds;
}

/** Both sides of these talk as long as the call lasts: nobody can wait for the request's end. */
const TALKING = /^application\/(grpc|vnd\.amazon\.eventstream)/;

/**
 * One stream of node:http2 while it is decided on, and its response after that.
 *
 *     held ──▶ released   it goes its own way
 *       └────▶ answered   it was given our answer, and is never sent
 *
 * The caller has a genuine stream from the start. It is what it would be while its session connects: what is written to
 * it stays inside it.
 */
export class Http2Hold {
  readonly #parts: Http2HoldParts;
  readonly #headers: Record<string, string>;
  /** The caller's async context: what runs on the stream must not see the gatekeeper's. */
  readonly #context = new AsyncResource("BudgetGuardHold");
  readonly #decision = new AbortController();
  readonly #writing = new Patches();
  readonly #gather: Gather;
  readonly #watch: StreamWatch;
  readonly #output: HeldOutput;
  #state: "held" | "released" | "answered" = "held";
  #asked = false;
  /** node:http2 itself gives up a stream that is sent on a session which takes no more. */
  readonly #end = (): void => this.#surrender();

  constructor(parts: Http2HoldParts) {
    this.#parts = parts;
    const { stream, limits, protocol } = parts;
    this.#headers = protocol === null ? headersOf(stream) : { ...headersOf(stream), upgrade: protocol };
    this.#watch = new StreamWatch(stream, new Patches(), protocol);
    this.#output = new HeldOutput(stream);
    this.#gather = new Gather(
      () => this.#headers["content-type"],
      limits,
      (seen) => this.#ask(seen),
    );
    parts.holds.add(this.#end);
    this.#followWriting();
    this.#followLeaving();
    const { expect, "content-type": type = "" } = this.#headers;
    if (!parts.wantsBody || protocol !== null || TALKING.test(type)) this.#ask(UNSEEN);
    else if (stream.writableEnded) this.#gather.finish();
    else {
      if (expect !== undefined) setImmediate(() => this.#invite());
      this.#gather.wait();
    }
  }

  /**
   * A caller who expects "100 Continue" writes no body before it has come, and the body is wanted for the decision. A
   * client need not wait for the server to say so (RFC 9110, section 10.1.1). node:http2 has one listener of its own.
   */
  #invite(): void {
    const { stream } = this.#parts;
    if (this.#state !== "held" || this.#asked) return;
    if (stream.listenerCount("continue") > 0) this.#context.runInAsyncScope(() => this.#watch.invite());
    else if (stream.listenerCount("headers") > 1) this.#ask(UNSEEN);
  }

  #followWriting(): void {
    const { stream } = this.#parts;
    const hold = this;
    this.#writing.apply(stream, "write", (original) => {
      return function write(this: unknown, chunk: unknown, encoding: unknown, callback: unknown): unknown {
        const plain = typeof encoding !== "function";
        const written = writtenOnce(plain ? callback : encoding);
        const piece = lasting(chunk);
        const room = original.call(this, piece, plain ? encoding : undefined, written);
        hold.#safely(() => {
          hold.#gather.piece(piece, encoding);
          hold.#taken(written, room === false);
        });
        return room;
      };
    });
    this.#writing.apply(stream, "end", (original) => {
      return function end(this: unknown, chunk: unknown, encoding: unknown, callback: unknown): unknown {
        const already = stream.writableEnded;
        const ended = original.call(this, chunk, encoding, callback);
        hold.#safely(() => {
          if (already) return;
          if (chunk && typeof chunk !== "function") hold.#gather.piece(chunk, encoding);
          hold.#gather.finish();
        });
        return ended;
      };
    });
  }

  #followLeaving(): void {
    const { stream } = this.#parts;
    const hold = this;
    const patches = new Patches();
    patches.apply(stream, "close", (original) => {
      return function close(this: unknown, ...args: unknown[]): unknown {
        hold.#watch.leaving();
        const closed = original.apply(this, args);
        if (stream.closed) hold.#closed();
        return closed;
      };
    });
    patches.apply(stream, "destroy", (original) => {
      return function destroy(this: unknown, ...args: unknown[]): unknown {
        hold.#watch.leaving();
        const destroyed = original.apply(this, args);
        hold.#leave();
        return destroyed;
      };
    });
  }

  /**
   * A piece was taken in. Its callback, and the 'drain' of a stream that is full, would come when it is sent: a caller
   * who writes the rest only then is told at once, since the rest is wanted for the decision.
   */
  #taken(written: (() => void) | undefined, full: boolean): void {
    if (this.#asked || (written === undefined && !full)) return;
    process.nextTick(() => {
      written?.();
      const { stream } = this.#parts;
      if (!full || this.#asked || stream.writableEnded || stream.destroyed || !stream.writableNeedDrain) return;
      Reflect.set(Reflect.get(stream, "_writableState"), "needDrain", false);
      stream.emit("drain");
    });
  }

  #ask({ body, start }: Seen): void {
    if (this.#asked || this.#state !== "held") return;
    this.#asked = true;
    const { gatekeeper, destination, method } = this.#parts;
    const departure: Departure = Object.freeze({
      transport: "http2",
      ...destination.origin,
      method,
      path: destination.path,
      headers: this.#headers,
      body,
      ...(start !== null && { bodyStart: start }),
    });
    void ask(gatekeeper, departure, this.#decision.signal)
      .then(async (passage) => {
        // No network answers in the same turn: callers who try again and again must not starve the event loop.
        if (passage.kind !== "go") await new Promise((resolve) => setImmediate(resolve));
        this.#settle(passage, body !== null);
      })
      .catch(() => this.#surrender());
  }

  #settle(passage: Passage, bodySeen: boolean): void {
    if (this.#state !== "held") discard(passage);
    else if (passage.kind === "go") this.#go(passage, bodySeen);
    else this.#context.runInAsyncScope(() => this.#answer(passage));
  }

  #go(passage: Extract<Passage, { kind: "go" }>, bodySeen: boolean): void {
    const body = bodySeen ? passage.body : null;
    this.#watch.begin(new OnceTap(passage.tap));
    const remove = new Set(passage.removeHeaders);
    let gone = false;
    const send = (): void => {
      if (!gone) this.#send({ remove, length: body?.length ?? null, path: bodySeen ? passage.path : undefined }, body);
      gone = true;
    };
    try {
      passage.run(send);
    } finally {
      send();
    }
  }

  #send(edit: HeaderEdit, body: Buffer | null): void {
    this.#release();
    if (body === null) this.#output.release();
    else this.#output.replace(body);
    const { session, stream, send, holds } = this.#parts;
    const depart = (): void => {
      holds.through(() => edited(session, edit, send));
      this.#over();
    };
    if (!session.connecting) depart();
    else {
      holds.whenConnected(depart);
      stream.once("close", () => this.#over());
    }
  }

  #answer(passage: Exclude<Passage, { kind: "go" }>): void {
    this.#release();
    this.#state = "answered";
    const { stream, method } = this.#parts;
    stream.once("close", () => this.#over());
    if (passage.kind === "throw") stream.destroy(passage.error);
    else answerStream(stream, this.#output, passage.answer, method);
  }

  /** The caller closed the stream. Of one that is answered, he may yet read the rest, unless he cancelled it. */
  #closed(): void {
    const { stream } = this.#parts;
    if (this.#state === "answered" && stream.rstCode !== 0) setImmediate(() => stream.destroy());
    this.#leave();
  }

  /** The caller closed or destroyed the stream, or its session did: nothing is sent any more. */
  #leave(): void {
    if (this.#state !== "held") return;
    this.#release();
    this.#decision.abort();
    const { stream } = this.#parts;
    this.#over();
    // Closed is not destroyed: node:http2 would send what it closes, and end it after that.
    this.#output.release();
    setImmediate(() => stream.destroy());
  }

  /** The session may close without this one. */
  #over(): void {
    this.#parts.holds.delete(this.#end);
  }

  #release(): void {
    this.#state = "released";
    this.#gather.stop();
    this.#writing.restore();
  }

  /** A fault of ours: the request goes its own way, as if we had never been. */
  #surrender(): void {
    if (this.#state !== "held") return;
    this.#decision.abort();
    this.#send({ remove: new Set(), length: null }, null);
  }

  /** Runs our part of a method that the application called: what fails there must not reach it. */
  #safely(fn: () => void): void {
    try {
      fn();
    } catch {
      this.#surrender();
    }
  }
}
