/**
 * A name for the API key that a request is sent with, so that calls can be counted by it: a piece of its hash, never the key.
 */
import { hash } from "node:crypto";
import { NONE } from "./call.ts";

/** Headers in which providers take a key: Anthropic, Azure, Google; OpenAI and most others take it as a bearer. */
const HEADERS = ["x-api-key", "api-key", "x-goog-api-key"] as const;

/** A process calls with few keys, and holds them itself as long as it does. */
const MOST_KNOWN = 64;
const known = new Map<string, string>();

/** `key-` and 12 hex digits of the key's SHA-256, `(none)` for a request without one. Header names are lower case; `path` has the query. */
export function keyName(headers: Readonly<Record<string, string | undefined>>, path = ""): string {
  const key =
    bearer(headers.authorization) ?? HEADERS.map((name) => trimmed(headers[name])).find((one) => one !== null);
  return named(key ?? inQuery(path));
}

/** Google takes its key as `?key=` too, and Azure as `?api-key=` where a browser opens a session. */
const inQuery = (path: string): string | null => trimmed(/[?&](?:api-)?key=([^&#]*)/i.exec(path)?.[1]);

function named(key: string | null): string {
  if (key === null) return NONE;
  let name = known.get(key);
  if (name === undefined) {
    name = `key-${hash("sha256", key, "hex").slice(0, 12)}`;
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(key, name);
  }
  return name;
}

/** The credential after the scheme; other schemes (Basic, AWS4-HMAC-SHA256) carry no key that is the same every time. */
function bearer(authorization: string | undefined): string | null {
  const found = /^\s*bearer\s+(\S.*)$/is.exec(authorization ?? "")?.[1];
  return trimmed(found);
}

function trimmed(value: string | undefined): string | null {
  const plain = value?.trim() ?? "";
  return plain === "" ? null : plain;
}
