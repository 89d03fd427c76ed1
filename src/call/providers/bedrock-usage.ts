/**
 * Reading what an answer of Amazon Bedrock used: in the words of Converse, in a model's own, in the figures that Bedrock
 * puts at the end of a stream, or in headers. Its input leaves cached tokens out; ours includes them.
 */
import type { Usage } from "../call.ts";
import { count, type Fields, fields, list, text } from "../json.ts";
import type { AnswerHead, ResponseFacts, Terms, UsageReader } from "../provider.ts";
import { isEmpty, usage } from "../usage.ts";
import { anthropicUsageReader } from "./anthropic-usage.ts";
import { guardrailUnits } from "./bedrock-guardrail.ts";
import { modelInPath, tellsModel, withoutArn } from "./bedrock-model.ts";
import { openaiUsageReader } from "./openai-usage.ts";

/** A reader for one answer of Converse or of InvokeModel, whole or streamed. */
export function bedrockUsageReader({ path, headers }: AnswerHead): UsageReader {
  const asked = modelInPath(path);
  const claude = anthropicUsageReader();
  let counted: Usage | null = null;
  let measured: Usage | null = null;
  let told: string | null = null;
  let guarded = 0;
  let stepped: readonly string[] = [];
  let { tier, speed: latency } = termsAbove(headers);
  const finishReasons: string[] = [];
  const failures: string[] = [];

  const take = (json: unknown): void => {
    const event = fields(json);
    if (event === null) return;
    // An event of Converse has its content under its own name; a whole answer stands by itself.
    const body = fields(event.metadata) ?? fields(event.messageStop) ?? event;
    guarded += guardrailUnits(fields(body.trace)?.guardrail) + guardrailUnits(body["amazon-bedrock-trace"]);
    // Where it steps in before the model is asked, that is all there is.
    if (body["amazon-bedrock-guardrailAction"] === "INTERVENED") stepped = ["guardrail_intervened"];
    const routed = text(fields(fields(body.trace)?.promptRouter)?.invokedModelId);
    told = routed === null ? told : withoutArn(routed);
    tier = text(fields(body.serviceTier)?.type) ?? tier;
    latency = text(fields(body.performanceConfig)?.latency) ?? latency;
    finishReasons.push(...reasons(body));
    failures.push(...Object.keys(event).filter((name) => /exception$|error$/i.test(name)));
    counted = bodyUsage(body) ?? counted;
    const metrics = fields(body["amazon-bedrock-invocationMetrics"]);
    if (metrics !== null) measured = metricsUsage(metrics);
    if (ofClaude(body)) claude.take(json);
  };

  const facts = (): ResponseFacts => {
    const anthropic = claude.facts();
    // Titan's stream may leave its input out, which the figures at its end have.
    const figures = counted !== null && (counted.inputTokens > 0 || measured === null) ? counted : measured;
    const whole = figures ?? headerUsage(headers);
    const own = whole === null || isEmpty(whole) ? [] : [{ model: null, usage: whole }];
    const used = anthropic.portions.length === 0 ? own : anthropic.portions.map(here(anthropic.model));
    const checked = usage({ units: { guardrailUnits: guarded } });
    const portions = guarded === 0 ? used : [...used, { model: null, usage: checked }];
    const ended = anthropic.portions.length === 0 ? finishReasons : anthropic.finishReasons;
    const broken = portions.length === 0 ? failures : [];
    return {
      portions,
      // A name that was asked for has its region in it, and with that its price; the one that answers has not.
      model: asked !== null && tellsModel(asked) ? null : (told ?? maker(anthropic.model)),
      responseId: anthropic.responseId ?? headers["x-amzn-requestid"] ?? null,
      // Bedrock measures a stream when it is over.
      finishReasons:
        ended.length + stepped.length === 0 && measured !== null ? ["end"] : [...stepped, ...ended, ...broken],
      terms: termsOf(tier ?? anthropic.terms.tier, latency),
      webSearches: anthropic.webSearches,
      fileSearches: 0,
    };
  };

  return { take, facts };
}

/** Claude's own answers: messages, and the events that they stream as. */
const ofClaude = (body: Fields): boolean => typeof body.type === "string" && CLAUDE.test(body.type);
const CLAUDE = /^(message|content_block)/;

/** A portion of another model than the one that answered keeps its name, as Bedrock calls it. */
function here(whole: string | null): (portion: ResponseFacts["portions"][number]) => ResponseFacts["portions"][number] {
  return ({ model, usage: used }) => ({ model: model === whole ? null : maker(model), usage: used });
}

/** Claude names itself as its maker does; Bedrock puts the maker first. */
const maker = (model: string | null): string | null =>
  model?.startsWith("claude-") === true ? `anthropic.${model}` : model;

/** The terms of service as the price rules know them. */
export function termsOf(tier: string | null, latency: string | null): Terms {
  return { tier, speed: latency === "optimized" ? latency : null, region: null };
}

/** What stands above the body of an invocation, and above its answer. */
export const termsAbove = (headers: AnswerHead["headers"]): Terms =>
  termsOf(headers["x-amzn-bedrock-service-tier"] ?? null, headers["x-amzn-bedrock-performanceconfig-latency"] ?? null);

/** Why the model stopped, in whatever words its maker has for it. */
function reasons(body: Fields): readonly string[] {
  const places = [body, ...list(body.results), ...list(body.outputs), ...list(body.choices)];
  return places.flatMap((place) => {
    const { stopReason, stop_reason, completionReason, finish_reason } = fields(place) ?? {};
    return text(stopReason) ?? text(stop_reason) ?? text(completionReason) ?? text(finish_reason) ?? [];
  });
}

/** The figures of a body that is not Claude's own, null where it has none. */
function bodyUsage(body: Fields): Usage | null {
  const told = fields(body.usage);
  if (told !== null) {
    if (told.inputTokens !== undefined) return converseUsage(told);
    return told.prompt_tokens === undefined ? null : openaiUsage(told);
  }
  // Llama, Titan, and Cohere in its own API.
  const billed = fields(fields(body.meta)?.billed_units);
  const output = count(body.generation_token_count) + count(body.totalOutputTextTokenCount) + results(body);
  const input = count(body.prompt_token_count) + count(body.inputTextTokenCount) + count(billed?.input_tokens);
  const found = usage({ inputTokens: input, outputTokens: output + count(billed?.output_tokens) });
  return isEmpty(found) ? null : found;
}

function openaiUsage(told: Fields): Usage | null {
  const reader = openaiUsageReader("chat");
  reader.take({ usage: told });
  return reader.facts().portions[0]?.usage ?? null;
}

/** Titan counts each of its answers. */
const results = (body: Fields): number =>
  list(body.results).reduce<number>((sum, result) => sum + count(fields(result)?.tokenCount), 0);

function converseUsage(told: Fields): Usage {
  const read = count(told.cacheReadInputTokens) || count(told.cacheReadInputTokenCount);
  const written = count(told.cacheWriteInputTokens) || count(told.cacheWriteInputTokenCount);
  const hour = list(told.cacheDetails).reduce<number>((sum, item) => {
    const detail = fields(item);
    return detail?.ttl === "1h" ? sum + count(detail.inputTokens) : sum;
  }, 0);
  return withCache(count(told.inputTokens), count(told.outputTokens), read, written, Math.min(hour, written));
}

/** `amazon-bedrock-invocationMetrics`, in the last event of every invocation that streams. */
function metricsUsage(told: Fields): Usage {
  const read = count(told.cacheReadInputTokenCount);
  const written = count(told.cacheWriteInputTokenCount);
  return withCache(count(told.inputTokenCount), count(told.outputTokenCount), read, written, 0);
}

/** What InvokeModel says above a body, for models whose own words have no figures. */
function headerUsage(headers: AnswerHead["headers"]): Usage | null {
  const of = (name: string): number => count(Number(headers[`x-amzn-bedrock-${name}-token-count`] ?? 0));
  const read = of("cache-read-input");
  const written = of("cache-write-input");
  const found = withCache(of("input"), of("output"), read, written, 0);
  return isEmpty(found) ? null : found;
}

function withCache(fresh: number, output: number, read: number, written: number, hour: number): Usage {
  return usage({
    inputTokens: fresh + read + written,
    outputTokens: output,
    cacheReadTokens: read,
    cacheWriteTokens: written - hour,
    cacheWriteHourTokens: hour,
  });
}

/** The same reader, whose answers are priced as what was asked for: that name has the region in it. */
export function asAsked(reader: UsageReader): UsageReader {
  const facts = (): ResponseFacts => {
    const found = reader.facts();
    const portions = found.portions.map(here(found.model));
    return { ...found, portions, model: null, terms: termsOf(found.terms.tier, null) };
  };
  return { take: reader.take, facts };
}
