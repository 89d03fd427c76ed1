/**
 * What is below the hooks: a request to a provider that none of them saw is told of, and broken off where it shall be.
 *
 *     undici  `undici:request:create`         before its first byte, whatever copy, client or bundle made it
 *     http    `http.client.request.created`   Node 22.12 on; shows the prototype to patch, so that the request is judged
 *             `http.client.request.start`     its bytes are with the socket already
 *     http2   `http2.client.stream.created`   Node 24 on; likewise
 *     sockets the first bytes written to a provider by none of these: safety-net-sockets.ts
 *
 * Channels cannot wait and hand out no body: what they find can be broken off or let go, not judged. A request that a hook
 * let through is made inside `passing`, so that nothing is told twice, and other hosts cost one look at a number.
 */
import { channel, subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Gatekeeper, Sighting } from "./exchange.ts";
import { isExempt } from "./exempt.ts";
import type { HttpHook } from "./http.ts";
import { destinationsOf, type Request } from "./http-request.ts";
import type { Http2Hook } from "./http2.ts";
import * as http2 from "./http2-session.ts";
import { quietly } from "./once.ts";
import { absoluteForm, isAddress, type Origin, originOf, withHost } from "./origin.ts";
import { isPassing } from "./passing.ts";

/** Where others find which subscriber is ours: whoever asks whether somebody traces undici does not mean us. */
const OURS = Symbol.for("budget-guard.subscriber");

/** undici's own record of a request, as its versions 5 to 8 show it. */
interface UndiciRequest {
  readonly origin?: unknown;
  readonly path?: unknown;
  readonly method?: unknown;
  readonly host?: unknown;
  readonly servername?: unknown;
  onError?(error: Error): void;
  onResponseError?(error: Error): void;
}

type Place = { readonly origin: Origin; readonly path: string };

/** Listens below the hooks. */
export class SafetyNet {
  readonly #gatekeeper: Gatekeeper;
  readonly #http: HttpHook;
  readonly #http2: Http2Hook;
  readonly #listeners: ReadonlyMap<string, (message: unknown) => void>;

  constructor(gatekeeper: Gatekeeper, hooks: { readonly http: HttpHook; readonly http2: Http2Hook }) {
    this.#gatekeeper = gatekeeper;
    this.#http = hooks.http;
    this.#http2 = hooks.http2;
    this.#listeners = new Map([
      ["undici:request:create", this.#listener("request", (request) => this.#undici(request))],
      ["http.client.request.created", this.#listener("request", (request) => this.#http.meet(request))],
      ["http.client.request.start", this.#listener("request", (request) => this.#started(request as Request))],
      ["http2.client.stream.created", this.#listener("stream", (stream, message) => this.#stream(stream, message))],
    ]);
  }

  /** Begins to listen. */
  cast(): void {
    for (const [name, listener] of this.#listeners) {
      subscribe(name, listener);
      Reflect.set(channel(name), OURS, listener);
    }
  }

  /** Ends it. */
  draw(): void {
    for (const [name, listener] of this.#listeners) {
      unsubscribe(name, listener);
      Reflect.deleteProperty(channel(name), OURS);
    }
  }

  /** What fails in a subscriber would be an uncaught exception of the application. */
  #listener(part: string, look: (found: object, message: object) => void): (message: unknown) => void {
    return (message) => {
      if (isPassing() || typeof message !== "object" || message === null) return;
      const found: unknown = Reflect.get(message, part);
      if (typeof found === "object" && found !== null) quietly(() => look(found, message));
    };
  }

  #undici(request: UndiciRequest): void {
    const method = String(request.method);
    // A tunnel spends nothing; what goes through it is a request of its own.
    if (method === "CONNECT") return;
    const error = this.#told(placesOf(request), { transport: "undici", method, sent: false });
    if (error === null) return;
    if (request.onError !== undefined) request.onError(error);
    else request.onResponseError?.(error);
  }

  #started(request: Request): void {
    if (this.#http.knows(request) || request.method === "CONNECT") return;
    const error = this.#told(destinationsOf(request), { transport: "http", method: request.method, sent: true });
    if (error !== null) request.destroy(error);
  }

  #stream(stream: object, message: object): void {
    const { session } = stream as http2.Stream;
    const target = http2.targetOf(Reflect.get(message, "headers"));
    if (session === undefined || target === null || http2.isDispatchers(session)) return;
    this.#http2.meet(session);
    if (target.method === "CONNECT") return;
    const places = http2.destinationsOf(session as http2.Session, target);
    const error = this.#told(places, { transport: "http2", method: target.method, sent: true });
    if (error !== null) (stream as http2.Stream).destroy(error);
  }

  #told(places: Iterable<Place>, of: Pick<Sighting, "transport" | "method" | "sent">): Error | null {
    for (const { origin, path } of places) {
      const { hostname, port } = origin;
      if (this.#gatekeeper.concerns(hostname, port, of.method ?? "", path) === null) continue;
      return isExempt() ? null : this.#gatekeeper.unseen({ ...of, hostname, port, path });
    }
    return null;
  }
}

/** Where a request of undici goes: as `addressesOf` finds it before, from what is left of it. */
function* placesOf({ origin, path, host, servername }: UndiciRequest): Generator<Place> {
  const target = String(path);
  const absolute = absoluteForm(target);
  if (absolute !== null) {
    yield absolute;
    return;
  }
  const base = originOf(String(origin));
  if (base === null) return;
  yield { origin: base, path: target };
  if (typeof servername === "string") {
    yield { origin: { ...base, hostname: servername.toLowerCase() }, path: target };
  }
  const virtual = isAddress(base.hostname) && typeof host === "string" ? withHost(host, base) : null;
  if (virtual !== null) yield { origin: virtual, path: target };
}
