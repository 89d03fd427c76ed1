/**
 * How a provider's host is named in settings: `llm.internal`, `llm.internal:8443`, `[::1]:8443`.
 */
import { ConfigError } from "../errors.ts";

export interface HostAddress {
  /** Lower case, without brackets. */
  readonly hostname: string;
  /** Null where every port is meant. */
  readonly port: number | null;
}

/** Splits `host:port`, with `[v6]:port` too. */
export function splitAddress(address: string): HostAddress {
  const match = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(address);
  const port = match?.[2] === undefined ? null : Number(match[2]);
  return { hostname: (match?.[1] ?? address).replace(/^\[|\]$/g, "").toLowerCase(), port };
}

/** The same for a name that a person wrote; ConfigError where no request could ever fit it. */
export function namedAddress(address: string): HostAddress {
  const split = splitAddress(address);
  const isPort = split.port === null || (split.port > 0 && split.port < 65_536);
  if (/^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i.test(address) && isPort) return split;
  throw new ConfigError(`"${address}" is no host of a provider; write ${inPlaceOf(address)}.`);
}

/** Whoever writes a base address means its host and port. */
function inPlaceOf(address: string): string {
  const url = address.includes("://") && URL.canParse(address) ? new URL(address) : null;
  if (url === null || url.hostname === "") return "host or host:port, as in llm.internal:8443";
  const port = url.port === "" ? (url.protocol === "http:" ? "80" : "443") : url.port;
  return `${url.hostname}:${port}`;
}
