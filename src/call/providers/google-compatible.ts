/**
 * Google's OpenAI-compatible endpoints, whose usage leaves thoughts out of the completion, though never out of the total.
 */
import type { Operation } from "../call.ts";
import { count, fields } from "../json.ts";
import type { UsageReader } from "../provider.ts";
import { openaiUsageReader } from "./openai-usage.ts";

/** A reader of OpenAI's dialect as Google speaks it. */
export function compatibleUsageReader(operation: Operation): UsageReader {
  const inner = openaiUsageReader(operation);
  return { facts: inner.facts, take: (json) => inner.take(withThoughts(json)) };
}

function withThoughts(json: unknown): unknown {
  const body = fields(json);
  const told = fields(body?.usage);
  if (told === null) return json;
  const thoughts = count(told.total_tokens) - count(told.prompt_tokens) - count(told.completion_tokens);
  if (thoughts <= 0) return json;
  const details = { ...fields(told.completion_tokens_details), reasoning_tokens: thoughts };
  return { ...body, usage: { ...told, completion_tokens_details: details } };
}
