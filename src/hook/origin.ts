/** Where a request goes. `hostname` is lower case, IPv6 in brackets, as `URL` writes it. */
export interface Origin {
  readonly protocol: "http:" | "https:";
  readonly hostname: string;
  readonly port: number;
}

/** Enough for any real process; a crawler's hosts must not pile up. */
const MOST_REMEMBERED = 500;
const remembered = new Map<string, Origin | null>();

/** The origin of a URL text, null where it is none of HTTP. Parsed once per text: this runs for every request. */
export function originOf(text: string): Origin | null {
  const known = remembered.get(text);
  if (known !== undefined) return known;
  if (remembered.size >= MOST_REMEMBERED) remembered.clear();
  const parsed = parse(text);
  remembered.set(text, parsed);
  return parsed;
}

/** A request target with another path: `from` is the one that it ends in, be it in absolute form. */
export function repointed(target: string, from: string, to: string): string {
  return target.endsWith(from) ? target.slice(0, target.length - from.length) + to : target;
}

/** Splits a request target in absolute form, as proxies get it: `http://host/path`. Null for a plain path. */
export function absoluteForm(target: string): { readonly origin: Origin; readonly path: string } | null {
  if (target.charCodeAt(0) === 0x2f || !/^https?:\/\//i.test(target)) return null;
  const origin = parse(target);
  if (origin === null) return null;
  const url = new URL(target);
  return { origin, path: url.pathname + url.search };
}

/** The origin that a `host` header names, on the protocol and, where it says none, the port of another. */
export function withHost(header: string, base: Origin): Origin | null {
  const parsed = originOf(`${base.protocol}//${header}`);
  if (parsed === null) return null;
  return /:\d+$/.test(header) ? parsed : { ...parsed, port: base.port };
}

/** True for a hostname that is an address: a name may stand in the `host` header. */
export const isAddress = (hostname: string): boolean => /^[[\d]/.test(hostname);

function parse(text: string): Origin | null {
  if (!URL.canParse(text)) return null;
  const { protocol, hostname, port } = new URL(text);
  if (protocol !== "http:" && protocol !== "https:") return null;
  return Object.freeze({ protocol, hostname, port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port) });
}
