/**
 * Reasons that no recording in the folder needs, and that others do: shapes of answers met elsewhere. They come before the
 * rest, and may fit nothing.
 * @module
 */
import { billedByQuery } from "../../src/call/providers/google-search.ts";
import type { Compared, Reason } from "./reasons.ts";
import { answers, assembled, type Json, priceOf, theirProvider } from "./theirs.ts";

const object = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.map(object) : []);
const number = (value: unknown): number => (typeof value === "number" ? value : 0);

const usageOf = ({ item }: Compared): Json => {
  const whole = object(assembled(item));
  return object(whole.usage ?? whole.usageMetadata);
};
const tells = (compared: Compared): boolean => Object.values(usageOf(compared)).some((value) => number(value) > 0);
const isGoogle = ({ item }: Compared): boolean => ["google", "vertex"].includes(item.provider);
const candidates = ({ item }: Compared): readonly Json[] => answers(item).flatMap((one) => list(one.candidates));

/** Nano-dollars of what a Gemini answer looked up. */
function lookedUp(compared: Compared): number {
  const model = String(answers(compared.item).find(({ modelVersion }) => modelVersion)?.modelVersion);
  const grounding = candidates(compared).map(({ groundingMetadata }) => object(groundingMetadata));
  const queries = new Set(
    grounding.flatMap((one) => [one.webSearchQueries, one.imageSearchQueries].flat().filter((query) => query)),
  );
  const chunks = grounding.flatMap(({ groundingChunks }) => list(groundingChunks));
  const onMaps = chunks.some(({ maps }) => maps !== undefined);
  const read = candidates(compared).some(({ urlContextMetadata }) => urlContextMetadata !== undefined);
  const entry = grounding.some(({ searchEntryPoint }) => searchEntryPoint !== undefined);
  const onWeb = queries.size > 0 || entry || (chunks.some(({ web, image }) => web ?? image) && !read);
  if (billedByQuery(model)) return onWeb || onMaps ? 14_000_000 * Math.max(1, queries.size) : 0;
  return (onWeb ? 35_000_000 : 0) + (onMaps ? 25_000_000 : 0);
}

/** What the tier that served an answer does to the price. */
function served(compared: Compared): number {
  const told = answers(compared.item).flatMap((one) => [one.service_tier, object(one.response).service_tier]);
  const tier = String(told.findLast((one) => typeof one === "string") ?? usageOf(compared).trafficType ?? "");
  if (/flex$/i.test(tier)) return 0.5;
  return /priority$/i.test(tier) ? 2 : 1;
}

/** Steps of an answer of Claude's that are billed beside its figures: by the model that took each. */
const steps = (compared: Compared): readonly Json[] =>
  list(usageOf(compared).iterations).filter(({ type }) => type !== "message" && type !== "fallback_message");

const claudeTokens = (told: Json): Readonly<Record<string, number>> => {
  const read = number(told.cache_read_input_tokens);
  const written = number(told.cache_creation_input_tokens);
  return {
    input_tokens: number(told.input_tokens) + read + written,
    cache_read_tokens: read,
    cache_write_tokens: written,
    output_tokens: number(told.output_tokens),
  };
};

/** In order: the first that fits explains. */
export const further: readonly Reason[] = [
  {
    why: "steps of an answer that others took, or that condensed it, are billed beside its figures",
    fits: (compared) => compared.item.provider === "anthropic" && steps(compared).length > 0,
    nano: (compared) => {
      const whole = priceOf(claudeTokens(usageOf(compared)), compared.bill.model, "anthropic") ?? 0;
      return steps(compared).reduce((sum, step) => {
        const model = typeof step.model === "string" ? step.model : compared.bill.model;
        return sum + (priceOf(claudeTokens(step), model, "anthropic") ?? 0);
      }, whole);
    },
  },
  {
    why: "an answer in the words of before messages counts nothing",
    fits: ({ item, call }) => item.provider === "anthropic" && call.operation === "completions",
    nano: ({ call }) => [call.cost.input + 1, Number.MAX_SAFE_INTEGER],
  },
  {
    why: "a prompt that was turned away costs its input at most",
    fits: (compared) => !tells(compared) && /"promptFeedback"[^}]*"blockReason"/.test(compared.item.body.toString()),
    nano: ({ call }) => call.cost.input,
  },
  {
    why: "a stream that tells no usage, or only zeros, is charged its input and what came of it, or its estimate",
    fits: (compared) => compared.bill.source === "estimate" && compared.call.stream && !tells(compared),
    nano: ({ call }) => [call.cost.input, Number.MAX_SAFE_INTEGER],
  },
  {
    why: "the old picture models, and Imagen, are billed by the picture",
    fits: (compared) => compared.call.operation === "images" && !tells(compared),
    nano: ({ call }) => [1, call.cost.total],
  },
  {
    why: "a transcript is billed by the tokens heard and said, or by the second",
    fits: ({ call }) => call.operation === "transcription",
    nano: (compared) => {
      const told = usageOf(compared);
      const seconds = number(told.seconds) || number(answers(compared.item)[0]?.duration);
      const heard = number(object(told.input_token_details).audio_tokens);
      const tokens = { input_tokens: number(told.input_tokens), input_audio_tokens: heard };
      const by = priceOf({ ...tokens, output_tokens: number(told.output_tokens) }, compared.call.modelAsSent, "openai");
      if (number(told.input_tokens) > 0) return by;
      return seconds > 0 && compared.call.modelAsSent === "whisper-1"
        ? seconds * 100_000
        : [1, Number.MAX_SAFE_INTEGER];
    },
  },
  {
    why: "what Gemini looks up on the web or on the map is billed beside its tokens",
    fits: (compared) => isGoogle(compared) && compared.other.nano !== null && lookedUp(compared) > 0,
    nano: (compared) => (compared.other.nano ?? 0) * served(compared) + lookedUp(compared),
  },
  {
    why: "the tier that served decides the price, of which they have the standard one",
    fits: (compared) => compared.other.nano !== null && served(compared) !== 1,
    nano: (compared) => {
      const nano = (compared.other.nano ?? 0) * served(compared);
      // Priority costs 1.67 to 2.5 times as much.
      return served(compared) < 1 ? nano : [nano * 0.83, nano * 1.25];
    },
  },
  {
    why: "models that are named after it search for every answer",
    fits: ({ call }) => /-search-(preview|api)/.test(call.modelAsSent),
    nano: ({ call, other }) => (other.nano ?? 0) + (/^gpt-4/.test(call.modelAsSent) ? 25_000_000 : 10_000_000),
  },
  {
    why: "the table lacks the model: its maker's published price holds",
    fits: ({ call, other }) => other.nano === null && /^(davinci|babbage)-002$/.test(call.modelAsSent),
    nano: (compared) => {
      const { prompt_tokens, completion_tokens } = usageOf(compared);
      const each = compared.call.modelAsSent === "davinci-002" ? 2_000 : 400;
      return tells(compared)
        ? each * (number(prompt_tokens) + number(completion_tokens))
        : [compared.call.cost.input, Number.MAX_SAFE_INTEGER];
    },
  },
  {
    why: "an answer without a completion counts its prompt alone",
    fits: (compared) =>
      compared.call.operation === "completions" && tells(compared) && usageOf(compared).completion_tokens === undefined,
    nano: (compared) =>
      priceOf(
        { input_tokens: number(usageOf(compared).prompt_tokens) },
        compared.bill.model,
        theirProvider(compared.item),
      ),
  },
  {
    why: "more was read from the cache than was read at all: xAI's models on Azure count it beside the input",
    fits: (compared) =>
      number(object(usageOf(compared).prompt_tokens_details).cached_tokens) > number(usageOf(compared).prompt_tokens),
    nano: (compared) => {
      const { prompt_tokens, prompt_tokens_details, completion_tokens } = usageOf(compared);
      const cached = number(object(prompt_tokens_details).cached_tokens);
      const tokens = {
        input_tokens: number(prompt_tokens) + cached,
        cache_read_tokens: cached,
        output_tokens: number(completion_tokens),
      };
      return priceOf(tokens, compared.bill.model, null);
    },
  },
  {
    why: "pictures among what is embedded have a price of their own",
    fits: (compared) => isGoogle(compared) && compared.call.operation === "embeddings" && tells(compared),
    nano: ({ other }) => [other.nano ?? 1, (other.nano ?? Number.MAX_SAFE_INTEGER / 4) * 4],
  },
  {
    why: "each embedding of Vertex counts its own tokens",
    fits: ({ item }) => item.url.pathname.endsWith(":predict"),
    nano: ({ item, call }) => {
      const each = list(answers(item)[0]?.predictions).map(({ embeddings }) =>
        number(object(object(embeddings).statistics).token_count),
      );
      const tokens = { input_tokens: each.reduce((sum, one) => sum + one, 0) };
      return priceOf(tokens, call.modelAsSent, "google") ?? [1, Number.MAX_SAFE_INTEGER];
    },
  },
];
