/**
 * Where our bill of a recorded answer differs from what the other library makes of it: every reason by name, whom it fits,
 * and what the bill must be then. A reason that fits nothing recorded is an error too.
 * @module
 */
import type { Bill, Call } from "../../src/call/call.ts";
import type { Item } from "./replaying.ts";
import { answers, assembled, type Json, priceOf, type Reckoned, theirs } from "./theirs.ts";

/** One item with both reckonings. */
export interface Compared {
  readonly item: Item;
  readonly call: Call;
  readonly bill: Bill;
  readonly other: Reckoned;
}

export interface Reason {
  readonly why: string;
  fits(compared: Compared): boolean;
  /** What the bill must be in nano-dollars: a figure, or at least and at most. */
  nano(compared: Compared): number | null | readonly [least: number, most: number];
}

const object = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.map(object) : []);
const number = (value: unknown): number => (typeof value === "number" ? value : 0);

const usageOf = ({ item }: Compared): Json => object(object(assembled(item)).usage);

/** Items of a response's output that are finished, once each by their ids. */
function outputItems(item: Item): readonly Json[] {
  const found = answers(item).flatMap((one): readonly Json[] => {
    const done = one.type === "response.output_item.done" ? [object(one.item)] : [];
    return [...done, ...list(object(one.response ?? one).output)];
  });
  return [...new Map(found.map((one) => [String(one.id), one])).values()];
}

const isSearch = ({ type, action }: Json): boolean =>
  type === "web_search_call" && ["search", undefined].includes(object(action).type as string | undefined);

/** A search by the preview of the tool costs more with models that do not reason. */
function searchPrice(item: Item): number {
  const told = answers(item).map((one) => object(one.response ?? one));
  const previews = told.some(({ tools }) => list(tools).some(({ type }) => /^web_search_preview/.test(String(type))));
  return previews && told.some(({ model }) => /^gpt-[34](?!\d)/.test(String(model))) ? 25_000_000 : 10_000_000;
}

/** Nano-dollars of the tools that OpenAI bills and reports in no usage (developers.openai.com/api/docs/pricing). */
function tools(item: Item): number {
  const output = outputItems(item);
  const containers = output.flatMap(({ type, container_id }) =>
    type === "code_interpreter_call" ? [container_id] : [],
  );
  return (
    searchPrice(item) * output.filter(isSearch).length +
    2_500_000 * output.filter(({ type }) => type === "file_search_call").length +
    30_000_000 * new Set(containers).size
  );
}

const speaksOpenai = ({ item }: Compared): boolean => ["openai", "azure"].includes(item.provider);
const hasPictures = ({ item }: Compared): boolean =>
  outputItems(item).some(({ type }) => type === "image_generation_call");

/** What a provider itself says that a call cost, in USD. */
function reported(compared: Compared): number | null {
  const { cost, cost_in_usd_ticks: ticks, is_byok, cost_details } = usageOf(compared);
  if (typeof ticks === "number") return ticks / 1e10;
  if (typeof cost !== "number") return null;
  return cost + (is_byok === true ? number(object(cost_details).upstream_inference_cost) : 0);
}

/** Files whose usage holds more than its top level says, reckoned by hand: nano-dollars. */
const BY_HAND: Readonly<Record<string, { readonly why: string; readonly nano: number }>> = {
  "anthropic-advisor-20260301.1.json": {
    why: "the advisor's step at Opus 4.7 is billed beside the message at Sonnet 4.6",
    nano: 2414 * 3_000 + 3200 * 15_000 + 2728 * 5_000 + 874 * 25_000,
  },
  "anthropic-compaction.1.json": {
    why: "the compaction's step is billed beside the message",
    nano: (682 + 60_385) * 5_000 + (1320 + 592) * 25_000,
  },
  "anthropic-fallback.chunks.txt": {
    why: "the stream starts with the model that declined; the one that answered is billed",
    nano: 412 * 5_000 + 264 * 25_000,
  },
  "anthropic-tool-search-bm25.1.chunks.txt": {
    why: "two answers in one file: each is billed",
    nano: (1630 + 1040) * 3_000 + (158 + 41) * 15_000,
  },
  "anthropic-tool-search-deferred-regex.chunks.txt": {
    why: "three answers in one file: each is billed",
    nano: (904 + 1519 + 1758) * 3_000 + (175 + 211 + 118) * 15_000,
  },
  "spliced-message-start.chunks.txt": {
    why: "two messages spliced into one stream: each is billed",
    nano: (17 + 17) * 250 + (1 + 65) * 1_250,
  },
  "test_anthropic_advisor_tool_stream#0": {
    why: "the advisor's step at Opus 4.8 is billed beside the message at Sonnet 5",
    nano: 2411 * 2_000 + 145 * 10_000 + 2543 * 5_000 + 18 * 25_000,
  },
};

const byHand: readonly Reason[] = Object.entries(BY_HAND).map(([name, { why, nano }]) => ({
  why,
  fits: ({ item }) => item.provider === "anthropic" && item.name.endsWith(name),
  nano: () => nano,
}));

/** In order: the first that fits explains. */
export const reasons: readonly Reason[] = [
  ...byHand,
  {
    why: "a model that was listed under another name before its release",
    fits: ({ item, bill }) => item.url.pathname.includes("gemini-embedding-2-preview") && bill.source === "local",
    nano: ({ item }) =>
      priceOf(
        { input_tokens: number(object(answers(item)[0]?.usageMetadata).promptTokenCount) },
        "gemini-embedding-2",
        "google",
      ),
  },
  {
    why: "the provider names its price, and that is the bill",
    fits: (compared) => reported(compared) !== null,
    nano: (compared) => Math.round((reported(compared) ?? 0) * 1e9),
  },
  {
    why: "nobody bills a machine of one's own, or Ollama's subscription",
    fits: ({ item }) => ["ollama", "local"].includes(item.provider),
    nano: () => 0,
  },
  {
    why: "a stream that ends with an error is charged its input and what had come",
    fits: ({ item, bill }) => bill.source === "estimate" && answers(item).some(({ error }) => error !== undefined),
    nano: ({ call }) => [call.cost.input, call.cost.total],
  },
  {
    why: "the answer tells no usage, so the estimate stands",
    fits: ({ item, bill }) =>
      bill.source === "estimate" && !/"[uU]sage(Metadata)?"\s*:\s*\{/.test(item.body.toString()),
    nano: ({ call }) => call.cost.total,
  },
  {
    why: "pictures that a tool of a response makes cost tokens of their own, which no usage tells",
    fits: (compared) => speaksOpenai(compared) && hasPictures(compared),
    nano: ({ other, bill }) => [(other.nano ?? 0) + 1_000_000, bill.cost.total],
  },
  {
    why: "OpenAI bills web searches, file searches and containers by the piece and reports none of them in the usage",
    fits: (compared) => speaksOpenai(compared) && tools(compared.item) > 0,
    nano: ({ item, other }) => (other.nano === null ? null : other.nano + tools(item)),
  },
  {
    why: "xAI says how many of its tools were used and not what they cost: each is charged as the dearest search, $0.01",
    fits: (compared) => number(usageOf(compared).num_server_side_tools_used) > 0,
    nano: (compared) => (compared.other.nano ?? 0) + 10_000_000 * number(usageOf(compared).num_server_side_tools_used),
  },
  {
    why: "Google's compatible endpoint leaves thinking out of the completion, but not out of the total",
    fits: ({ item }) => item.provider === "google" && item.url.pathname.includes("/openai/"),
    nano: (compared) => {
      const { prompt_tokens, total_tokens } = usageOf(compared);
      const tokens = {
        input_tokens: number(prompt_tokens),
        output_tokens: number(total_tokens) - number(prompt_tokens),
      };
      return priceOf(tokens, compared.call.modelAsSent, "google");
    },
  },
  {
    why: "Groq's compound systems ask other models, which are billed by what each used",
    fits: ({ item }) => list(object(object(answers(item)[0]).usage_breakdown).models).length > 0,
    nano: ({ item }) =>
      list(object(object(answers(item)[0]).usage_breakdown).models).reduce((sum, { model, usage }) => {
        const { prompt_tokens, completion_tokens } = object(usage);
        const tokens = { input_tokens: number(prompt_tokens), output_tokens: number(completion_tokens) };
        return sum + (priceOf(tokens, String(model), "groq") ?? 0);
      }, 0),
  },
  {
    why: "Moonshot tells cached input as `cached_tokens` beside the other counts, which they do not read",
    fits: (compared) => compared.item.provider === "moonshot" && number(usageOf(compared).cached_tokens) > 0,
    nano: (compared) => {
      const { prompt_tokens, completion_tokens, cached_tokens } = usageOf(compared);
      const tokens = {
        input_tokens: number(prompt_tokens),
        cache_read_tokens: number(cached_tokens),
        output_tokens: number(completion_tokens),
      };
      return priceOf(tokens, compared.call.modelAsSent, "moonshotai");
    },
  },
  {
    why: "they read no interactions of Google's: their prices for the counts that it tells",
    fits: ({ item }) => item.url.pathname.endsWith("/interactions"),
    nano: ({ item, call }) => {
      const told = answers(item).map((one) => object(object(one.interaction).usage ?? one.usage));
      const {
        total_input_tokens,
        total_cached_tokens,
        total_output_tokens,
        total_thought_tokens,
        total_tool_use_tokens,
      } = object(told.findLast(({ total_tokens }) => total_tokens !== undefined));
      const tokens = {
        input_tokens: number(total_input_tokens) + number(total_tool_use_tokens),
        cache_read_tokens: number(total_cached_tokens),
        output_tokens: number(total_output_tokens) + number(total_thought_tokens),
      };
      return priceOf(tokens, call.modelAsSent, "google");
    },
  },
  {
    why: "Cohere bills rankings by the search, of which they have no price",
    fits: (compared) => compared.item.provider === "cohere" && compared.call.operation === "rerank",
    nano: () => 2_000_000,
  },
  {
    why: "they read no counts of embeddings that come as one total",
    fits: ({ item }) => item.provider === "voyage",
    nano: (compared) =>
      priceOf({ input_tokens: number(usageOf(compared).total_tokens) }, compared.call.modelAsSent, "voyageai"),
  },
  {
    why: "Bedrock's compatible endpoints leave the version out of the name that they list",
    fits: ({ item, call, other }) =>
      other.nano === null && item.provider === "bedrock-mantle" && /gpt-oss-\d+b$/.test(call.modelAsSent),
    nano: ({ item, call }) => theirs(item, call.operation, `${call.modelAsSent}-1:0`).nano,
  },
  {
    why: "of Bedrock's answers in OpenAI's words they do not read what was written to the cache",
    fits: (compared) =>
      compared.item.provider === "bedrock-mantle" &&
      number(object(usageOf(compared).input_tokens_details).cache_write_tokens) > 0,
    nano: (compared) => {
      const { input_tokens, input_tokens_details, output_tokens } = usageOf(compared);
      const tokens = {
        input_tokens: number(input_tokens),
        cache_write_tokens: number(object(input_tokens_details).cache_write_tokens),
        output_tokens: number(output_tokens),
      };
      return priceOf(tokens, compared.call.modelAsSent, "aws");
    },
  },
  {
    why: "they read no counts in the words of Titan",
    fits: ({ item }) => /"inputTextTokenCount"/.test(item.body.toString()),
    nano: ({ item, call }) =>
      priceOf({ input_tokens: number(answers(item)[0]?.inputTextTokenCount) }, call.modelAsSent, "aws"),
  },
  {
    why: "they list the model without a price and so make it $0: it costs the provider's dearest and is marked",
    fits: ({ bill, other }) => bill.unpriced && other.nano === 0,
    nano: () => [1, Number.MAX_SAFE_INTEGER],
  },
  {
    why: "nobody lists the model: it costs the provider's dearest, or the dearest of all, and is marked",
    fits: ({ bill, other }) => bill.unpriced && other.nano === null,
    nano: () => [1, Number.MAX_SAFE_INTEGER],
  },
  {
    why: "this provider does not list the model: its maker's price holds",
    fits: ({ bill, other }) => !bill.unpriced && other.nano === null,
    nano: ({ item, call, bill }) => theirs(item, call.operation, bill.model, null).nano,
  },
  {
    why: "they read no answers of this kind from this provider: read as OpenAI's or Anthropic's, the cost is the same",
    fits: ({ other }) => other.nano !== null && !other.theirOwn,
    nano: ({ other }) => other.nano,
  },
];
