/**
 * Whatever usage a provider tells, in its own words: the parts of the bill add up to its total, and the total is what an
 * independent calculation in whole numbers makes of the same figures and the table's prices.
 */
import { calcPrice } from "@pydantic/genai-prices";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { Bill, Operation } from "../../src/call/call.ts";
import { loadPrices, type Prices } from "../../src/call/price.ts";
import { recogniser } from "../../src/call/recognise.ts";
import { bill } from "../../src/response/bill.ts";
import { createReader } from "../../src/response/reader.ts";
import { read } from "./builders.ts";

const AT = new Date("2026-11-22T12:00:00Z");
let prices: Prices;
beforeAll(async () => {
  prices = await loadPrices({}, () => AT.getTime());
});

/** Counts as every provider means them: parts of the input and of the output, none counted twice. */
interface Told {
  readonly fresh: number;
  readonly read: number;
  readonly written: number;
  readonly writtenHour: number;
  readonly said: number;
  readonly thought: number;
  readonly searches: number;
  readonly tier: "standard" | "flex" | "priority" | "batch";
}

/** What of it a provider can tell; the rest is none. */
type Knows = Partial<Record<keyof Told, true>>;

interface Case {
  readonly name: string;
  readonly url: string;
  readonly operation: Operation;
  readonly model: string;
  /** The table's provider; null where nobody bills. */
  readonly table: string | null;
  readonly knows: Knows;
  /** The answer in the provider's words. */
  answer(told: Told): unknown;
  /** Dollars for a thousand requests, beside the tokens. */
  readonly feePerThousand?: number;
  /** What it names as its price, USD. */
  reported?(told: Told): number;
}

const all: Knows = { read: true, thought: true };

const chat = (told: Told, more: Record<string, unknown> = {}, beside: Record<string, unknown> = {}) => ({
  id: "c",
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: "x" }, finish_reason: "stop" }],
  usage: {
    prompt_tokens: told.fresh + told.read + told.written,
    completion_tokens: told.said + told.thought,
    total_tokens: told.fresh + told.read + told.written + told.said + told.thought,
    prompt_tokens_details: { cached_tokens: told.read },
    completion_tokens_details: { reasoning_tokens: told.thought },
    ...more,
  },
  ...beside,
});

const message = (told: Told) => ({
  id: "m",
  type: "message",
  content: [],
  stop_reason: "end_turn",
  usage: {
    input_tokens: told.fresh,
    cache_read_input_tokens: told.read,
    cache_creation_input_tokens: told.written + told.writtenHour,
    cache_creation: { ephemeral_5m_input_tokens: told.written, ephemeral_1h_input_tokens: told.writtenHour },
    output_tokens: told.said + told.thought,
    output_tokens_details: { thinking_tokens: told.thought },
    server_tool_use: { web_search_requests: told.searches },
    service_tier: told.tier,
  },
});

const compatible = (name: string, url: string, model: string, table: string | null, knows: Knows = all): Case => ({
  name,
  url,
  operation: "chat",
  model,
  table,
  knows,
  answer: (told) => chat(told),
});

const cases: readonly Case[] = [
  {
    ...compatible("OpenAI", "https://api.openai.com/v1/chat/completions", "gpt-5.4", "openai", { ...all, tier: true }),
    answer: (told) => chat(told, {}, { service_tier: told.tier === "standard" ? "default" : told.tier }),
  },
  {
    ...compatible("OpenAI's responses", "https://api.openai.com/v1/responses", "gpt-5.4", "openai"),
    operation: "responses",
    knows: { read: true, thought: true, searches: true },
    answer: (told) => ({
      id: "r",
      status: "completed",
      output: Array.from({ length: told.searches }, (_, index) => ({
        id: `ws_${index}`,
        type: "web_search_call",
        action: { type: "search" },
      })),
      usage: {
        input_tokens: told.fresh + told.read,
        input_tokens_details: { cached_tokens: told.read },
        output_tokens: told.said + told.thought,
        output_tokens_details: { reasoning_tokens: told.thought },
        total_tokens: told.fresh + told.read + told.said + told.thought,
      },
    }),
  },
  {
    name: "OpenAI's embeddings",
    url: "https://api.openai.com/v1/embeddings",
    operation: "embeddings",
    model: "text-embedding-3-small",
    table: "openai",
    knows: {},
    answer: (told) => ({ data: [], usage: { prompt_tokens: told.fresh, total_tokens: told.fresh } }),
  },
  {
    name: "Anthropic",
    url: "https://api.anthropic.com/v1/messages",
    operation: "messages",
    model: "claude-sonnet-5",
    table: "anthropic",
    knows: { read: true, written: true, writtenHour: true, thought: true, searches: true },
    answer: message,
  },
  {
    name: "Google",
    url: "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:generateContent",
    operation: "generate",
    model: "gemini-2.5-pro",
    table: "google",
    knows: all,
    answer: (told) => ({
      candidates: [{ content: { parts: [{ text: "x" }] }, finishReason: "STOP" }],
      usageMetadata: {
        promptTokenCount: told.fresh + told.read,
        cachedContentTokenCount: told.read,
        candidatesTokenCount: told.said,
        thoughtsTokenCount: told.thought,
        totalTokenCount: told.fresh + told.read + told.said + told.thought,
      },
      modelVersion: "gemini-2.5-pro",
    }),
  },
  {
    name: "Bedrock",
    url: "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse",
    operation: "converse",
    model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    table: "aws",
    knows: { read: true, written: true },
    answer: (told) => ({
      output: { message: { role: "assistant", content: [] } },
      stopReason: "end_turn",
      usage: {
        inputTokens: told.fresh,
        cacheReadInputTokens: told.read,
        cacheWriteInputTokens: told.written,
        outputTokens: told.said + told.thought,
      },
    }),
  },
  compatible("Azure", "https://r.openai.azure.com/openai/deployments/o4-mini/chat/completions", "o4-mini", "azure"),
  {
    ...compatible(
      "Azure's Anthropic",
      "https://r.services.ai.azure.com/anthropic/v1/messages",
      "claude-sonnet-5",
      "anthropic",
    ),
    operation: "messages",
    knows: { read: true, written: true, writtenHour: true, thought: true },
    answer: message,
  },
  compatible("Mistral", "https://api.mistral.ai/v1/chat/completions", "mistral-medium-latest", "mistral"),
  {
    ...compatible("Cohere", "https://api.cohere.com/v2/chat", "command-r7b-12-2024", "cohere", {}),
    answer: (told) => ({
      id: "c",
      finish_reason: "COMPLETE",
      message: { role: "assistant", content: [] },
      usage: {
        billed_units: { input_tokens: told.fresh, output_tokens: told.said + told.thought },
        tokens: { input_tokens: told.fresh * 3, output_tokens: told.said + told.thought },
      },
    }),
  },
  compatible("Groq", "https://api.groq.com/openai/v1/chat/completions", "openai/gpt-oss-120b", "groq"),
  {
    ...compatible("DeepSeek", "https://api.deepseek.com/chat/completions", "deepseek-reasoner", "deepseek"),
    answer: (told) => chat(told, { prompt_tokens_details: null, prompt_cache_hit_tokens: told.read }),
  },
  {
    ...compatible(
      "xAI, which counts thinking beside the completion",
      "https://api.x.ai/v1/chat/completions",
      "grok-4.3",
      "x-ai",
    ),
    answer: (told) => chat(told, { completion_tokens: told.said }),
  },
  {
    ...compatible("xAI, which names its price", "https://api.x.ai/v1/chat/completions", "grok-4.3", "x-ai"),
    answer: (told) => chat(told, { cost_in_usd_ticks: told.fresh + 1 }),
    reported: (told) => (told.fresh + 1) / 1e10,
  },
  compatible("OpenRouter", "https://openrouter.ai/api/v1/chat/completions", "openai/gpt-5", "openrouter"),
  {
    ...compatible(
      "OpenRouter, which names its price",
      "https://openrouter.ai/api/v1/chat/completions",
      "openai/gpt-5",
      "openrouter",
    ),
    answer: (told) => chat(told, { cost: told.fresh / 1e7 }),
    reported: (told) => told.fresh / 1e7,
  },
  compatible(
    "Together",
    "https://api.together.xyz/v1/chat/completions",
    "meta-llama/Llama-3.3-70B-Instruct-Turbo",
    "together",
  ),
  compatible(
    "Fireworks",
    "https://api.fireworks.ai/inference/v1/chat/completions",
    "accounts/fireworks/models/gpt-oss-120b",
    "fireworks",
  ),
  {
    ...compatible("Perplexity", "https://api.perplexity.ai/chat/completions", "sonar-pro", "perplexity", {}),
    feePerThousand: 14,
  },
  compatible("Cerebras", "https://api.cerebras.ai/v1/chat/completions", "gpt-oss-120b", "cerebras"),
  {
    ...compatible("Moonshot", "https://api.moonshot.ai/v1/chat/completions", "kimi-k2.6", "moonshotai"),
    answer: (told) => chat(told, { prompt_tokens_details: undefined, cached_tokens: told.read }),
  },
  compatible(
    "Hugging Face",
    "https://router.huggingface.co/together/v1/chat/completions",
    "deepseek-ai/DeepSeek-R1",
    "huggingface_together",
  ),
  {
    ...compatible("Voyage", "https://api.voyageai.com/v1/embeddings", "voyage-3.5", "voyageai", {}),
    operation: "embeddings",
    answer: (told) => ({ data: [], usage: { total_tokens: told.fresh } }),
  },
  compatible("Z.ai", "https://api.z.ai/api/paas/v4/chat/completions", "GLM-5.2", "zai"),
  {
    ...compatible("Ollama", "http://localhost:11434/api/chat", "llama3.1:8b", null, {}),
    operation: "generate",
    answer: (told) => ({ done: true, prompt_eval_count: told.fresh, eval_count: told.said + told.thought }),
  },
  compatible("a local server", "http://localhost:1234/v1/chat/completions", "gpt-5.4", null),
  compatible("Vercel's gateway", "https://ai-gateway.vercel.sh/v1/chat/completions", "openai/gpt-5", "openai"),
  compatible(
    "Cloudflare's gateway",
    "https://gateway.ai.cloudflare.com/v1/a/g/groq/chat/completions",
    "openai/gpt-oss-120b",
    "groq",
  ),
  {
    ...compatible(
      "Cloudflare's own models",
      "https://api.cloudflare.com/client/v4/accounts/a/ai/run/@cf/meta/llama-3.1-8b-instruct",
      "@cf/meta/llama-3.1-8b-instruct",
      "cloudflare",
      {},
    ),
    operation: "invoke",
    answer: (told) => ({ success: true, result: { response: "x", usage: chat(told).usage } }),
  },
  compatible("Portkey", "https://api.portkey.ai/v1/chat/completions", "openai/gpt-5", "openai"),
];

const recognise = recogniser({ hosts: new Map() });

async function billed({ url, model, answer, operation }: Case, told: Told): Promise<Bill> {
  const address = new URL(url);
  const port = address.port === "" ? 443 : Number(address.port);
  const recognised = recognise(address.hostname, port, "POST", address.pathname);
  if (recognised === null) throw new Error(`${url} is not recognised`);
  expect(recognised.operation).toBe(operation);
  const { call } = read(
    prices,
    { model, messages: [{ role: "user", content: "hi" }], input: "hi" },
    {
      recognised,
      host: address.hostname,
      port,
      path: address.pathname,
    },
  );
  const reader = createReader({
    provider: recognised.provider,
    operation,
    path: address.pathname,
    status: 200,
    headers: {},
  });
  reader.push(Buffer.from(JSON.stringify(answer(told))));
  return bill({ call, reading: await reader.finish(), outcome: { kind: "success", status: 200 }, prices });
}

/** Pico-dollars a token, of the table's USD per million, by the length of the whole prompt. */
function rate(price: unknown, prompt: number, otherwise: bigint): bigint {
  if (price === undefined) return otherwise;
  if (typeof price === "number") return BigInt(Math.round(price * 1e6));
  const { base, tiers } = price as { base: number; tiers: readonly { start: number; price: number }[] };
  const tier = tiers.findLast(({ start }) => prompt > start);
  return BigInt(Math.round((tier?.price ?? base) * 1e6));
}

const MILLIS = { standard: 1000n, flex: 500n, priority: 2000n, batch: 500n } as const;

/** Nano-dollars in whole numbers: each part rounded, a half up, and then all added up. */
function exact(one: Case, told: Told): bigint {
  if (one.reported !== undefined) return BigInt(Math.round(one.reported(told) * 1e9));
  if (one.table === null) return 0n;
  // A gateway puts the maker before the name; its table has none of its own.
  const name = one.table === "openai" ? one.model.replace(/^openai\//, "") : one.model;
  const price = calcPrice({}, name, { providerId: one.table, timestamp: AT })?.model_price;
  if (price?.input_mtok === undefined) throw new Error(`${one.table} has no price of ${name}`);
  const prompt = told.fresh + told.read + told.written + told.writtenHour;
  const millis = MILLIS[told.tier];
  const each = (key: string, otherwise = 0n): bigint => rate(price[key], prompt, otherwise);
  const served = (picos: bigint): bigint => (picos * millis + 999n) / 1000n;
  const input = each("input_mtok");
  const output = each("output_mtok");
  const written = each("cache_write_mtok", input);
  const twice = 2n * input > written ? 2n * input : written;
  const nano = (...kinds: readonly (readonly [number, bigint])[]): bigint =>
    (kinds.reduce((sum, [tokens, picos]) => sum + BigInt(tokens) * served(picos), 0n) + 500n) / 1000n;
  return (
    nano([told.fresh, input]) +
    nano([told.read, each("cache_read_mtok", input)]) +
    nano([told.written, written], [told.writtenHour, each("cache_write_1h_mtok", twice)]) +
    nano([told.said, output]) +
    nano([told.thought, each("output_reasoning_mtok", output)]) +
    BigInt(told.searches) * 10_000_000n +
    BigInt(Math.round((one.feePerThousand ?? 0) * 1e6))
  );
}

const tokens = fc.oneof(
  fc.nat({ max: 3_000 }),
  fc.nat({ max: 400_000 }),
  // Past what a double holds when it is multiplied.
  fc.integer({ min: 1_000_000_000, max: 3_000_000_000 }),
);

const anyTold = (knows: Knows): fc.Arbitrary<Told> =>
  fc.record({
    fresh: tokens.map((count) => count + 1),
    read: knows.read ? tokens : fc.constant(0),
    written: knows.written ? tokens : fc.constant(0),
    writtenHour: knows.writtenHour ? tokens : fc.constant(0),
    said: tokens,
    thought: knows.thought ? tokens : fc.constant(0),
    searches: knows.searches ? fc.nat({ max: 9 }) : fc.constant(0),
    tier: knows.tier ? fc.constantFrom("standard", "flex", "priority", "batch") : fc.constant("standard" as const),
  });

/** Nothing is said of embeddings' output. */
const silent = (one: Case, told: Told): Told =>
  one.operation === "embeddings" ? { ...told, said: 0, thought: 0 } : told;

describe("whatever is used", () => {
  it.each(cases)("$name is charged to the nano-dollar", async (one) => {
    await fc.assert(
      fc.asyncProperty(anyTold(one.knows), async (given) => {
        const told = silent(one, given);
        const { cost, unpriced, source } = await billed(one, told);
        expect(cost.input + cost.output + cost.cacheRead + cost.cacheWrite + cost.reasoning + cost.tools).toBe(
          cost.total,
        );
        expect(BigInt(cost.total)).toBe(exact(one, told));
        expect([unpriced, source]).toEqual([false, one.reported === undefined ? "local" : "provider"]);
      }),
      { numRuns: 60 },
    );
  });

  it.each(cases)(
    "$name is never billed below nothing, nor in parts that do not add up, whatever it tells",
    async (one) => {
      const anything = fc.oneof(
        fc.nat(),
        fc.integer(),
        fc.double({ min: -1e9, max: 1e9 }),
        fc.constant(null),
        fc.string(),
        fc.constant([]),
      );
      await fc.assert(
        fc.asyncProperty(fc.dictionary(fc.constantFrom(...NAMES), anything), async (usage) => {
          const answer = () => ({ id: "x", usage, usageMetadata: usage, result: { usage }, ...usage });
          const { cost } = await billed({ ...one, answer }, NONE);
          const parts = [cost.input, cost.output, cost.cacheRead, cost.cacheWrite, cost.reasoning, cost.tools];
          expect(parts.every((part) => part >= 0 && Number.isInteger(part))).toBe(true);
          expect(parts.reduce((sum, part) => sum + part, 0)).toBe(cost.total);
        }),
        { numRuns: 40 },
      );
    },
  );
});

const NONE: Told = {
  fresh: 0,
  read: 0,
  written: 0,
  writtenHour: 0,
  said: 0,
  thought: 0,
  searches: 0,
  tier: "standard",
};

/** Names of figures that providers use. */
const NAMES = [
  "prompt_tokens",
  "completion_tokens",
  "total_tokens",
  "input_tokens",
  "output_tokens",
  "cache_read_input_tokens",
  "cache_creation_input_tokens",
  "cached_tokens",
  "reasoning_tokens",
  "promptTokenCount",
  "candidatesTokenCount",
  "inputTokens",
  "outputTokens",
  "billed_units",
  "prompt_eval_count",
  "eval_count",
  "cost",
  "cost_in_usd_ticks",
] as const;
