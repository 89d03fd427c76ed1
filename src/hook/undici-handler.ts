import { failureOf } from "./failure.ts";
import type { OnceTap } from "./once.ts";

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
  const watch = watcher(tap);
  const mirrored: Record<string, unknown> = {};
  for (const name of METHODS) {
    if (!hasMethod(handler, name)) continue;
    const before = watch.before[name];
    const after = watch.after[name];
    mirrored[name] = (...args: unknown[]): unknown => {
      before?.(args);
      try {
        return call(handler, name, ...args);
      } finally {
        after?.(args);
      }
    };
  }
  return mirrored;
}

type Watch = Readonly<Record<string, (args: unknown[]) => void>>;

function watcher(tap: OnceTap): { readonly before: Watch; readonly after: Watch } {
  let aborted = false;
  const before: Watch = {
    onConnect(args) {
      const abort = args[0];
      if (typeof abort !== "function") return;
      args[0] = (reason: unknown): unknown => {
        aborted = true;
        return abort(reason);
      };
    },
  };
  const head = (status: unknown, headers: unknown): void => {
    // Informational answers (103 Early Hints) come before the real one.
    if (typeof status === "number" && (status >= 200 || status === 101)) tap.head(status, headerRecord(headers));
  };
  const fail = (error: unknown): void => tap.fail(failureOf(error, aborted));
  const after: Watch = {
    onHeaders: ([status, headers]) => head(status, headers),
    onData: ([chunk]) => bytes(chunk, tap),
    onComplete: () => tap.end(),
    onError: ([error]) => fail(error),
    onUpgrade: ([status, headers]) => {
      head(status, headers);
      tap.end();
    },
    onResponseStart: ([, status, headers]) => head(status, headers),
    onResponseData: ([, chunk]) => bytes(chunk, tap),
    onResponseEnd: () => tap.end(),
    onResponseError: ([controller, error]) => {
      aborted ||= isAborted(controller);
      fail(error);
    },
    onRequestUpgrade: ([, status, headers]) => {
      head(status, headers);
      tap.end();
    },
  };
  return { before, after };
}

function bytes(chunk: unknown, tap: OnceTap): void {
  if (chunk instanceof Uint8Array) tap.chunk(chunk);
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
