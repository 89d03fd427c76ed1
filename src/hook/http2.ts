import type { Gatekeeper } from "./exchange.ts";
import { isExempt } from "./exempt.ts";
import { canCapture, capture } from "./http2-departure.ts";
import { Http2Hold } from "./http2-hold.ts";
import { destinationsOf, isDispatchers, type Session, targetOf } from "./http2-session.ts";
import { SessionHolds } from "./http2-sessions.ts";
import type { Limits } from "./limits.ts";
import { passing } from "./passing.ts";
import type { Method, Patches } from "./patches.ts";

/** A request that was told of, and that nothing refuses. */
const LET_GO = Symbol("let go");

type Concern = Omit<ConstructorParameters<typeof Http2Hold>[0], "stream" | "send">;

/**
 * Stands in front of every request of node:http2: whatever opened its session and in whatever way it was imported, it is
 * made by the session's `request`.
 */
export class Http2Hook {
  readonly #gatekeeper: Gatekeeper;
  readonly #patches: Patches;
  readonly #limits: Limits;
  readonly #sessions = new WeakMap<Session, SessionHolds>();
  #met = false;

  constructor(gatekeeper: Gatekeeper, patches: Patches, limits: Limits) {
    this.#gatekeeper = gatekeeper;
    this.#patches = patches;
    this.#limits = limits;
  }

  /** Meets an object that has a `goaway`: the first client session ever made shows the prototype to patch. */
  meet(emitter: object): void {
    if (this.#met) return;
    for (let at: unknown = emitter; isObject(at); at = Object.getPrototypeOf(at)) {
      if (!Object.hasOwn(at, "request") || at.constructor.name !== "ClientHttp2Session") continue;
      this.#met = true;
      this.#patch(at);
      return;
    }
  }

  #patch(prototype: object): void {
    const hook = this;
    this.#patches.apply(prototype, "request", (original) => {
      return function request(this: unknown, ...args: unknown[]): unknown {
        const concern = hook.#concern(this, args[0]);
        if (concern === null) return original.apply(this, args);
        if (concern === LET_GO) return passing(() => original.apply(this, args));
        if (concern instanceof Error) throw concern;
        return hold(concern, original, args);
      };
    });
    this.#patches.apply(prototype, "close", (original) => {
      return function close(this: unknown, ...args: unknown[]): unknown {
        const holds = hook.#sessions.get(this as Session);
        const later = (): unknown => original.call(this);
        if (holds?.postpone(later, args[0]) === true) return undefined;
        return original.apply(this, args);
      };
    });
  }

  /**
   * What is needed to hold a request; null where it is none of our business. Where this Node cannot hold any, the error to
   * refuse it with, or that it may go all the same. Never throws.
   */
  #concern(made: unknown, headers: unknown): Concern | typeof LET_GO | Error | null {
    try {
      const session = made as Session;
      const target = this.#patches.live ? targetOf(headers) : null;
      if (target === null || target.method === "CONNECT" || session.closed || session.destroyed) return null;
      const { method, protocol } = target;
      for (const destination of destinationsOf(session, target)) {
        const { hostname, port } = destination.origin;
        const concern = this.#gatekeeper.concerns(hostname, port, method, destination.path);
        if (concern === null) continue;
        if (isDispatchers(session) || isExempt()) return null;
        if (!canCapture(session)) {
          const { path } = destination;
          return this.#gatekeeper.unseen({ transport: "http2", hostname, port, method, path, sent: false }) ?? LET_GO;
        }
        const { body: wantsBody } = concern;
        const holds = this.#holdsOf(session);
        const held = { session, method, protocol, destination, wantsBody, holds };
        return { gatekeeper: this.#gatekeeper, limits: this.#limits, ...held };
      }
    } catch {
      // A request of a form that we cannot read is not ours to stop.
    }
    return null;
  }

  #holdsOf(session: Session): SessionHolds {
    const known = this.#sessions.get(session);
    if (known !== undefined) return known;
    const holds = new SessionHolds(session);
    this.#sessions.set(session, holds);
    return holds;
  }
}

/** Makes the request and keeps it back. What node:http2 throws for a request that is wrong reaches the caller. */
function hold(concern: Concern, request: Method, args: readonly unknown[]): unknown {
  const { session } = concern;
  const { stream, send } = capture(session, () => passing(() => request.apply(session, [...args])));
  // Already given up, by a signal that was aborted before, or refused by node:http2.
  if (send === null || stream.destroyed) return stream;
  try {
    new Http2Hold({ ...concern, stream, send });
  } catch {
    send();
  }
  return stream;
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
