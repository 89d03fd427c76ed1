/**
 * Reading what an OpenAI response used. Its input includes cached tokens and its output includes reasoning.
 * Dialects of compatible providers that change the count are read too.
 */
import type { Operation, Units, Usage } from "../call.ts";
import { count, type Fields, fields, list, text } from "../json.ts";
import type { ResponseFacts, UsageReader, Work } from "../provider.ts";
import { isEmpty, NO_USAGE, sumUnits, usage } from "../usage.ts";
import { isMedia, picturesIn } from "./openai-media.ts";
import { createToolCounter, isPreviewSearch, pictureUsage } from "./openai-tools.ts";

/** Figures of a compatible provider's usage that have names of its own; what is left out is as read the usual way. */
export type OwnUsage = (told: Fields, body: Fields, usual: Usage) => Partial<Usage>;

/** A reader for one response, whole or streamed; the last usage wins, because counts in a stream are running totals. */
export function openaiUsageReader(operation: Operation, own?: OwnUsage): UsageReader {
  let counted: Usage | null = null;
  let work: Work | null = null;
  let model: string | null = null;
  let responseId: string | null = null;
  let tier: string | null = null;
  const finishReasons: string[] = [];
  const tools = createToolCounter();

  const take = (json: unknown): void => {
    const outer = fields(json);
    if (outer === null) return;
    if (outer.type === "response.output_item.done") {
      tools.item(fields(outer.item));
      return;
    }
    const body = fields(outer.response) ?? outer;
    model = text(body.model) ?? model;
    responseId = text(body.id) ?? responseId;
    tier = text(body.service_tier) ?? tier;
    // So end conversations with Mistral.
    if (outer.type === "conversation.response.done") finishReasons.push("completed");
    // An error ends a stream as surely as a reason does: what came until then is all there is.
    if (fields(body.error) !== null) finishReasons.push("error");
    for (const choice of list(body.choices)) {
      const reason = text(fields(choice)?.finish_reason);
      if (reason !== null) finishReasons.push(reason);
    }
    if (operation === "responses") {
      tools.response(body);
      work = workOf(body) ?? work;
      const status = text(body.status) ?? endOf(text(outer.type));
      if (status !== null && status !== "in_progress" && status !== "queued") finishReasons.splice(0, 1, status);
    }
    const told = fields(body.usage) ?? fields(fields(body.x_groq)?.usage);
    if (isMedia(operation)) {
      const media = mediaUsage(operation, body, told);
      const said = told === null || own === undefined ? {} : own(told, body, media ?? NO_USAGE);
      counted = media === null && Object.keys(said).length === 0 ? counted : usage({ ...media, ...said });
      // The last event of a stream of pictures, speech or a transcript tells what was used.
      if (told !== null && text(outer.type) !== null) finishReasons.push("completed");
      return;
    }
    if (told === null) return;
    const usual = readUsage(told);
    counted = own === undefined ? usual : usage({ ...usual, ...own(told, body, usual) });
  };

  const facts = (): ResponseFacts => {
    const { webSearches, fileSearches, units, pictures } = tools.counts(model);
    const always = counted === null ? null : searchesAlways(operation, model);
    const searches = webSearches + (always === "now" ? 1 : 0);
    const pieces = always === "before" ? sumUnits(units ?? {}, { searches: 1 }) : units;
    return {
      portions:
        counted === null || isEmpty(counted)
          ? []
          : [{ model: null, usage: withTools(counted, searches, fileSearches, pieces) }, ...pictures],
      model,
      responseId,
      finishReasons,
      terms: { tier, speed: null, region: null },
      webSearches,
      fileSearches,
      ...(pictures.length > 0 && { drawn: pictures }),
      ...(work !== null && { work }),
    };
  };

  return { take, facts };
}

/** An answer that is made in the background goes on, whoever reads it, until it says that it has ended. */
function workOf(body: Fields): Work | null {
  const id = text(body.id);
  const status = text(body.status);
  const pending = status === "queued" || status === "in_progress";
  return id !== null && status !== null && body.background === true ? { id, done: !pending } : null;
}

/** The usage of the model with what its tools did; pieces that it was billed for itself stand. */
function withTools(counted: Usage, searches: number, fileSearches: number, units: Units | null): Usage {
  const webSearches = counted.webSearches + searches;
  return usage({ ...counted, webSearches, fileSearches, ...(units !== null && { units }) });
}

/**
 * Chat models named `-search-` look something up for every answer and count no calls of it: those of before at the
 * price of the preview, those of now at that of every search.
 */
function searchesAlways(operation: Operation, model: string | null): "before" | "now" | null {
  if (operation !== "chat" || model === null || !/-search-(preview|api)/.test(model)) return null;
  return isPreviewSearch(model) ? "before" : "now";
}

/** `response.completed` ends a stream, also where a server leaves the status out of the response. */
const endOf = (event: string | null): string | null =>
  /^response\.(completed|incomplete|failed|cancelled)$/.exec(event ?? "")?.[1] ?? null;

/** What a media answer says was used, or shows: pictures that are billed each, seconds that were heard. */
function mediaUsage(operation: Operation, body: Fields, told: Fields | null): Usage | null {
  if (operation === "images") {
    const used = told === null ? NO_USAGE : pictureUsage(told);
    const images = picturesIn(body);
    // A usage may tell no more than what the pictures cost.
    const units = isEmpty(used) && images > 0 ? { units: { images } } : {};
    const whole = usage({ ...used, ...units, reportedCost: costIn(told) });
    return isEmpty(whole) ? null : whole;
  }
  // `verbose_json` writes the length as a number or as a text.
  const seconds = told?.type === "duration" ? told.seconds : body.duration;
  const audioSeconds = count(Number(seconds));
  if (told !== null && told.type !== "duration") return readUsage(told);
  return audioSeconds === 0 ? null : usage({ units: { audioSeconds } });
}

/** The usage of one model in the words of chat completions, responses and their likes. */
export function readUsage(told: Fields): Usage {
  const inputDetails =
    fields(told.prompt_tokens_details) ?? fields(told.input_tokens_details) ?? fields(told.input_token_details);
  const outputDetails = fields(told.completion_tokens_details) ?? fields(told.output_tokens_details);
  const input = count(told.prompt_tokens) || count(told.input_tokens);
  const output = count(told.completion_tokens) || count(told.output_tokens);
  // Voyage and Jina tell no more than a total of what they read.
  const read = input === 0 && output === 0 ? count(told.total_tokens) : input;
  const reasoning = count(outputDetails?.reasoning_tokens);
  // xAI leaves reasoning out of completion_tokens but not out of total_tokens.
  const leftOut = count(told.total_tokens) === input + output + reasoning ? reasoning : 0;
  // DeepSeek and Moonshot have names of their own for cached input.
  const cached = count(inputDetails?.cached_tokens) || count(told.prompt_cache_hit_tokens) || count(told.cached_tokens);
  return usage({
    // More was read from the cache than was read at all: xAI's models on Azure count the cached beside the input.
    inputTokens: cached > read ? read + cached : read,
    outputTokens: output + leftOut,
    cacheReadTokens: cached,
    cacheWriteTokens: count(inputDetails?.cache_write_tokens),
    reasoningTokens: reasoning,
    inputAudioTokens: count(inputDetails?.audio_tokens),
    outputAudioTokens: count(outputDetails?.audio_tokens),
    reportedCost: costIn(told),
  });
}

/** USD. Zero is no bill: gateways write it where they have no price, or where another bills. */
const costIn = (told: Fields | null): number | null =>
  typeof told?.cost === "number" && told.cost > 0 ? told.cost : null;
