import type { Agent, ClientRequest, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { absoluteForm, type Origin, withHost } from "./origin.ts";

/** One piece of a request that waits for a socket. */
export interface Output {
  readonly data: string | Uint8Array;
  readonly encoding: string | null | undefined;
  readonly callback: ((error?: Error | null) => void) | null | undefined;
}

/** What node:http keeps on a request, the same in Node 20 to 26, beyond what its types tell. */
export interface Internals {
  /** The header block as text, once it is fixed. */
  _header: string | null;
  _headerSent: boolean;
  outputData: Output[];
  outputSize: number;
  readonly finished: boolean;
  readonly agent: (Agent & { readonly options?: { readonly timeout?: number } }) | undefined;
  readonly timeout: number | undefined;
  readonly res: IncomingMessage | null;
}

/** A client request, its insides included. */
export type Request = ClientRequest & Internals;

/** The socket of a request, as far as the hook needs it; agents may give any duplex stream. */
export interface Connection extends Duplex {
  connecting?: boolean;
  _httpMessage?: unknown;
  setTimeout?(ms: number): unknown;
}

/** The origins that a request may be going to, the likeliest first, with the path at that origin. */
export function* destinationsOf(request: Request): Generator<{ readonly origin: Origin; readonly path: string }> {
  const { path } = request;
  const absolute = absoluteForm(path);
  if (absolute !== null) {
    yield absolute;
    return;
  }
  const protocol = request.protocol === "https:" ? "https:" : "http:";
  const hostname = request.host.includes(":") ? `[${request.host}]` : request.host.toLowerCase();
  const base: Origin = { protocol, hostname, port: protocol === "https:" ? 443 : 80 };
  const header = headerOf(request, "host");
  const named = header === undefined ? null : withHost(header, base);
  yield { origin: named ?? base, path };
  // A `host` header of the caller's own need not name the host that is connected to, nor its port.
  if (named === null || (named.hostname === hostname && named.port === base.port)) return;
  if (named.hostname !== hostname) yield { origin: { ...base, port: named.port }, path };
  yield { origin: base, path };
}

/** All headers that will leave, names in lower case. */
export function headersOf(request: Request): Record<string, string> {
  if (request._header !== null) return parseHeader(request._header);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.getHeaders())) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : String(value);
  }
  return headers;
}

/** One header; headers given as a list exist only as text. */
export function headerOf(request: Request, name: string): string | undefined {
  const value = request.getHeader(name);
  if (value !== undefined) return Array.isArray(value) ? value.join(", ") : String(value);
  return request._header === null ? undefined : parseHeader(request._header)[name];
}

function parseHeader(block: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of block.split("\r\n").slice(1)) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return headers;
}
