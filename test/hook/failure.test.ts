import { describe, expect, it } from "vitest";
import { failureOf } from "../../src/hook/failure.ts";

const named = (name: string, code?: string, cause?: unknown): Error =>
  Object.assign(new Error("failed", cause === undefined ? {} : { cause }), {
    name,
    ...(code !== undefined && { code }),
  });

describe("why a request ended", () => {
  it.each([
    ["a broken connection", named("Error", "ECONNRESET"), false, { kind: "network", code: "ECONNRESET" }],
    [
      "a failed fetch",
      named("TypeError", undefined, named("Error", "ENOTFOUND")),
      false,
      { kind: "network", code: "ENOTFOUND" },
    ],
    ["undici's header time-out", named("HeadersTimeoutError", "UND_ERR_HEADERS_TIMEOUT"), false, { kind: "timeout" }],
    ["a connect time-out", named("Error", "ETIMEDOUT"), false, { kind: "timeout", code: "ETIMEDOUT" }],
    ["AbortSignal.timeout", new DOMException("late", "TimeoutError"), true, { kind: "timeout", code: "TimeoutError" }],
    [
      "AbortSignal.timeout as node:http reports it",
      named("AbortError", "ABORT_ERR", new DOMException("late", "TimeoutError")),
      false,
      { kind: "timeout", code: "ABORT_ERR" },
    ],
    ["an abort", new DOMException("enough", "AbortError"), false, { kind: "abort", code: "AbortError" }],
    ["an abort of undici's", named("AbortError", "UND_ERR_ABORTED"), false, { kind: "abort" }],
    ["an abort with a reason of the caller's own", new TypeError("enough"), true, { kind: "abort", code: "TypeError" }],
    ["an abort with a reason that is no error", "enough", true, { kind: "abort", code: "ABORT_ERR" }],
    [
      "a code that is a number of the old DOM",
      new DOMException("x", "NetworkError"),
      false,
      { kind: "network", code: "NetworkError" },
    ],
  ] as const)("is told of %s", (_name, error, aborted, expected) => {
    expect(failureOf(error, aborted)).toMatchObject(expected);
  });
});
