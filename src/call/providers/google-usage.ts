/**
 * Reading what a Gemini response used. Its prompt includes cached tokens and leaves out those of tool use; its candidates
 * leave thoughts out. A stream tells running totals with every answer: the last ones count.
 */
import type { Operation, Usage } from "../call.ts";
import { count, type Fields, fields, list, text } from "../json.ts";
import type { AnswerHead, ResponseFacts, Terms, UsageReader, Work } from "../provider.ts";
import { isEmpty, usage } from "../usage.ts";
import { googleAddress } from "./google-address.ts";
import { googleTerms } from "./google-request.ts";
import { createSearchCounter } from "./google-search.ts";

/** A reader for one response, whole or streamed. */
export function googleUsageReader(operation: Operation, head: AnswerHead): UsageReader {
  const asked = googleAddress(head.path).model;
  let counted: Usage | null = null;
  /** What a later answer of a stream leaves out, an earlier one has said. */
  let told: Fields = {};
  let model: string | null = null;
  let responseId: string | null = null;
  let tier: unknown = head.headers["x-gemini-service-tier"];
  /** By candidate. */
  const finished = new Map<string, string>();
  const searches = createSearchCounter();
  let blocked = false;
  let work: Work | null = null;

  const takeCandidate = (candidate: Fields): void => {
    const reason = named(candidate.finishReason);
    if (reason !== null) finished.set(String(candidate.index ?? 0), reason);
    searches.candidate(candidate);
  };

  const takeInteraction = (interaction: Fields, streams: boolean): void => {
    const status = text(interaction.status);
    const id = text(interaction.id);
    const done = status !== null && !UNFINISHED.has(status);
    if (done) finished.set("0", status);
    // What has not ended when its answer has is made in the background; a stream has its end yet to come.
    if (id !== null && status !== null && (done || !streams)) work = { id, done };
    tier = interaction.service_tier ?? tier;
    for (const step of list(interaction.steps)) searches.step(fields(step));
    const usage = fields(interaction.usage);
    if (usage === null) return;
    counted = interactionUsage(usage);
    searches.tools(usage.grounding_tool_count);
  };

  const take = (json: unknown): void => {
    const body = fields(json);
    if (body === null) return;
    const answer = fields(body.interaction) ?? body;
    model = text(answer.modelVersion) ?? text(answer.model) ?? model;
    responseId = text(answer.responseId) ?? text(answer.id) ?? responseId;
    if (operation === "responses") {
      takeInteraction(answer, answer !== body);
      searches.step(fields(body.step) ?? fields(body.delta));
      return;
    }
    const why = named(fields(answer.promptFeedback)?.blockReason);
    if (why !== null) {
      blocked = true;
      finished.set("0", why);
    }
    for (const candidate of list(answer.candidates)) takeCandidate(fields(candidate) ?? {});
    const metadata = fields(answer.usageMetadata);
    if (metadata === null) return;
    told = { ...told, ...metadata };
    tier = told.serviceTier ?? trafficTier(told.trafficType) ?? tier;
    counted = readUsage(told);
  };

  const facts = (): ResponseFacts => {
    const { webSearches, units } = searches.counts(model ?? asked ?? "");
    const whole = counted === null || isEmpty(counted) ? null : usage({ ...counted, webSearches, ...units });
    const terms: Terms = googleTerms(tier);
    return {
      portions: whole === null ? [] : [{ model: null, usage: whole }],
      model,
      responseId,
      finishReasons: [...finished.values()],
      terms,
      webSearches,
      fileSearches: 0,
      ...(blocked && { silent: true as const }),
      ...(work !== null && { work }),
    };
  };

  return { take, facts };
}

/** States of an interaction in which it goes on. */
const UNFINISHED = new Set(["in_progress", "queued"]);

/** A name, or the number that stands for it where a client asks for `enum-encoding=int`. */
const named = (value: unknown): string | null => (typeof value === "number" ? String(value) : text(value));

/** Vertex: `ON_DEMAND_PRIORITY`, `ON_DEMAND_FLEX`. */
const trafficTier = (traffic: unknown): string | undefined => /^ON_DEMAND_(\w+)$/.exec(text(traffic) ?? "")?.[1];

function readUsage(told: Fields): Usage {
  const input = count(told.promptTokenCount) + count(told.toolUsePromptTokenCount);
  const thoughts = count(told.thoughtsTokenCount);
  const answered = count(told.candidatesTokenCount) || count(told.responseTokenCount);
  const prompt = byModality(told.promptTokensDetails ?? told.promptTokenDetails, "tokenCount");
  const tools = byModality(told.toolUsePromptTokensDetails, "tokenCount");
  return usage({
    inputTokens: input,
    // Some models leave out a part of the answer, never out of the total.
    outputTokens: Math.max(answered + thoughts, count(told.totalTokenCount) - input),
    reasoningTokens: thoughts,
    cacheReadTokens: count(told.cachedContentTokenCount),
    inputAudioTokens: prompt.audio + tools.audio,
    inputImageTokens: prompt.image + tools.image,
    inputVideoTokens: prompt.video + tools.video,
    ...cachedOf(byModality(told.cacheTokensDetails, "tokenCount")),
    ...outputOf(byModality(told.candidatesTokensDetails ?? told.responseTokensDetails, "tokenCount")),
  });
}

function interactionUsage(told: Fields): Usage {
  const prompt = byModality(told.input_tokens_by_modality, "tokens");
  const tools = byModality(told.tool_use_tokens_by_modality, "tokens");
  const input = count(told.total_input_tokens) + count(told.total_tool_use_tokens);
  const thoughts = count(told.total_thought_tokens);
  return usage({
    inputTokens: input,
    outputTokens: Math.max(count(told.total_output_tokens) + thoughts, count(told.total_tokens) - input),
    reasoningTokens: thoughts,
    cacheReadTokens: count(told.total_cached_tokens),
    inputAudioTokens: prompt.audio + tools.audio,
    inputImageTokens: prompt.image + tools.image,
    inputVideoTokens: prompt.video + tools.video,
    ...cachedOf(byModality(told.cached_tokens_by_modality, "tokens")),
    ...outputOf(byModality(told.output_tokens_by_modality, "tokens")),
  });
}

interface Modalities {
  readonly audio: number;
  readonly image: number;
  readonly video: number;
}

/** Names of modalities by the numbers that stand for them (google.ai.generativelanguage.v1beta, Modality). */
const MODALITIES: readonly string[] = ["", "text", "image", "video", "audio", "document"];

const modality = (told: unknown): string =>
  (typeof told === "number" ? MODALITIES[told] : text(told)?.toLowerCase()) ?? "";

/** Documents are read, and priced, as pictures. */
function byModality(details: unknown, key: string): Modalities {
  const sums = { audio: 0, image: 0, video: 0 };
  for (const item of list(details)) {
    const one = fields(item) ?? {};
    const name = modality(one.modality);
    if (name === "audio" || name === "video") sums[name] += count(one[key]);
    else if (name === "image" || name === "document") sums.image += count(one[key]);
  }
  return sums;
}

const cachedOf = ({ audio, image }: Modalities): Partial<Usage> => ({
  cacheReadAudioTokens: audio,
  cacheReadImageTokens: image,
});

const outputOf = ({ audio, image, video }: Modalities): Partial<Usage> => ({
  outputAudioTokens: audio,
  outputImageTokens: image,
  outputVideoTokens: video,
});
