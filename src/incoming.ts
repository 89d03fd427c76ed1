/**
 * The incoming HTTP request that is being served while a call is made: a default run, and, where configured headers
 * name them, its tenant and other scopes. Fastify, Express and others need no code for it.
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { subscribe } from "node:diagnostics_channel";

export interface Incoming {
  /** One per incoming request. */
  readonly id: string;
  /** Dimension → value, from the configured headers that were sent. */
  readonly identity: Readonly<Record<string, string>>;
}

/** What is used of the request. */
interface Served {
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
  readonly emit?: (...args: unknown[]) => unknown;
}

export interface Incomings {
  /** The request being served in the current async context, null outside of one. */
  current(): Incoming | null;
  /** Whether this process has served any. */
  readonly served: boolean;
}

/** Begins to watch the requests that this process serves. */
export function watchIncoming(headers: Readonly<Record<string, string>>): Incomings {
  let served = false;
  const serving = new AsyncLocalStorage<Incoming>();
  const wanted = Object.entries(headers);
  // Published synchronously before the server's own listeners run; the context ends with the request's (verified under
  // keep-alive on Node 20 to 26).
  subscribe("http.server.request.start", (message) => {
    const { request } = message as { request?: Served };
    served = true;
    const identity: Record<string, string> = {};
    for (const [dimension, header] of wanted) {
      const value = request?.headers?.[header];
      if (typeof value === "string") identity[dimension] = value;
    }
    const incoming = Object.freeze({ id: `request-${randomUUID()}`, identity });
    serving.enterWith(incoming);
    if (request !== undefined && LOSES) keepWith(request, (work) => serving.run(incoming, work));
  });
  return {
    current: () => serving.getStore() ?? null,
    get served() {
      return served;
    },
  };
}

/** From Node 24 on, what of a request's body comes later than its head is told outside of its context. */
const LOSES = Number.parseInt(process.versions.node, 10) >= 24;

/** Tells of a request's body in the request's context too: servers without a framework answer in there. */
function keepWith(request: Served, within: <T>(work: () => T) => T): void {
  const { emit } = request;
  if (emit === undefined) return;
  const value = (...args: unknown[]): unknown => within(() => Reflect.apply(emit, request, args));
  Object.defineProperty(request, "emit", { value, configurable: true, enumerable: false, writable: true });
}
