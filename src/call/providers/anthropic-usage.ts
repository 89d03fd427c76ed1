/**
 * Reading what an Anthropic response used. Its `input_tokens` leave cached ones out; ours include them.
 * A stream tells its input in `message_start` and running totals in `message_delta`.
 */
import type { Usage } from "../call.ts";
import { count, type Fields, fields, list, text } from "../json.ts";
import type { Portion, ResponseFacts, UsageReader } from "../provider.ts";
import { isEmpty, usage } from "../usage.ts";

/** The usage of one message, as its start and its deltas tell it. */
interface Message {
  readonly told: Record<string, unknown>;
  model: string | null;
  /** Whether code was run in a container, new or kept from an earlier answer. */
  ranCode: boolean;
}

/** A reader for one response, whole or streamed. */
export function anthropicUsageReader(): UsageReader {
  // A gateway that retries upstream may splice two messages into one stream; both were paid for.
  const messages = new Map<string, Message>();
  let current: Message | null = null;
  let responseId: string | null = null;
  const finishReasons: string[] = [];

  const begin = (body: Fields): Message => {
    responseId = text(body.id) ?? responseId;
    const known = messages.get(responseId ?? "");
    if (known !== undefined) return known;
    const fresh: Message = { told: {}, model: text(body.model), ranCode: false };
    messages.set(responseId ?? "", fresh);
    return fresh;
  };

  const take = (json: unknown): void => {
    const event = fields(json);
    if (event === null) return;
    const body = fields(event.message) ?? event;
    if (event.type === "message_start" || event.type === "message") current = begin(body);
    const reason = text(fields(event.delta)?.stop_reason) ?? text(body.stop_reason);
    if (reason !== null) finishReasons.push(reason);
    const told = fields(body.usage);
    const container = fields(body.container) ?? fields(fields(event.delta)?.container);
    if (told === null && container === null) return;
    current ??= begin(body);
    if (container !== null) current.ranCode = true;
    if (told === null) return;
    merge(current.told, told);
  };

  const facts = (): ResponseFacts => {
    const all = [...messages.values()];
    const last = all.at(-1);
    const portions = all.flatMap(portionsOf).filter((portion) => !isEmpty(portion.usage));
    return {
      portions,
      model: last === undefined ? null : servedModel(last),
      responseId,
      finishReasons,
      terms: {
        tier: text(last?.told.service_tier),
        speed: text(last?.told.speed),
        region: text(last?.told.inference_geo),
      },
      webSearches: portions.reduce((sum, portion) => sum + portion.usage.webSearches, 0),
      fileSearches: 0,
    };
  };

  return { take, facts };
}

/** A later figure replaces an earlier one; what a delta does not repeat stands. */
function merge(told: Record<string, unknown>, next: Fields): void {
  for (const [name, value] of Object.entries(next)) if (value !== null && value !== undefined) told[name] = value;
}

/** After a fallback the stream's first event still names the model that declined. */
function servedModel(message: Message): string | null {
  const served = list(message.told.iterations)
    .map(fields)
    .findLast((step) => step?.type === "fallback_message");
  return text(served?.model) ?? message.model;
}

/**
 * The message itself, and what was billed beside it: compaction and advisor steps are listed under `iterations` and are
 * no part of the top-level figures (platform.claude.com/docs, compaction and advisor tool, "usage").
 */
function portionsOf(message: Message): readonly Portion[] {
  const whole: Portion = { model: servedModel(message), usage: withCode(readUsage(message.told), message.ranCode) };
  const beside = list(message.told.iterations).flatMap((item): readonly Portion[] => {
    const step = fields(item);
    if (step === null || step.type === "fallback_message") return [];
    const model = text(step.model);
    // Steps of the message are summed at the top, except those of a model that handed over to another.
    if (step.type === "message" && (model === null || model === whole.model)) return [];
    // A model that declines before it says anything is not billed (platform.claude.com/docs, refusals and fallback).
    if (step.type === "message" && count(step.output_tokens) === 0) return [];
    return [{ model: model ?? message.model, usage: readUsage(step) }];
  });
  return [whole, ...beside];
}

/** Web searches are billed each and pages that are fetched are not; code is billed by the session. */
const withCode = (used: Usage, ranCode: boolean): Usage =>
  ranCode && !isEmpty(used) ? usage({ ...used, units: { codeSessions: 1 } }) : used;

function readUsage(told: Fields): Usage {
  const written = count(told.cache_creation_input_tokens);
  const read = count(told.cache_read_input_tokens);
  const hour = hourTokens(fields(told.cache_creation), written);
  return usage({
    inputTokens: count(told.input_tokens) + read + written,
    outputTokens: count(told.output_tokens),
    cacheReadTokens: read,
    cacheWriteTokens: written - hour,
    cacheWriteHourTokens: hour,
    reasoningTokens: count(fields(told.output_tokens_details)?.thinking_tokens),
    webSearches: count(fields(told.server_tool_use)?.web_search_requests),
  });
}

/**
 * How much of what was written lives an hour. The split comes with the start of a stream, the total grows until its end:
 * what came later is split as the start was, the dearer way where the start says both.
 */
function hourTokens(split: Fields | null, written: number): number {
  const hour = count(split?.ephemeral_1h_input_tokens);
  const minutes = count(split?.ephemeral_5m_input_tokens);
  return hour === 0 ? 0 : Math.min(written, Math.max(hour, written - minutes));
}
