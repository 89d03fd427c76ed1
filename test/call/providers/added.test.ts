/**
 * What providers put around a request by themselves: an estimate that leaves it out is under what is counted.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { loadPrices, type Prices } from "../../../src/call/price.ts";
import { aCall, at } from "../builders.ts";

let prices: Prices;
beforeAll(async () => {
  prices = await loadPrices({});
});

const recognisedAt = {
  chat: at("api.openai.com", "/v1/chat/completions"),
  responses: at("api.openai.com", "/v1/responses"),
  compact: at("api.openai.com", "/v1/responses/compact"),
  messages: at("api.anthropic.com", "/v1/messages"),
  gemini: at("generativelanguage.googleapis.com", "/v1beta/models/gemini-2.5-flash:generateContent"),
};

type Kind = keyof typeof recognisedAt;
const PATHS: Partial<Record<Kind, string>> = {
  compact: "/v1/responses/compact",
  gemini: "/v1beta/models/gemini-2.5-flash:generateContent",
};

const tokens = (kind: Kind, body: object): number =>
  aCall(prices, body, { recognised: recognisedAt[kind], path: PATHS[kind] ?? "/" }).inputTokens;

const chat = { model: "gpt-5-mini", messages: [{ role: "user", content: "tides?" }] };
const response = { model: "gpt-5", input: [{ role: "user", content: "tides?" }] };
const claude = { model: "claude-sonnet-4-5", max_tokens: 9, messages: [{ role: "user", content: "tides?" }] };
const gemini = { contents: [{ role: "user", parts: [{ text: "tides?" }] }] };
const tool = { type: "function", name: "t", function: { name: "t", parameters: {} } };
const document = { type: "document", source: { type: "text", media_type: "text/plain", data: "High at four." } };
const withDocument = (more: object) => ({
  ...claude,
  messages: [{ role: "user", content: [{ ...document, ...more }] }],
});

describe("what a provider adds to a request", () => {
  it.each<[string, Kind, object, object, number]>([
    ["words on the use of tools", "chat", chat, { ...chat, tools: [tool] }, 100],
    [
      "words on the use of tools that come later",
      "responses",
      response,
      {
        ...response,
        input: [...response.input, { type: "additional_tools", role: "developer", tools: [tool] }],
      },
      250,
    ],
    ["words on how hard to think", "responses", response, { ...response, reasoning: { effort: "high" } }, 50],
    [
      "what several are told that answer at once",
      "responses",
      response,
      { ...response, reasoning: { mode: "pro" } },
      1_500,
    ],
    ["a form to answer in", "messages", claude, { ...claude, output_config: { format: { type: "json_schema" } } }, 130],
    ["bounds to answer within", "messages", claude, { ...claude, output_config: { task_budget: {} } }, 120],
    ["words on how to cite", "messages", withDocument({}), withDocument({ citations: { enabled: true } }), 560],
    ["words on condensing", "messages", claude, { ...claude, context_management: { edits: [] } }, 90],
    ["a form to answer in, at Google", "gemini", gemini, { ...gemini, generationConfig: { responseSchema: {} } }, 15],
  ])("counts: %s", (_what, kind, without, body, least) => {
    const more = tokens(kind, body) - tokens(kind, without);
    expect(more).toBeGreaterThanOrEqual(least);
    expect(more).toBeLessThan(least * 1.5 + 30);
  });

  it("says how to condense a conversation", () => {
    const more = tokens("compact", response) - tokens("responses", response);
    expect(more).toBeGreaterThanOrEqual(120);
    expect(more).toBeLessThan(150);
  });

  it("cites results of searches that a tool brings, too", () => {
    const found = { type: "search_result", title: "t", source: "s", content: [], citations: { enabled: true } };
    const result = (content: unknown[]) => ({
      ...claude,
      messages: [{ role: "user", content: [{ type: "tool_result", tool_use_id: "x", content }] }],
    });
    expect(tokens("messages", result([found])) - tokens("messages", result([]))).toBeGreaterThanOrEqual(560);
  });

  // The longer one is not decoded, as nothing is of a long body.
  it.each([4_000, 400_000])("counts %i letters that come back sealed by three quarters of their number", (length) => {
    const sealed = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "x".repeat(length) };
    const all = tokens("responses", { ...response, input: [...response.input, sealed] });
    const more = all - tokens("responses", response);
    expect(more).toBeGreaterThanOrEqual(length / 4);
    expect(more).toBeLessThan(length / 4 + 20);
  });

  it("counts a third more for the same text where the tokenizer does", () => {
    const long = (model: string) => ({ ...claude, model, messages: [{ role: "user", content: "x".repeat(30_000) }] });
    const before = tokens("messages", long("claude-opus-4-6"));
    for (const model of ["claude-opus-4-7", "claude-opus-5", "claude-sonnet-5", "claude-fable-5-1"]) {
      expect(tokens("messages", long(model)) / before).toBeCloseTo(1.35, 2);
    }
    expect(tokens("messages", long("claude-haiku-4-5"))).toBe(before);
  });

  it("counts a context that was cached and is only named", () => {
    expect(tokens("gemini", { ...gemini, cachedContent: "cachedContents/c1" })).toBe(tokens("gemini", gemini) + 10_000);
  });

  it("counts the marks around each call of a tool", () => {
    const called = (n: number) => ({
      ...chat,
      messages: [{ role: "assistant", tool_calls: Array.from({ length: n }, () => ({ id: "c", type: "function" })) }],
    });
    expect(tokens("chat", called(5)) - tokens("chat", called(2))).toBe(9);
  });

  it("counts one tool of Gemini's that stands without a list", () => {
    const tools = { functionDeclarations: [{ name: "tides", description: "x".repeat(300) }] };
    expect(tokens("gemini", { ...gemini, tools })).toBe(tokens("gemini", { ...gemini, tools: [tools] }));
  });
});
