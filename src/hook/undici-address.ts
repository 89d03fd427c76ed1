import { absoluteForm, isAddress, type Origin, originOf, withHost } from "./origin.ts";
import { UndiciHeaders } from "./undici-headers.ts";

/** The options of one dispatch; callers of every age pass more than these. */
export type Options = Readonly<Record<string | symbol, unknown>>;

/** Where a dispatch goes, as far as it says. */
export interface Address {
  readonly origin: Origin;
  readonly path: string;
}

const clientOrigins = new WeakMap<object, string | null>();

/** The addresses that a dispatch may be going to, the likeliest first; all but the first are rare. */
export function* addressesOf(dispatcher: object, options: Options): Generator<Address> {
  const target = pathOf(options);
  const absolute = absoluteForm(target);
  if (absolute !== null) {
    yield absolute;
    return;
  }
  const connected = clientOrigin(dispatcher);
  const named = textOf(options.origin) ?? connected;
  const origin = named === null ? null : originOf(named);
  if (origin === null) return;
  yield { origin, path: target };

  // undici's `dns` interceptor puts an IP address in the place of the name, which stays in these two.
  if (typeof options.servername === "string") {
    yield { origin: { ...origin, hostname: options.servername.toLowerCase() }, path: target };
  }
  if (isAddress(origin.hostname)) {
    const host = UndiciHeaders.peek(options.headers)?.host;
    const virtual = host === undefined ? null : withHost(host, origin);
    if (virtual !== null) yield { origin: virtual, path: target };
  }
  // A Client or Pool connects where it was made for, whatever origin the request names.
  const real = connected === null || connected === named ? null : originOf(connected);
  if (real !== null) yield { origin: real, path: target };
}

function pathOf(options: Options): string {
  const path = typeof options.path === "string" ? options.path : "/";
  const { query } = options;
  if (typeof query !== "object" || query === null) return path;
  const pairs = Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]);
  return `${path}?${new URLSearchParams(pairs)}`;
}

/** The origin that a Client or Pool was made for: undici keeps it under a symbol of its own, called `url` in 5 to 8. */
function clientOrigin(dispatcher: object): string | null {
  const known = clientOrigins.get(dispatcher);
  if (known !== undefined) return known;
  const symbol = Object.getOwnPropertySymbols(dispatcher).find(({ description }) => description === "url");
  const found = symbol === undefined ? null : textOf(Reflect.get(dispatcher, symbol));
  clientOrigins.set(dispatcher, found);
  return found;
}

function textOf(origin: unknown): string | null {
  if (typeof origin === "string") return origin;
  if (typeof origin !== "object" || origin === null) return null;
  return "origin" in origin && typeof origin.origin === "string" ? origin.origin : null;
}
