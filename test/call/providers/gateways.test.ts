import { describe, expect, it } from "vitest";
import { cloudflare } from "../../../src/call/providers/cloudflare.ts";
import { recogniser } from "../../../src/call/recognise.ts";
import { endpointAt, events, exchanged } from "./exchanged.ts";

const messages = [{ role: "user", content: "How many letters?" }];
const answer = (usage: object, more: object = {}) => ({
  id: "c1",
  choices: [{ index: 0, message: { role: "assistant", content: "Five." }, finish_reason: "stop" }],
  usage,
  ...more,
});
const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 };
/** gpt-5: $1.25 and $10 a million. */
const COST = 100 * 1_250 + 10 * 10_000;

describe("Cloudflare's gateway", () => {
  const gateway = "https://gateway.ai.cloudflare.com/v1/account/gateway";

  it("stands for the provider that its address names, with its dialect and prices", async () => {
    const openai = await exchanged({
      url: `${gateway}/openai/chat/completions`,
      request: { model: "gpt-5", messages },
      response: answer(usage),
    });
    expect([openai.call.provider, openai.bill.cost.total]).toEqual(["openai", COST]);
    const anthropic = await exchanged({
      url: `${gateway}/anthropic/v1/messages`,
      request: { model: "claude-sonnet-5", max_tokens: 10, messages },
      response: {
        id: "m",
        type: "message",
        stop_reason: "end_turn",
        usage: { input_tokens: 10, cache_creation_input_tokens: 100, output_tokens: 5 },
      },
    });
    expect([anthropic.call.provider, anthropic.bill.cost.cacheWrite]).toEqual(["anthropic", 100 * 2_500]);
    const azure = await exchanged({
      url: `${gateway}/azure-openai/res/our-chat/chat/completions`,
      request: { messages },
    });
    expect([azure.call.provider, azure.call.modelAsSent]).toEqual(["azure", "our-chat"]);
  });

  it("takes everyone's models by maker and name, and lets the rest be counted as calls", async () => {
    const { call, bill } = await exchanged({
      url: `${gateway}/compat/chat/completions`,
      request: { model: "openai/gpt-5", messages },
      response: answer(usage),
    });
    expect([call.provider, bill.unpriced, bill.cost.total]).toEqual(["cloudflare", false, COST]);
    expect(endpointAt(`${gateway}/replicate/predictions`)).toMatchObject({ spending: "unmetered" });
    expect(endpointAt(gateway)).toMatchObject({ spending: "unmetered" });
  });

  it("costs nothing where its cache answered, and says so as the provider's word", async () => {
    const { bill } = await exchanged({
      url: `${gateway}/openai/chat/completions`,
      request: { model: "gpt-5", messages },
      response: answer(usage),
      headers: { "cf-aig-cache-status": "HIT" },
    });
    expect([bill.source, bill.cost.total, bill.usage.inputTokens]).toEqual(["provider", 0, 100]);
  });

  it.each([
    [
      "google-ai-studio/v1beta/models/gemini-2.5-flash:generateContent",
      { candidates: [{ finishReason: "STOP" }], usageMetadata: { promptTokenCount: 100, totalTokenCount: 110 } },
    ],
    [
      "aws-bedrock/bedrock-runtime/us-east-1/model/us.amazon.nova-lite-v1%3A0/converse",
      { stopReason: "end_turn", usage: { inputTokens: 100, outputTokens: 10 } },
    ],
    [
      "cohere/v2/chat",
      { finish_reason: "COMPLETE", usage: { billed_units: { input_tokens: 100, output_tokens: 10 } } },
    ],
  ])("costs nothing where its cache answered for those with words of their own: %s", async (path, response) => {
    const headers = { "cf-aig-cache-status": "HIT" };
    const request = { model: "command-r7b-12-2024", messages, contents: [] };
    const { bill } = await exchanged({ url: `${gateway}/${path}`, request, response, headers });
    expect([bill.source, bill.cost.total, bill.usage.inputTokens]).toEqual(["provider", 0, 100]);
  });

  it("runs models of Cloudflare's own, and manages domains for free", async () => {
    const url = "https://api.cloudflare.com/client/v4/accounts/a/ai/run/@cf/meta/llama-3.1-8b-instruct";
    const whole = await exchanged({
      url,
      request: { messages },
      response: { success: true, result: { response: "Five.", usage } },
    });
    const streamed = await exchanged({
      url,
      request: { messages, stream: true },
      response: events([{ response: "Five" }, { response: ".", usage }]),
    });
    for (const { call, bill } of [whole, streamed]) {
      expect([call.provider, call.model, bill.source]).toEqual(["cloudflare", "llama-3.1-8b-instruct", "local"]);
      expect(bill.cost.total).toBe(100 * 282 + 10 * 827);
    }
    expect(endpointAt("https://api.cloudflare.com/client/v4/zones")).toMatchObject({ spending: "free" });
  });

  it.each([
    ["@cf/baai/bge-m3", { text: ["x".repeat(30_000)] }],
    ["@cf/baai/bge-reranker-base", { query: "x", contexts: [{ text: "x".repeat(30_000) }] }],
    ["@cf/meta/m2m100-1.2b", { text: "x".repeat(30_000), target_lang: "fr" }],
    ["@cf/facebook/bart-large-cnn", { input_text: "x".repeat(30_000) }],
    ["@cf/openai/gpt-oss-120b", { instructions: "Be brief.", input: "x".repeat(30_000) }],
  ])("counts what its %s reads, which its answer may not tell", async (model, request) => {
    const url = `https://api.cloudflare.com/client/v4/accounts/a/ai/run/${model}`;
    const { call, bill } = await exchanged({ url, request, response: { success: true, result: { data: [[0.1]] } } });
    expect(call.inputTokens).toBeGreaterThanOrEqual(10_000);
    expect(bill.usage.inputTokens).toBe(call.inputTokens);
  });

  it("limits its gpt-oss by the name that it has in the words of responses", () => {
    const body = { input: "Why?" };
    const path = "/client/v4/accounts/a/ai/run/@cf/openai/gpt-oss-120b";
    expect(cloudflare.readRequest("invoke", body, path).maxTokens).toBe(null);
    const edits = [{ path: ["max_output_tokens"], value: 100, insert: true }];
    expect(cloudflare.cap("invoke", body, 100)).toEqual({ kind: "edits", edits });
  });

  it("opens sessions that nobody meters, and answers from one's documents", async () => {
    const session = { operation: "realtime", spending: "unmetered" };
    for (const end of ["", "/", "/openai?model=gpt-realtime", "/google?api_key=k"]) {
      expect(endpointAt(`${gateway}${end}`, "GET")).toMatchObject(session);
    }
    expect(endpointAt(`${gateway}/openai/models`, "GET")).toMatchObject({ spending: "free" });
    const api = "https://api.cloudflare.com/client/v4/accounts/a";
    const search = endpointAt(`${api}/ai-search/instances/docs/chat/completions`);
    expect(search).toMatchObject({ operation: "chat", spending: "metered" });
    expect(endpointAt(`${api}/autorag/rags/docs/ai-search`)).toMatchObject({ spending: "unmetered" });
    expect(endpointAt(`${api}/ai-gateway/gateways`)).toMatchObject({ spending: "free" });
  });

  it("has a model read a page, where its browser only shows others, and manages calls between people for free", () => {
    const api = "https://api.cloudflare.com/client/v4/accounts/a";
    expect(endpointAt(`${api}/browser-rendering/json?cacheTTL=5`)).toMatchObject({ spending: "unmetered" });
    expect(endpointAt(`${api}/browser-rendering/pdf`)).toMatchObject({ spending: "free" });
    expect(endpointAt(`${api}/realtime/kit/app/meetings`, "GET")).toMatchObject({ spending: "free" });
  });
});

describe("LiteLLM's proxy", () => {
  const recognise = recogniser({ hosts: new Map([["litellm.example", "litellm"]]) });
  it.each([
    ["GET", "/health", "unmetered"],
    ["GET", "/health?model=gpt-5", "unmetered"],
    ["GET", "/health/readiness", "free"],
    ["GET", "/health/liveliness", "free"],
    ["POST", "/utils/token_counter", "free"],
    ["POST", "/v1beta/models/gemini-2.5-flash:countTokens", "free"],
    ["POST", "/key/generate", "free"],
    ["POST", "/v1/ocr", "unmetered"],
  ])("asks its models how they are, and counts and manages for free: %s %s", (method, path, spending) => {
    expect(recognise("litellm.example", 443, method, path)).toMatchObject({ operation: "other", spending });
  });

  const url = "http://localhost:4000/v1/chat/completions";
  const request = { model: "our-alias", messages };

  it("names what a call cost in a header, which is the bill whatever the model is called", async () => {
    const { bill } = await exchanged({
      url,
      request,
      response: answer(usage),
      headers: { "x-litellm-response-cost": "0.000456" },
    });
    expect([bill.source, bill.cost.total, bill.unpriced]).toEqual(["provider", 456_000, false]);
  });

  it.each(["0.0", "None", "", "-1", "NaN"])(
    "is charged at the dearest where the header says %j: it has no price itself",
    async (cost) => {
      const { bill } = await exchanged({
        url,
        request,
        response: answer(usage),
        headers: { "x-litellm-response-cost": cost },
      });
      expect(bill.unpriced).toBe(true);
      expect(bill.cost.total).toBeGreaterThan(COST);
    },
  );
});

describe("Portkey", () => {
  const url = "https://api.portkey.ai/v1/chat/completions";

  it("says whose model is asked for in a header, and who answered in another", async () => {
    const asked = await exchanged({
      url,
      request: { model: "gpt-5", messages },
      requestHeaders: { "x-portkey-provider": "@OpenAI" },
    });
    expect([asked.call.modelAsSent, asked.call.model, asked.call.unpriced]).toEqual(["openai/gpt-5", "gpt-5", false]);
    const answered = await exchanged({
      url,
      request: { model: "@prod/default", messages },
      response: answer(usage, { model: "gpt-5" }),
      headers: { "x-portkey-provider": "openai" },
    });
    expect([answered.bill.model, answered.bill.unpriced, answered.bill.cost.total]).toEqual(["gpt-5", false, COST]);
  });

  it("costs nothing where its cache answered", async () => {
    for (const status of ["HIT", "SEMANTIC HIT"]) {
      const { bill } = await exchanged({
        url,
        request: { model: "openai/gpt-5", messages },
        response: answer(usage),
        headers: { "x-portkey-cache-status": status },
      });
      expect([bill.source, bill.cost.total]).toEqual(["provider", 0]);
    }
    const missed = await exchanged({
      url,
      request: { model: "openai/gpt-5", messages },
      response: answer(usage),
      headers: { "x-portkey-cache-status": "MISS" },
    });
    expect(missed.bill.cost.total).toBe(COST);
  });
});

describe("Vercel's gateway", () => {
  const gateway = "https://ai-gateway.vercel.sh";
  const request = { model: "openai/gpt-5", messages };

  it("is billed what it names, in the answer or in its last piece; the market's price with a key of one's own", async () => {
    const url = `${gateway}/v1/chat/completions`;
    const told = (cost: object) => ({ provider_metadata: { gateway: cost } });
    const whole = await exchanged({ url, request, response: answer(usage, told({ cost: "0.0042" })) });
    const streamed = await exchanged({
      url,
      request: { ...request, stream: true },
      response: events([
        { choices: [{ delta: { content: "Five." } }] },
        { choices: [{ delta: told({ cost: "0.0042" }), finish_reason: "stop" }], usage },
      ]),
    });
    for (const { bill } of [whole, streamed]) expect([bill.source, bill.cost.total]).toEqual(["provider", 4_200_000]);
    const own = await exchanged({ url, request, response: answer(usage, told({ cost: "0", marketCost: "0.001" })) });
    expect(own.bill.cost.total).toBe(1_000_000);
    const silent = await exchanged({ url, request, response: answer(usage) });
    expect([silent.bill.source, silent.bill.cost.total]).toEqual(["local", COST]);
  });

  it("is not free where another bills, and no more is told than that it costs nothing here", async () => {
    const url = `${gateway}/v1/chat/completions`;
    const { bill } = await exchanged({ url, request, response: answer({ ...usage, cost: 0 }) });
    expect([bill.source, bill.cost.total]).toEqual(["local", COST]);
  });

  it("holds for what tools were told and told in the AI SDK's own protocol, and for pictures as such", async () => {
    const held = async (part: object) => {
      const { call } = await exchanged({
        url: `${gateway}/v3/ai/language-model`,
        requestHeaders: { "ai-language-model-id": "openai/gpt-5" },
        request: { prompt: [{ role: "user", content: [part] }] },
      });
      return call.inputTokens;
    };
    const long = "x".repeat(30_000);
    for (const part of [
      { type: "tool-call", toolName: "n", input: { query: long } },
      { type: "tool-result", toolName: "n", output: { type: "text", value: long } },
    ]) {
      expect(await held(part)).toBeGreaterThanOrEqual(10_000);
    }
    const picture = await held({ type: "file", mediaType: "image/png", data: "data:image/png;base64,AAAA" });
    expect(picture).toBeGreaterThan(200);
    expect(picture).toBeLessThan(5_000);
  });

  it("names the model in a header in the AI SDK's own protocol, whose counts are read in both its versions", async () => {
    const url = `${gateway}/v3/ai/language-model`;
    const requestHeaders = { "ai-language-model-id": "openai/gpt-5", "ai-language-model-streaming": "true" };
    const asked = {
      prompt: [{ role: "user", content: [{ type: "text", text: "How many letters?" }] }],
      maxOutputTokens: 40,
    };
    const finish = { inputTokens: { total: 100, cacheRead: 60 }, outputTokens: { total: 10, reasoning: 4 } };
    const streamed = await exchanged({
      url,
      request: asked,
      requestHeaders,
      response: events([
        { type: "text-delta", delta: "Five." },
        { type: "finish", finishReason: { unified: "stop" }, usage: finish },
      ]),
    });
    expect([streamed.call.model, streamed.call.stream, streamed.call.maxTokens]).toEqual(["gpt-5", true, 40]);
    expect(streamed.bill.usage).toMatchObject({
      inputTokens: 100,
      cacheReadTokens: 60,
      outputTokens: 10,
      reasoningTokens: 4,
    });
    expect(streamed.bill.cost.total).toBe(40 * 1_250 + 60 * 125 + 10 * 10_000);
    const whole = await exchanged({
      url,
      request: asked,
      requestHeaders,
      response: { finishReason: "stop", usage: { inputTokens: 100, outputTokens: 10, cachedInputTokens: 60 } },
    });
    expect(whole.bill.cost.total).toBe(streamed.bill.cost.total);
  });
});
