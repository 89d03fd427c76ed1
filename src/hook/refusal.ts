/**
 * A refusal as the caller expects it: one HTTP answer that every SDK shows and none retries, or a thrown error.
 * @module
 */
import { BudgetExceededError, type RefusalDetail } from "../errors.ts";
import type { Answer } from "./exchange.ts";

/**
 * 402 with `x-should-retry: false` and no `retry-after`: the one form that no tested SDK retries or waits on. The body
 * repeats `type` and `message` at the top, because Anthropic's and Groq's clients read them there.
 */
export function refusalAnswer(reason: string, detail: RefusalDetail): Answer {
  const message = refusalMessage(reason);
  const body = Buffer.from(
    JSON.stringify({
      type: "error",
      error: { type: "budget_exceeded", code: "budget_exceeded", param: null, message, budget_guard: detail },
      message,
    }),
  );
  return Object.freeze({
    status: 402,
    reason: "Payment Required",
    headers: Object.freeze({
      "content-type": "application/json",
      "content-length": String(body.length),
      "x-should-retry": "false",
      "x-budget-guard": "deny",
    }),
    body,
  });
}

/** The same refusal for code that calls fetch itself and asked for errors. */
export function refusalError(reason: string, detail: RefusalDetail): BudgetExceededError {
  return new BudgetExceededError(refusalMessage(reason), detail);
}

const refusalMessage = (reason: string): string => `budget-guard refused this call: ${reason}`;
