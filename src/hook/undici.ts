import { ask, discard } from "./decision.ts";
import type { Departure, Gatekeeper, Passage } from "./exchange.ts";
import { isExempt } from "./exempt.ts";
import { failureOf } from "./failure.ts";
import { isForm } from "./gather.ts";
import type { Limits } from "./limits.ts";
import { OnceTap } from "./once.ts";
import { repointed } from "./origin.ts";
import { passing } from "./passing.ts";
import type { Method, Patches } from "./patches.ts";
import { type Address, addressesOf, type Options } from "./undici-address.ts";
import { introduce, playAbort, playAnswer, playError } from "./undici-answer.ts";
import { bodyAtHand, bodyUnseen, type Cargo, collectBody, reshaped } from "./undici-body.ts";
import { type Handler, isHandler, mirror } from "./undici-handler.ts";
import { UndiciHeaders } from "./undici-headers.ts";
import { Hold, Holds } from "./undici-hold.ts";

/** Marks the options of a dispatch that was decided on: they pass through several dispatchers (Agent, Pool, Client). */
const SEEN = Symbol.for("budget-guard.seen");

/** undici 8's fetch gives its MockAgent the body a second time, under this name. */
const MOCK_BODY = "__mockAgentBodyForDispatch";

/** A decision that takes longer waits for room, ms. */
const LONG_MS = 100;

/** undici keeps its global dispatchers under these; the second is of the new handler shape. */
const GLOBALS = [Symbol.for("undici.globalDispatcher.1"), Symbol.for("undici.globalDispatcher.2")];

/** One dispatch on its way: everything needed to let it go, or to answer in its place. */
interface Journey {
  readonly dispatcher: object;
  readonly original: Method;
  readonly options: Options;
  readonly handler: Handler;
  readonly address: Address;
  readonly wantsBody: boolean;
}

/** Stands in front of `dispatch` of every undici copy that is met: the built-in one, npm's 5 to 8, bundled ones. */
export class UndiciHook {
  readonly #gatekeeper: Gatekeeper;
  readonly #patches: Patches;
  readonly #limits: Limits;
  readonly #met = new WeakSet<object>();
  readonly #mirrored = new WeakSet<object>();
  readonly #holds = new Holds();

  constructor(gatekeeper: Gatekeeper, patches: Patches, limits: Limits) {
    this.#gatekeeper = gatekeeper;
    this.#patches = patches;
    this.#limits = limits;
  }

  /** Meets the global dispatchers that exist already; none is made for it. */
  meetGlobals(): void {
    for (const key of GLOBALS) {
      const dispatcher: unknown = Reflect.get(globalThis, key);
      if (typeof dispatcher === "object" && dispatcher !== null) this.meet(dispatcher);
    }
  }

  /** Meets an object that has a `dispatch`: if it is a dispatcher of a new undici copy, that copy is patched. */
  meet(emitter: object): void {
    const own: unknown = Object.getPrototypeOf(emitter);
    if (typeof own !== "object" || own === null || this.#met.has(own)) return;
    this.#met.add(own);
    for (let at: unknown = own; typeof at === "object" && at !== null; at = Object.getPrototypeOf(at)) {
      if (!isBase(at) || this.#met.has(at)) continue;
      this.#met.add(at);
      this.#patch(at);
    }
  }

  /** Whether an object of this very class was met. */
  hasMet(emitter: object): boolean {
    return this.#met.has(Object.getPrototypeOf(emitter));
  }

  #patch(base: object): void {
    const hook = this;
    this.#patches.apply(base, "dispatch", (original) => {
      return function dispatch(this: unknown, options: unknown, handler: unknown): unknown {
        const taken = hook.#take(this, original, options, handler);
        if (taken === null) return original.call(this, options, handler);
        return taken ? true : passing(() => original.call(this, options, handler));
      };
    });
    this.#patches.apply(base, "close", (original) => {
      return function close(this: unknown, callback: unknown): unknown {
        const plain = callback === undefined || typeof callback === "function";
        if (!isObject(this) || !plain || hook.#holds.of(this).length === 0) return original.call(this, callback);
        // Destroyed meanwhile, it has closed when that is done.
        const closing = (): unknown => (isDestroyed(this) ? this.destroy(callback) : original.call(this, callback));
        const closed = hook.#holds.drained(this).then(closing);
        return callback === undefined ? closed : undefined;
      };
    });
    this.#patches.apply(base, "destroy", (original) => {
      return function destroy(this: unknown, ...args: unknown[]): unknown {
        const reason = args[0] instanceof Error ? args[0] : closedError("The client is destroyed", "UND_ERR_DESTROYED");
        if (isObject(this)) for (const hold of hook.#holds.of(this)) hold.giveUp(reason);
        return original.apply(this, args);
      };
    });
  }

  /** True where the dispatch was taken over; false where it is none of our business; null where that is not known. Never throws. */
  #take(dispatcher: unknown, original: Method, options: unknown, handler: unknown): boolean | null {
    try {
      if (!this.#patches.live || !isObject(dispatcher) || !isObject(options) || !isHandler(handler)) return false;
      if (SEEN in options || this.#mirrored.has(handler) || isAborted(options)) return false;
      const journey = this.#concern(dispatcher, original, options as Options, handler);
      if (this.#holds.isClosing(dispatcher)) {
        playError(handler, closedError("The client is closed", "UND_ERR_CLOSED"));
        return true;
      }
      if (journey === null || isExempt()) return false;
      void this.#travel(journey);
      return true;
    } catch {
      return null;
    }
  }

  #concern(dispatcher: object, original: Method, options: Options, handler: Handler): Journey | null {
    const { method } = options;
    if (typeof method !== "string" || method === "CONNECT") return null;
    for (const address of addressesOf(dispatcher, options)) {
      const { hostname, port } = address.origin;
      const concern = this.#gatekeeper.concerns(hostname, port, method, address.path);
      if (concern !== null) return { dispatcher, original, options, handler, address, wantsBody: concern.body };
    }
    return null;
  }

  /** The road of one dispatch. Up to the first `await` it runs in the caller's own tick and async context. */
  async #travel(journey: Journey): Promise<void> {
    const { dispatcher, options, handler, address } = journey;
    const hold = new Hold(options.signal);
    this.#holds.add(dispatcher, hold);
    try {
      const headers = new UndiciHeaders(options.headers);
      const read = headers.read();
      const cargo = this.#bodyAtHand(journey, read) ?? (await this.#collect(journey, read, hold.givenUp));
      if (hold.signal.aborted) {
        cargo.release();
        playAbort(handler, hold.reason);
        return;
      }
      hold.follow(cargo.send);
      const asked = ask(this.#gatekeeper, departureOf(options, address, read, cargo), hold.signal);
      const passage = await this.#decided(journey, hold, asked);
      if (passage?.kind === "go" && !hold.signal.aborted) {
        hold.close();
        this.#depart(journey, passage, headers, read, cargo);
        return;
      }
      cargo.release();
      // No network answers in the same turn: callers who try again and again must not starve the event loop.
      if (passage !== null) await Promise.race([new Promise((resolve) => setImmediate(resolve)), hold.givenUp]);
      if (passage === null || hold.signal.aborted) {
        void asked.then(discard);
        playAbort(handler, hold.reason);
      } else if (passage.kind === "refuse") playAnswer(handler, passage.answer, String(options.method));
      else if (passage.kind === "throw") playError(handler, passage.error);
    } catch (error) {
      // The body's own error, as a stream or generator of the caller threw it.
      playError(handler, error);
    } finally {
      hold.close();
      this.#holds.delete(dispatcher, hold);
    }
  }

  /** The decision, null where the caller gave up before it. One that takes long is such that callers give up. */
  async #decided({ options, handler }: Journey, hold: Hold, asked: Promise<Passage>): Promise<Passage | null> {
    const signalled = options.signal !== undefined && options.signal !== null;
    const timer = signalled
      ? undefined
      : setTimeout(introduce, LONG_MS, handler, (reason: unknown) => hold.giveUp(reason)).unref();
    try {
      return await Promise.race([asked, hold.givenUp]);
    } finally {
      clearTimeout(timer);
    }
  }

  #bodyAtHand({ options, wantsBody }: Journey, headers: Readonly<Record<string, string>>): Cargo | null {
    if (!wantsBody || options.upgrade) return bodyUnseen(options.body);
    return bodyAtHand(options.body, isForm(headers["content-type"]), this.#limits);
  }

  #collect({ options }: Journey, headers: Readonly<Record<string, string>>, givenUp: Promise<null>): Promise<Cargo> {
    const declared = headers["content-length"];
    const kind = { length: declared === undefined ? null : Number(declared), form: isForm(headers["content-type"]) };
    return collectBody(options.body, kind, this.#limits, givenUp);
  }

  #depart(
    { dispatcher, original, options, handler, address }: Journey,
    passage: Extract<Passage, { kind: "go" }>,
    headers: UndiciHeaders,
    read: Readonly<Record<string, string>>,
    cargo: Cargo,
  ): void {
    // Only a body that was seen can have been reshaped.
    const rewritten = cargo.bytes === null ? null : passage.body;
    const body = rewritten === null ? cargo.send : reshaped(options.body, rewritten);
    const next: Record<string | symbol, unknown> = { ...options, [SEEN]: true };
    if (passage.path !== undefined && cargo.bytes !== null) {
      next.path = repointed(String(options.path), withoutQuery(options, address.path), passage.path);
      delete next.query;
    }
    if (body !== options.body) {
      next.body = body;
      const mocked = options[MOCK_BODY];
      if (MOCK_BODY in options && rewritten !== null) next[MOCK_BODY] = reshaped(mocked, rewritten);
      else if (MOCK_BODY in options && mocked === options.body) next[MOCK_BODY] = body;
    }
    const remove = new Set(passage.removeHeaders);
    const removing = Object.keys(read).some((name) => remove.has(name));
    if (removing || rewritten !== null) next.headers = headers.edited({ remove, length: rewritten?.length ?? null });
    else if (options.headers !== undefined) next.headers = headers.replay();

    // undici lets go of a stream that it did not send to its end; of one that is replayed, it knows nothing.
    const replayed = cargo.bytes === null && body !== options.body;
    const tap = replayed ? new OnceTap(passage.tap, cargo.release) : new OnceTap(passage.tap);
    const mirrored = mirror(handler, tap);
    this.#mirrored.add(mirrored);
    let gone = false;
    const leave = (): void => {
      if (gone) return;
      gone = true;
      try {
        passing(() => original.call(dispatcher, next, mirrored));
      } catch (error) {
        tap.fail(failureOf(error));
        playError(handler, error);
      }
    };
    try {
      passage.run(leave);
    } finally {
      leave();
    }
  }
}

/** The path as the options have it: a query of theirs is kept beside it. */
const withoutQuery = ({ query }: Options, path: string): string =>
  typeof query === "object" && query !== null ? path.slice(0, path.indexOf("?")) : path;

function departureOf(
  options: Options,
  { origin, path }: Address,
  headers: Readonly<Record<string, string>>,
  { bytes: body, start }: Cargo,
): Departure {
  const seen = start === undefined ? { body } : { body, bodyStart: start };
  return Object.freeze({ transport: "undici", ...origin, method: String(options.method), path, headers, ...seen });
}

/**
 * True for undici's `DispatcherBase`, under Agent, Pool, Client and ProxyAgent, whatever a bundler called it: it owns
 * `dispatch` and the getters `closed` and `destroyed`. RetryAgent and Dispatcher1Wrapper only pass on to such a one,
 * and must not be patched: each attempt of a RetryAgent is a call of its own.
 */
function isBase(prototype: object): boolean {
  return (
    typeof Object.getOwnPropertyDescriptor(prototype, "dispatch")?.value === "function" &&
    Object.getOwnPropertyDescriptor(prototype, "closed")?.get !== undefined &&
    Object.getOwnPropertyDescriptor(prototype, "destroyed")?.get !== undefined
  );
}

const isDestroyed = (dispatcher: object): dispatcher is { destroy(callback: unknown): unknown } =>
  "destroyed" in dispatcher && dispatcher.destroyed === true && "destroy" in dispatcher;

/** undici's own error classes are out of reach; name, code and message are what programs look at. */
function closedError(message: string, code: string): Error {
  return Object.assign(new Error(message), {
    name: code === "UND_ERR_CLOSED" ? "ClientClosedError" : "ClientDestroyedError",
    code,
  });
}

/** A request that its caller aborted before it began ends in undici's own way. */
function isAborted(options: object): boolean {
  const signal = "signal" in options ? options.signal : undefined;
  return isObject(signal) && "aborted" in signal && signal.aborted === true;
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
