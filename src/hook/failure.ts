import type { Failure } from "./exchange.ts";

const TIMEOUTS = new Set(["ETIMEDOUT", "ESOCKETTIMEDOUT", "TimeoutError"]);
const ABORTS = new Set(["ABORT_ERR", "UND_ERR_ABORTED", "AbortError"]);

/** Why a request ended in this error. `aborted`: the caller is known to have given up, whatever the error says. */
export function failureOf(error: unknown, aborted = false): Failure {
  const code = codeOf(error);
  if (timedOut(error) || (isError(error) && timedOut(error.cause))) return { kind: "timeout", code };
  if (aborted || ABORTS.has(code) || (isError(error) && ABORTS.has(error.name))) return { kind: "abort", code };
  return { kind: "network", code };
}

function timedOut(error: unknown): boolean {
  if (!isError(error)) return false;
  const code = codeOf(error);
  return TIMEOUTS.has(code) || TIMEOUTS.has(error.name) || /^UND_ERR_.*_TIMEOUT$/.test(code);
}

function codeOf(error: unknown): string {
  if (!isError(error)) return "ABORT_ERR";
  // A DOMException's code is a number of the old DOM; its name is what people read.
  if ("code" in error && typeof error.code === "string") return error.code;
  return isError(error.cause) ? codeOf(error.cause) : error.name;
}

const isError = (value: unknown): value is Error => value instanceof Error;
