/**
 * Reading what a Cohere answer used. What is billed stands under `billed_units`, beside greater counts of what the model read
 * (docs.cohere.com, "How Cohere's pricing works"); a stream tells it in its last event.
 */
import type { Usage } from "../call.ts";
import { count, type Fields, fields, text } from "../json.ts";
import { NOTHING_TOLD, type ResponseFacts, type UsageReader } from "../provider.ts";
import { isEmpty, usage } from "../usage.ts";
import { readUsage } from "./openai-usage.ts";

/** A reader for one response, whole or streamed. */
export function cohereUsageReader(): UsageReader {
  let counted: Usage | null = null;
  let model: string | null = null;
  let responseId: string | null = null;
  const finishReasons: string[] = [];
  return {
    take(json) {
      const event = fields(json);
      if (event === null) return;
      const body = fields(event.delta) ?? fields(event.response) ?? event;
      model = text(body.model) ?? model;
      responseId = text(event.id) ?? text(body.generation_id) ?? responseId;
      const reason = text(body.finish_reason);
      if (reason !== null) finishReasons.push(reason);
      const told = fields(body.usage) ?? fields(body.meta);
      if (told !== null) counted = billed(told) ?? counted;
    },
    facts: (): ResponseFacts => ({
      ...NOTHING_TOLD,
      portions: counted === null || nothing(counted) ? [] : [{ model: null, usage: counted }],
      model,
      responseId,
      finishReasons,
    }),
  };
}

/** Null where nothing is told: a `meta` may hold no more than a version. */
function billed(told: Fields): Usage | null {
  const units = fields(told.billed_units);
  if (units === null) return told.prompt_tokens === undefined ? null : readUsage(told);
  const searches = count(units.search_units);
  return usage({
    inputTokens: count(units.input_tokens) + count(units.image_tokens),
    outputTokens: count(units.output_tokens),
    ...(searches > 0 && { units: { searches } }),
  });
}

const nothing = (all: Usage): boolean => isEmpty(all) && all.outputTokens === 0 && all.units === undefined;
