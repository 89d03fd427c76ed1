/**
 * One builder of calls for all tests: a small chat call of tenant acme; name only what the test is about.
 * @module
 */
import { type Call, type Cost, NONE, type Subject } from "../../src/call/call.ts";

export interface CallWishes extends Partial<Omit<Call, "subject" | "cost">> {
  /** Scopes and dimensions that differ; `model` and `provider` follow the call's own. */
  readonly subject?: Subject;
  /** Parts in nano-dollars; `total` is their sum. A number is all input. */
  readonly cost?: number | Partial<Omit<Cost, "total">>;
}

let attempts = 0;

/** A cost whose total is the sum of its parts, nano-dollars. */
export function aCost(parts: Partial<Omit<Cost, "total">> = {}): Cost {
  const { input = 0, output = 0, cacheRead = 0, cacheWrite = 0, reasoning = 0, tools = 0 } = parts;
  const total = input + output + cacheRead + cacheWrite + reasoning + tools;
  return Object.freeze({ input, output, cacheRead, cacheWrite, reasoning, tools, total });
}

/** A frozen call: $0.01 for 1,000 tokens in and 500 out, unless wished otherwise. Each has an attempt id of its own. */
export function aCall(wishes: CallWishes = {}): Call {
  attempts += 1;
  const { subject, cost = { input: 4_000_000, output: 6_000_000 }, ...rest } = wishes;
  const provider = rest.provider ?? "openai";
  const model = rest.model ?? "gpt-5";
  return Object.freeze({
    attempt: `attempt-${attempts}`,
    operation: "chat",
    spending: "metered",
    modelAsSent: model,
    host: "api.openai.com",
    port: 443,
    path: "/v1/chat/completions",
    runSource: "explicit",
    stream: false,
    maxTokens: 500,
    inputTokens: 1_000,
    outputTokens: 500,
    unpriced: false,
    fingerprint: "00112233445566ff",
    sdkRetry: null,
    ...rest,
    provider,
    model,
    cost: aCost(typeof cost === "number" ? { input: cost } : cost),
    subject: Object.freeze({
      tenant: "acme",
      feature: NONE,
      agent: NONE,
      user: NONE,
      run: "run-1",
      ...subject,
      model,
      provider,
    }),
  });
}
