import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { absoluteForm, type Origin, originOf, withHost } from "./origin.ts";

export type Session = ClientHttp2Session;
export type Stream = ClientHttp2Stream;

/** What a request says of itself before it is made. */
export interface Target {
  readonly method: string;
  readonly path: string;
  /** Null where the session's own counts. */
  readonly authority: string | null;
  /** What a stream is to become: `websocket` (RFC 8441). Null for all others. */
  readonly protocol: string | null;
}

/** Reads the pseudo-headers of a request, given as an object or as a flat list; null for a form that node:http2 refuses. */
export function targetOf(headers: unknown): Target | null {
  if (headers !== undefined && headers !== null && typeof headers !== "object") return null;
  const read = (name: string): string | null => {
    const value = Array.isArray(headers) ? listed(headers, name) : Reflect.get(headers ?? {}, name);
    return value === undefined || value === null ? null : String(value);
  };
  const authority = read(":authority") ?? read("host");
  const protocol = read(":protocol");
  // An extended CONNECT stands for the GET that is upgraded over HTTP/1.1; without a protocol it opens a tunnel.
  const method = protocol === null ? (read(":method") ?? "GET") : "GET";
  return { method, path: read(":path") ?? "/", authority, protocol };
}

function listed(list: readonly unknown[], name: string): unknown {
  for (let at = 0; at + 1 < list.length; at += 2) if (list[at] === name) return list[at + 1];
  return undefined;
}

/** The origins that a request may be going to, the likeliest first, with the path at that origin. */
export function* destinationsOf(
  session: Session,
  { authority, path }: Target,
): Generator<{ readonly origin: Origin; readonly path: string }> {
  const absolute = absoluteForm(path);
  if (absolute !== null) {
    yield absolute;
    return;
  }
  const base = originOf(`${internal(session, "protocol")}//${internal(session, "authority")}`);
  if (base === null) return;
  const named = authority === null ? null : withHost(authority, base);
  if (named !== null) yield { origin: named, path };
  if (named?.hostname !== base.hostname || named.port !== base.port) yield { origin: base, path };
}

/** All headers that will leave but the pseudo-headers, names in lower case. `host` is the authority. */
export function headersOf(stream: Stream): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(stream.sentHeaders)) {
    if (value === undefined) continue;
    const key = name === ":authority" ? "host" : name.toLowerCase();
    if (!key.startsWith(":")) headers[key] = Array.isArray(value) ? value.join(", ") : String(value);
  }
  return headers;
}

/** node:http2 keeps these on a session under symbols of the same names in Node 20 to 26. */
type Internal = "kPendingRequestCalls" | "kHandle" | "state" | "socket" | "protocol" | "authority" | "client";

/** The symbol of something that is kept on a session, undefined where this Node has none of the name. */
export function symbolOf(session: object, name: Internal): symbol | undefined {
  return Object.getOwnPropertySymbols(session).find(({ description }) => description === name);
}

/** What is kept on a session under a symbol. */
export function internal(session: object, name: Internal): unknown {
  const symbol = symbolOf(session, name);
  return symbol === undefined ? undefined : Reflect.get(session, symbol);
}

/** True for a session inside a dispatcher of undici, whose requests were looked at before they came here. */
export function isDispatchers(session: object): boolean {
  const client = internal(session, "client");
  return typeof client === "object" && client !== null && "dispatch" in client;
}

/** True once the other side has said that it takes no more requests on this session. */
export function isSentAway(session: object): boolean {
  const state = internal(session, "state");
  return typeof state === "object" && state !== null && "goawayCode" in state && typeof state.goawayCode === "number";
}

/** True when the connection below is gone. */
export function isCutOff(session: Stream["session"]): boolean {
  if (session === undefined || session.destroyed) return true;
  const socket = internal(session, "socket");
  return typeof socket !== "object" || socket === null || ("destroyed" in socket && socket.destroyed === true);
}
