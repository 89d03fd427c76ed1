import type { Attributes } from "@opentelemetry/api";
import type { Bill, Outcome } from "../call/call.ts";
import { sumCost } from "../call/cost.ts";
import type { CostConvention } from "../config.ts";
import { conventional, costs, guard } from "./attributes.ts";
import type { Arrival, Decided, Ended } from "./telemetry.ts";
import { compact, money, shortened } from "./values.ts";

/** How much money stands on a span, in nano-dollars; a logical span may carry several attempts. */
export type Parts = Bill["cost"] & { readonly wasted: number };

/** What one attempt cost, part by part. */
export function partsOf(ended: Ended): Parts {
  return { ...ended.bill.cost, wasted: ended.wasted ? ended.bill.cost.total : 0 };
}

/** Two attempts' money together. */
export const addParts = (a: Parts, b: Parts): Parts => ({ ...sumCost([a, b]), wasted: a.wasted + b.wasted });

/** Our own cost structure in USD; without `wasted` the parts sum to the total of `totalAttributes`. */
export function costAttributes(parts: Parts): Attributes {
  return compact({
    [guard.costInput]: money(parts.input),
    [guard.costOutput]: money(parts.output),
    [guard.costCacheRead]: nonzero(parts.cacheRead),
    [guard.costCacheWrite]: nonzero(parts.cacheWrite),
    [guard.costReasoning]: nonzero(parts.reasoning),
    [guard.costTools]: nonzero(parts.tools),
    [guard.costWasted]: nonzero(parts.wasted),
  });
}

/** The cost under the names that backends read. */
export function totalAttributes(parts: Parts, conventions: readonly CostConvention[]): Attributes {
  const total = money(parts.total);
  return compact({
    ...(conventions.includes("gen_ai") ? { [costs.genAi]: total } : {}),
    ...(conventions.includes("logfire") ? { [costs.logfire]: total } : {}),
    ...(conventions.includes("openinference")
      ? {
          [costs.openInferenceTotal]: total,
          [costs.openInferencePrompt]: money(parts.input + parts.cacheRead + parts.cacheWrite),
          [costs.openInferenceCompletion]: money(parts.output + parts.reasoning),
          [costs.openInferenceInput]: money(parts.input),
          [costs.openInferenceCacheRead]: nonzero(parts.cacheRead),
          [costs.openInferenceCacheWrite]: nonzero(parts.cacheWrite),
          [costs.openInferenceOutput]: money(parts.output),
          [costs.openInferenceReasoning]: nonzero(parts.reasoning),
        }
      : {}),
  });
}

/** What the answer says of itself, by the conventions. */
export function responseAttributes(arrival: Arrival, { call }: Decided, { bill, firstByteAt }: Ended): Attributes {
  return compact({
    [conventional.responseModel]: bill.model === "" || bill.model.startsWith("(") ? undefined : bill.model,
    [conventional.responseId]: bill.responseId ?? undefined,
    [conventional.finishReasons]: bill.finishReasons.length > 0 ? [...bill.finishReasons] : undefined,
    [conventional.serviceTier]: call.provider === "openai" ? (bill.serviceTier ?? undefined) : undefined,
    [conventional.timeToFirstChunk]:
      call.stream && firstByteAt !== null ? Math.max(0, firstByteAt - arrival.at) / 1000 : undefined,
  });
}

/** Tokens by the conventions: input includes cached ones, output includes reasoning. */
export function usageAttributes({ usage }: Bill): Attributes {
  return compact({
    [conventional.inputTokens]: usage.inputTokens,
    [conventional.outputTokens]: usage.outputTokens,
    [conventional.cacheReadTokens]: positive(usage.cacheReadTokens),
    [conventional.cacheCreationTokens]: positive(usage.cacheWriteTokens + usage.cacheWriteHourTokens),
    [conventional.reasoningTokens]: positive(usage.reasoningTokens),
  });
}

/** Where the figures come from and how the exchange ended, under our names. */
export function endingAttributes({ bill, outcome, work }: Ended): Attributes {
  return compact({
    [guard.costSource]: work === undefined ? bill.source : undefined,
    [guard.workId]: work === undefined ? undefined : shortened(work),
    [guard.unpriced]: bill.unpriced ? true : undefined,
    [guard.outcome]: outcome.kind,
  });
}

/** The low-cardinality error of an outcome; null where it is none. An abort is the caller's wish, not an error. */
export function errorOf(outcome: Outcome): string | null {
  // An error may come inside an answer that began well.
  if (outcome.kind === "provider-error") return outcome.status < 400 ? "error_in_answer" : String(outcome.status);
  if (outcome.kind === "network-error") return outcome.code === "" ? "network" : outcome.code;
  return outcome.kind === "timeout" ? "timeout" : null;
}

/** The HTTP status, where the provider answered. */
export function statusOf(outcome: Outcome): number | undefined {
  return outcome.kind === "network-error" ? undefined : (outcome.status ?? undefined);
}

const nonzero = (nano: number): number | undefined => (nano === 0 ? undefined : money(nano));
const positive = (tokens: number): number | undefined => (tokens > 0 ? tokens : undefined);
