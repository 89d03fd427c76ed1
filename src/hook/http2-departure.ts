import { internal, type Session, type Stream, symbolOf } from "./http2-session.ts";
import type { Method } from "./patches.ts";

/** A request that node:http2 has made and not sent. */
export interface Captured {
  readonly stream: Stream;
  /** Sends it; null where node:http2 has already refused to. */
  readonly send: (() => void) | null;
}

/** True where this Node keeps requests back in the way that `capture` makes use of. */
export const canCapture = (session: Session): boolean => symbolOf(session, "kPendingRequestCalls") !== undefined;

/**
 * Lets node:http2 make a request as it does while a session connects: the stream is genuine and takes writes, and what
 * would send it waits in the session's list of calls, which is ours for this moment.
 */
export function capture(session: Session, make: () => unknown): Captured {
  const pending = symbolOf(session, "kPendingRequestCalls");
  if (pending === undefined) throw new Error("this Node keeps no requests back");
  const calls: (() => void)[] = [];
  const before: unknown = Reflect.get(session, pending);
  Reflect.set(session, pending, calls);
  Object.defineProperty(session, "connecting", { value: true, configurable: true });
  try {
    const stream = make() as Stream;
    return { stream, send: calls[0] ?? null };
  } finally {
    Reflect.deleteProperty(session, "connecting");
    Reflect.set(session, pending, before);
  }
}

/** Changes of the headers of a request on its way: names in lower case, and the length of a new body. */
export interface HeaderEdit {
  readonly remove: ReadonlySet<string>;
  readonly length: number | null;
  /** Another `:path`. */
  readonly path?: string | undefined;
}

/** Runs `send` so that what it gives to nghttp2 is changed: the headers are a text there, made long before. */
export function edited(session: Session, edit: HeaderEdit, send: () => void): void {
  const handle = internal(session, "kHandle");
  const same = edit.remove.size === 0 && edit.length === null && edit.path === undefined;
  if (typeof handle !== "object" || handle === null || same) {
    send();
    return;
  }
  const request = Reflect.get(handle, "request") as Method;
  Object.defineProperty(handle, "request", {
    configurable: true,
    value(this: unknown, headers: unknown, ...rest: unknown[]): unknown {
      return request.call(this, isBlock(headers) ? editBlock(headers, edit) : headers, ...rest);
    },
  });
  try {
    send();
  } finally {
    Reflect.deleteProperty(handle, "request");
  }
}

/** `name NUL value NUL flag` for each header, and how many there are (`buildNgHeaderString` in lib/internal/http2). */
type Block = readonly [string, number];

const isBlock = (value: unknown): value is Block =>
  Array.isArray(value) && typeof value[0] === "string" && typeof value[1] === "number";

function editBlock([text, count]: Block, { remove, length, path }: HeaderEdit): Block {
  const changed = new Map<string, string>();
  if (length !== null) changed.set("content-length", String(length));
  if (path !== undefined) changed.set(":path", path);
  let left = "";
  let kept = 0;
  let seen = 0;
  for (let at = 0; at < text.length; seen += 1) {
    const middle = text.indexOf("\0", at);
    const end = text.indexOf("\0", middle + 1);
    if (middle < 0 || end < 0) return [text, count];
    const name = text.slice(at, middle);
    const after = end + 2;
    if (!remove.has(name)) {
      const value = changed.get(name);
      left += value === undefined ? text.slice(at, after) : `${name}\0${value}\0${text.slice(end + 1, after)}`;
      kept += 1;
    }
    at = after;
  }
  return seen === count ? [left, kept] : [text, count];
}
