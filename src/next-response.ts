/**
 * What the next response of a session may cost: by the one before it, since the conversation goes on.
 * @module
 */
import type { Call, Usage } from "./call/call.ts";
import { costOf } from "./call/cost.ts";
import { NO_ESTIMATE } from "./call/estimate.ts";
import { clean } from "./call/identity.ts";
import { canonicalModel } from "./call/model.ts";
import type { Prices } from "./call/price.ts";
import { usage } from "./call/usage.ts";

/**
 * What was answered has become part of the prompt; what was cached stays cached; and the answer is as long as the longest of
 * the session so far, of which `before` is what was expected of the last one.
 */
export function expectedNext(last: Usage, before: Usage | null): Usage {
  const longer = before !== null && before.outputTokens > last.outputTokens ? before : last;
  return usage({
    inputTokens: last.inputTokens + last.outputTokens,
    cacheReadTokens: last.cacheReadTokens,
    inputAudioTokens: last.inputAudioTokens + last.outputAudioTokens,
    inputImageTokens: last.inputImageTokens ?? 0,
    inputVideoTokens: last.inputVideoTokens ?? 0,
    cacheReadAudioTokens: last.cacheReadAudioTokens ?? 0,
    cacheReadImageTokens: last.cacheReadImageTokens ?? 0,
    outputTokens: longer.outputTokens,
    outputAudioTokens: longer.outputAudioTokens,
    ...(last.units !== undefined && { units: last.units }),
  });
}

export interface NextResponse {
  readonly attempt: string;
  /** As the session names it by now, null where it does not. */
  readonly model: string | null;
  readonly expected: Usage | null;
  /** False where the session cannot be read any more. */
  readonly metered: boolean;
  readonly prices: Prices;
}

/** The call that the next response will be, made from the one before it. */
export function nextCall(before: Call, { attempt, model, expected, metered, prices }: NextResponse): Call {
  const modelAsSent = clean(model) ?? before.modelAsSent;
  const canonical = canonicalModel(modelAsSent);
  const priced = prices.of(before.provider, modelAsSent, before.operation);
  const { inputTokens, outputTokens } = before;
  const used = expected ?? usage({ inputTokens, outputTokens });
  const estimate = {
    inputTokens: used.inputTokens,
    outputTokens: used.outputTokens,
    cost: costOf(used, priced.card),
    unpriced: priced.unpriced,
  };
  return Object.freeze({
    ...before,
    attempt,
    spending: metered ? "metered" : "unmetered",
    model: canonical,
    modelAsSent,
    subject: Object.freeze({ ...before.subject, model: canonical }),
    ...(metered ? estimate : NO_ESTIMATE),
  });
}
