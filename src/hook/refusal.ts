/**
 * A refusal as the caller expects it: one HTTP answer that every SDK shows and none retries, or a thrown error.
 * @module
 */
import { BudgetExceededError, type RefusalDetail } from "../errors.ts";
import type { Answer } from "./exchange.ts";

/** Whose clients must be able to read the answer: each looks for the message at a place of its own. */
export type Dialect = "openai" | "anthropic" | "google" | "bedrock" | "ollama";

/**
 * 402 with `x-should-retry: false` and no `retry-after`: the one form that no tested SDK retries or waits on. The body
 * repeats `type` and `message` at the top, because Anthropic's, Bedrock's and Groq's clients read them there.
 */
export function refusalAnswer(reason: string, detail: RefusalDetail, dialect: Dialect = "openai"): Answer {
  const message = refusalMessage(reason);
  const body = Buffer.from(JSON.stringify({ type: "error", ...errorOf(dialect, message, detail), message }));
  return Object.freeze({
    status: STATUS,
    reason: "Payment Required",
    headers: Object.freeze({
      "content-type": "application/json",
      "content-length": String(body.length),
      "x-should-retry": "false",
      "x-budget-guard": "deny",
      // Of the errors that Bedrock declares, the one that AWS's clients do not try again.
      ...(dialect === "bedrock" && { "x-amzn-errortype": "ServiceQuotaExceededException" }),
    }),
    body,
  });
}

const STATUS = 402;

/** What stands under `error`, and beside it. */
function errorOf(dialect: Dialect, message: string, detail: RefusalDetail): Readonly<Record<string, unknown>> {
  // Ollama's clients show `error` as it is (docs.ollama.com/api, "Errors").
  if (dialect === "ollama") return { error: message, budget_guard: detail };
  const error = { type: "budget_exceeded", code: "budget_exceeded", param: null, message, budget_guard: detail };
  // Google's errors name their HTTP status and a status of their own (cloud.google.com/apis/design/errors).
  return { error: dialect === "google" ? { ...error, code: STATUS, status: "RESOURCE_EXHAUSTED" } : error };
}

/** The same refusal for code that calls fetch itself and asked for errors. */
export function refusalError(reason: string, detail: RefusalDetail): BudgetExceededError {
  return new BudgetExceededError(refusalMessage(reason), detail);
}

const refusalMessage = (reason: string): string => `budget-guard refused this call: ${reason}`;
