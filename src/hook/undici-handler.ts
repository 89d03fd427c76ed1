import { failureOf } from "./failure.ts";
import type { OnceTap } from "./once.ts";
import { followUpgrade } from "./websocket.ts";

/** A dispatch handler of either of undici's two shapes: `onConnect ...` up to 7, `onRequestStart ...` from 7 on. */
export type Handler = Readonly<Record<string, unknown>>;

const METHODS = [
  ...["onConnect", "onUpgrade", "onResponseStarted", "onHeaders", "onData", "onComplete", "onError"],
  ...["onRequestStart", "onRequestUpgrade", "onResponseStart", "onResponseData", "onResponseEnd", "onResponseError"],
  ...["onBodySent", "onRequestSent"],
];

/** True for an object that undici can tell of an error; others it refuses by itself. */
export const isHandler = (value: unknown): value is Handler =>
  typeof value === "object" && value !== null && (hasMethod(value, "onError") || hasMethod(value, "onResponseError"));

/** True for the shape of undici 7 and later. */
export const isNewStyle = (handler: Handler): boolean => hasMethod(handler, "onRequestStart");

/** Calls a method of a handler, if it has it, as undici would. */
export function call(handler: Handler, name: string, ...args: unknown[]): unknown {
  const method = handler[name];
  return typeof method === "function" ? Reflect.apply(method, handler, args) : undefined;
}

/**
 * A handler with exactly the methods of the caller's: each runs the caller's own first, on the caller's own object,
 * and hands back what it returned; then the tap is told.
 */
export function mirror(handler: Handler, tap: OnceTap): Handler {
  const notes = noting(tap);
  // A caller may end the request from inside its method: what came first is told first all the same.
  let waiting: (() => void)[] = [];
  const mirrored: Record<string, unknown> = {};
  for (const name of METHODS) {
    if (!hasMethod(handler, name)) continue;
    const note = notes[name];
    mirrored[name] = (...args: unknown[]): unknown => {
      const telling = note?.(args);
      if (telling !== undefined) waiting.push(telling);
      try {
        return call(handler, name, ...args);
      } finally {
        const due = waiting;
        waiting = [];
        for (const tell of due) tell();
      }
    };
  }
  return mirrored;
}

/** For each method: what is to be told after the caller has had it, as it was before. */
type Notes = Readonly<Record<string, (args: unknown[]) => (() => void) | undefined>>;

function noting(tap: OnceTap): Notes {
  let aborted = false;
  // undici shows a request to its handler right before it writes it, and does not write what is aborted in that moment
  // (`onConnect` in lib/core/request.js, `writeH1` in lib/dispatcher/client-h1.js).
  let unsent = true;
  const shown = (): void => {
    if (!aborted) unsent = false;
  };
  const head = (status: unknown, headers: unknown): (() => void) | undefined => {
    // Informational answers (103 Early Hints) come before the real one.
    if (typeof status !== "number" || (status < 200 && status !== 101)) return undefined;
    return () => tap.head(status, headerRecord(headers));
  };
  const chunk = (bytes: unknown): (() => void) | undefined =>
    bytes instanceof Uint8Array ? () => tap.chunk(bytes) : undefined;
  const fail = (error: unknown): (() => void) => {
    const failure = failureOf(error, aborted);
    return () => tap.fail(unsent ? { ...failure, unsent } : failure);
  };
  const upgrade = (status: unknown, headers: unknown, socket: unknown): (() => void) | undefined => {
    // Over HTTP/2 a WebSocket is answered with 200, and without an `upgrade` (RFC 8441).
    const told = { ...(status === 200 && { upgrade: "websocket" }), ...headerRecord(headers) };
    if (followUpgrade(tap, told, socket)) return undefined;
    return () => {
      head(status, headers)?.();
      tap.end();
    };
  };
  return {
    onConnect(args) {
      const abort = args[0];
      if (typeof abort !== "function") return shown;
      args[0] = (reason: unknown): unknown => {
        aborted = true;
        return abort(reason);
      };
      return shown;
    },
    onRequestStart([controller]) {
      return () => {
        aborted ||= isAborted(controller);
        shown();
      };
    },
    onHeaders: ([status, headers]) => head(status, headers),
    onData: ([bytes]) => chunk(bytes),
    onComplete: () => () => tap.end(),
    onError: ([error]) => fail(error),
    onUpgrade: ([status, headers, socket]) => upgrade(status, headers, socket),
    onResponseStart: ([, status, headers]) => head(status, headers),
    onResponseData: ([, bytes]) => chunk(bytes),
    onResponseEnd: () => () => tap.end(),
    onResponseError([controller, error]) {
      aborted ||= isAborted(controller);
      return fail(error);
    },
    onRequestUpgrade: ([, status, headers, socket]) => upgrade(status, headers, socket),
  };
}

/** Raw lists of buffers (old shape) and records (new shape) alike. */
function headerRecord(headers: unknown): Record<string, string> {
  const record: Record<string, string> = {};
  const add = (name: unknown, value: unknown): void => {
    const key = String(name).toLowerCase();
    const text = Array.isArray(value) ? value.map(String).join(", ") : String(value);
    record[key] = record[key] === undefined ? text : `${record[key]}, ${text}`;
  };
  if (Array.isArray(headers)) {
    for (let at = 0; at + 1 < headers.length; at += 2) add(headers[at], headers[at + 1]);
  } else if (typeof headers === "object" && headers !== null) {
    for (const [name, value] of Object.entries(headers)) add(name, value);
  }
  return record;
}

const isAborted = (controller: unknown): boolean =>
  typeof controller === "object" && controller !== null && "aborted" in controller && controller.aborted === true;

const hasMethod = (value: object, name: string): boolean =>
  name in value && typeof Reflect.get(value, name) === "function";
