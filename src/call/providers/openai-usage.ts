/**
 * Reading what an OpenAI response used. Its input includes cached tokens and its output includes reasoning.
 * Dialects of compatible providers that change the count are read too.
 */
import type { Operation, Usage } from "../call.ts";
import { count, type Fields, fields, list, text } from "../json.ts";
import type { ResponseFacts, UsageReader } from "../provider.ts";
import { isEmpty, usage } from "../usage.ts";

/** A reader for one response, whole or streamed; the last usage wins, because counts in a stream are running totals. */
export function openaiUsageReader(operation: Operation): UsageReader {
  let counted: Usage | null = null;
  let model: string | null = null;
  let responseId: string | null = null;
  let tier: string | null = null;
  const finishReasons: string[] = [];
  const webSearches = new Set<string>();
  const fileSearches = new Set<string>();

  /** Only a search costs; opening a page that was found does not (developers.openai.com/api/docs/pricing, tools). */
  const countTool = (item: Fields | null): void => {
    if (item === null) return;
    const id = text(item.id) ?? `#${webSearches.size + fileSearches.size}`;
    const action = text(fields(item.action)?.type);
    if (item.type === "web_search_call" && (action === null || action === "search")) webSearches.add(id);
    if (item.type === "file_search_call") fileSearches.add(id);
  };

  const take = (json: unknown): void => {
    const outer = fields(json);
    if (outer === null) return;
    if (outer.type === "response.output_item.done") {
      countTool(fields(outer.item));
      return;
    }
    const body = fields(outer.response) ?? outer;
    model = text(body.model) ?? model;
    responseId = text(body.id) ?? responseId;
    tier = text(body.service_tier) ?? tier;
    for (const choice of list(body.choices)) {
      const reason = text(fields(choice)?.finish_reason);
      if (reason !== null) finishReasons.push(reason);
    }
    if (operation === "responses") {
      for (const item of list(body.output)) countTool(fields(item));
      const status = text(body.status);
      if (status !== null && status !== "in_progress" && status !== "queued") finishReasons.splice(0, 1, status);
    }
    const told = fields(body.usage) ?? fields(fields(body.x_groq)?.usage);
    if (told !== null) counted = readUsage(told);
  };

  const facts = (): ResponseFacts => {
    const searches = webSearches.size + (counted !== null && searchesAlways(operation, model) ? 1 : 0);
    const whole =
      counted === null || isEmpty(counted)
        ? null
        : usage({ ...counted, webSearches: searches, fileSearches: fileSearches.size });
    return {
      portions: whole === null ? [] : [{ model: null, usage: whole }],
      model,
      responseId,
      finishReasons,
      terms: { tier, speed: null, region: null },
      webSearches: webSearches.size,
      fileSearches: fileSearches.size,
    };
  };

  return { take, facts };
}

/** Chat models named `-search-` look something up for every answer and count no calls of it. */
function searchesAlways(operation: Operation, model: string | null): boolean {
  return operation === "chat" && model !== null && /-search-(preview|api)/.test(model);
}

function readUsage(told: Fields): Usage {
  const inputDetails = fields(told.prompt_tokens_details) ?? fields(told.input_tokens_details);
  const outputDetails = fields(told.completion_tokens_details) ?? fields(told.output_tokens_details);
  const input = count(told.prompt_tokens) || count(told.input_tokens);
  const output = count(told.completion_tokens) || count(told.output_tokens);
  const reasoning = count(outputDetails?.reasoning_tokens);
  // xAI leaves reasoning out of completion_tokens but not out of total_tokens.
  const leftOut = count(told.total_tokens) === input + output + reasoning ? reasoning : 0;
  return usage({
    inputTokens: input,
    outputTokens: output + leftOut,
    // DeepSeek and Moonshot have names of their own for cached input.
    cacheReadTokens:
      count(inputDetails?.cached_tokens) || count(told.prompt_cache_hit_tokens) || count(told.cached_tokens),
    cacheWriteTokens: count(inputDetails?.cache_write_tokens),
    reasoningTokens: reasoning,
    inputAudioTokens: count(inputDetails?.audio_tokens),
    outputAudioTokens: count(outputDetails?.audio_tokens),
    // OpenRouter bills what it reports (openrouter.ai/docs, usage accounting).
    reportedCost: typeof told.cost === "number" && told.cost >= 0 ? told.cost : null,
  });
}
