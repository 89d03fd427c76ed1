/**
 * Perplexity: OpenAI's chat with a fee for each request by how much is searched. Newer answers report their whole cost; of
 * others the dearest fee is charged, since the answer does not say what was searched.
 */
import type { Units } from "../call.ts";
import { count, fields, text } from "../json.ts";
import { compatible } from "./compatible.ts";

export const perplexity = compatible({
  name: "perplexity",
  hosts: ["api.perplexity.ai"],
  ownUsage(told, body, usual) {
    const total = fields(told.cost)?.total_cost;
    const research = /deep-research/.test(text(body.model) ?? "");
    // Counted beside the completion and the prompt; citations cost what input costs (docs.perplexity.ai, "Pricing").
    const reasoned = research ? count(told.reasoning_tokens) : 0;
    return {
      inputTokens: usual.inputTokens + (research ? count(told.citation_tokens) : 0),
      outputTokens: usual.outputTokens + reasoned,
      reasoningTokens: reasoned || usual.reasoningTokens,
      webSearches: research ? count(told.num_search_queries) : 0,
      ...(!research && { units: fee(text(body.model)) }),
      reportedCost: typeof total === "number" && total > 0 ? total : null,
    };
  },
  // The fee is in the estimate too.
  refine: (facts, path) =>
    isSearch(path)
      ? { ...facts, model: "search", units: { searches: 1 }, outputTokens: 0 }
      : { ...facts, units: fee(facts.model) },
  endpoint(method, path) {
    // The async API makes the same chat later; its results are fetched by GET.
    return method === "POST" && isSearch(path) ? { operation: "other", spending: "metered" } : null;
  },
  hidesReasoning: (model) => /deep-research/.test(model),
});

/** Searching without a model costs by the request (docs.perplexity.ai, "Pricing"). */
const isSearch = (path: string): boolean => /\/search(\?|$)/.test(path);

/** One fee a request, but for the model that looks nothing up; deep research counts its searches. */
const fee = (model: string | null): Units => (/r1-1776|deep-research/.test(model ?? "") ? {} : { searches: 1 });
