import type { Gatekeeper } from "./exchange.ts";
import { isExempt } from "./exempt.ts";
import { lasting, writtenOnce } from "./gather.ts";
import { HttpHold } from "./http-hold.ts";
import { type Connection, destinationsOf, type Request } from "./http-request.ts";
import type { Limits } from "./limits.ts";
import type { Method, Patches } from "./patches.ts";

/** Events of a request that tell how its response goes. */
const TELLING: ReadonlySet<unknown> = new Set([
  "socket",
  "continue",
  "response",
  "upgrade",
  "timeout",
  "error",
  "close",
]);

/**
 * Stands in front of every request of node:http and node:https: whatever agent, client library or import form made it,
 * it is a ClientRequest, and goes nowhere before its `onSocket`.
 */
export class HttpHook {
  readonly #gatekeeper: Gatekeeper;
  readonly #patches: Patches;
  readonly #limits: Limits;
  /** Null for requests that are none of our business. */
  readonly #holds = new WeakMap<object, HttpHold | null>();
  /** With what each request was given to its agent, for one whose socket is closed while it is held. */
  readonly #asked = new WeakMap<object, { readonly addRequest: Method; readonly args: readonly unknown[] }>();
  readonly #agents = new WeakSet<object>();
  /** node:http's own `onSocket`; its being there says that the prototype is patched. */
  #onSocket: Method | null = null;

  constructor(gatekeeper: Gatekeeper, patches: Patches, limits: Limits) {
    this.#gatekeeper = gatekeeper;
    this.#patches = patches;
    this.#limits = limits;
  }

  /** Meets an object that has an `onSocket`: the first ClientRequest ever made shows the prototype to patch. */
  meet(emitter: object): void {
    if (this.#onSocket !== null) return;
    for (let at: unknown = emitter; isObject(at); at = Object.getPrototypeOf(at)) {
      if (Object.hasOwn(at, "onSocket") && at.constructor.name === "ClientRequest") {
        this.#patch(at);
        return;
      }
    }
  }

  /** Whether a request was looked at, be it that it is none of our business. */
  knows(request: object): boolean {
    return this.#holds.has(request);
  }

  #patch(prototype: object): void {
    const hook = this;
    this.#patches.apply(prototype, "onSocket", (original) => {
      this.#onSocket = original;
      return function onSocket(this: unknown, socket: unknown, error: unknown): unknown {
        const hold = hook.#holdOf(this);
        if (hold?.takeSocket(socket as Connection | undefined, error) === true) return undefined;
        return original.call(this, socket, error);
      };
    });
    this.#patches.apply(prototype, "write", (original) => {
      return function write(this: unknown, chunk: unknown, encoding: unknown, callback: unknown): unknown {
        const hold = hook.#open(this);
        if (hold?.held !== true) return original.call(this, chunk, encoding, callback);
        const plain = typeof encoding !== "function";
        const written = writtenOnce(plain ? callback : encoding);
        const piece = lasting(chunk);
        const room = original.call(this, piece, plain ? encoding : undefined, written);
        safely(hold, () => {
          hold.piece(piece, encoding);
          hold.taken(written, room === false);
        });
        return room;
      };
    });
    this.#patches.apply(prototype, "end", (original) => {
      return function end(this: unknown, chunk: unknown, encoding: unknown, callback: unknown): unknown {
        const hold = hook.#open(this);
        const ended = original.call(this, chunk, encoding, callback);
        if (hold?.held === true) {
          safely(hold, () => {
            if (chunk && typeof chunk !== "function") hold.piece(chunk, encoding);
            hold.finish();
          });
        }
        return ended;
      };
    });
    this.#patches.apply(prototype, "destroy", (original) => {
      return function destroy(this: unknown, error: unknown): unknown {
        const hold = isObject(this) && !(this as Request).destroyed ? hook.#holds.get(this) : null;
        const destroyed = original.call(this, error);
        hold?.destroyed();
        return destroyed;
      };
    });
    this.#patches.apply(prototype, "setTimeout", (original) => {
      return function setTimeout(this: unknown, ms: unknown, callback: unknown): unknown {
        const set = original.call(this, ms, callback);
        const hold = isObject(this) ? hook.#holds.get(this) : null;
        if (hold?.held === true && typeof ms === "number") hold.setTimeout(ms);
        return set;
      };
    });
    this.#patches.apply(prototype, "emit", (original) => {
      return function emit(this: unknown, ...args: unknown[]): unknown {
        const hold = TELLING.has(args[0]) && isObject(this) ? hook.#holds.get(this) : null;
        if (!hold) return original.apply(this, args);
        if (args[0] === "continue" && hold.invited) return true;
        if (args[0] === "error") hold.failed();
        return hold.watch.event(args[0], args[1], args.slice(2), () => original.apply(this, args));
      };
    });
  }

  /** Meets the agent of a request: what its next requests are given to it with is kept. */
  #meetAgent(agent: unknown): void {
    for (let at = agent; isObject(at); at = Object.getPrototypeOf(at)) {
      if (!Object.hasOwn(at, "addRequest")) continue;
      if (this.#agents.has(at)) return;
      this.#agents.add(at);
      const asked = this.#asked;
      this.#patches.apply(at, "addRequest", (addRequest) => {
        return function addRequestOf(this: unknown, ...args: unknown[]): unknown {
          if (isObject(args[0])) asked.set(args[0], { addRequest, args });
          return addRequest.apply(this, args);
        };
      });
      return;
    }
  }

  #reconnect(request: Request): boolean {
    const asked = this.#asked.get(request);
    if (asked === undefined || request.agent === undefined) return false;
    asked.addRequest.apply(request.agent, [...asked.args]);
    return true;
  }

  /** The hold of a request that can still be written to. */
  #open(request: unknown): HttpHold | null {
    if (!isObject(request) || (request as Request).finished || (request as Request).destroyed) return null;
    return this.#holdOf(request);
  }

  /** The hold of a request, made when it is first met: mostly inside its constructor, when it asks for a socket. */
  #holdOf(request: unknown): HttpHold | null {
    if (!isObject(request)) return null;
    const known = this.#holds.get(request);
    if (known !== undefined) return known;
    let hold: HttpHold | null = null;
    try {
      if (this.#patches.live) hold = this.#hold(request as Request);
    } catch {
      // A request of a form that we cannot read is not ours to stop.
    }
    this.#holds.set(request, hold);
    return hold;
  }

  #hold(request: Request): HttpHold | null {
    const onSocket = this.#onSocket;
    // A request that its caller aborted before it began ends in node:http's own way.
    if (onSocket === null || request.destroyed || request.method === "CONNECT") return null;
    for (const destination of destinationsOf(request)) {
      const { hostname, port } = destination.origin;
      const concern = this.#gatekeeper.concerns(hostname, port, request.method, destination.path);
      if (concern === null) continue;
      if (isExempt()) return null;
      this.#meetAgent(request.agent);
      return new HttpHold({
        gatekeeper: this.#gatekeeper,
        limits: this.#limits,
        request,
        destination,
        wantsBody: concern.body,
        attach: (socket, error) => onSocket.call(request, socket, error),
        reconnect: () => this.#reconnect(request),
      });
    }
    return null;
  }
}

/** Runs our part of a method that the application called: what fails there must not reach it. */
function safely(hold: HttpHold, fn: () => void): void {
  try {
    fn();
  } catch {
    hold.surrender();
  }
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
