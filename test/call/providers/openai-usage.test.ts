import { describe, expect, it } from "vitest";
import { events, exchanged, mtok } from "./exchanged.ts";

const RESPONSES = "https://api.openai.com/v1/responses";
const CHAT = "https://api.openai.com/v1/chat/completions";

/** A response of `model` that searched twice with this tool. */
function searching(model: string, tool: string) {
  const search = (id: string) => ({ type: "web_search_call", id, status: "completed", action: { type: "search" } });
  const response = {
    id: "resp_1",
    object: "response",
    status: "completed",
    model,
    tools: [{ type: tool, search_context_size: "low" }],
    output: [search("ws_1"), search("ws_2"), { type: "web_search_call", id: "ws_3", action: { type: "open_page" } }],
    usage: { input_tokens: 300, output_tokens: 20, total_tokens: 320 },
  };
  return exchanged({ url: RESPONSES, request: { model, input: "tides?", tools: [{ type: tool }] }, response });
}

describe("a search by OpenAI", () => {
  it.each([
    ["gpt-4.1", "web_search_preview", 0.025],
    ["gpt-4o-2024-08-06", "web_search_preview_2025_03_11", 0.025],
    ["gpt-4.1", "web_search", 0.01],
    ["gpt-5", "web_search_preview", 0.01],
    ["o4-mini", "web_search_preview", 0.01],
  ])("with %s and the tool %s costs $%d", async (model, tool, usd) => {
    const { bill } = await searching(model, tool);
    expect(bill.cost.tools).toBe(2 * Math.round(usd * 1e9));
    expect(bill).toMatchObject({ source: "local", unpriced: false });
  });

  it.each([
    ["gpt-4o-search-preview", 25_000_000],
    ["gpt-4o-mini-search-preview-2025-03-11", 25_000_000],
    ["gpt-5-search-api", 10_000_000],
  ])("is in each answer of %s, uncounted", async (model, nano) => {
    const answer = {
      id: "c",
      object: "chat.completion",
      model,
      choices: [{ index: 0, message: { role: "assistant", content: "Ebb." }, finish_reason: "stop" }],
      usage: { prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 },
    };
    const request = { model, messages: [{ role: "user", content: "tides?" }] };
    expect((await exchanged({ url: CHAT, request, response: answer })).bill.cost.tools).toBe(nano);
  });
});

describe("an endpoint of OpenAI's in a region", () => {
  const usage = { prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 };
  const ask = (host: string, model: string, more: object = {}) => {
    const choices = [{ index: 0, message: { role: "assistant", content: "Ebb." }, finish_reason: "stop" }];
    const response = { id: "c", model, choices, usage, ...more };
    const request = { model, max_tokens: 100, messages: [{ role: "user", content: "tides?" }] };
    return exchanged({ url: `https://${host}/v1/chat/completions`, request, response });
  };

  it.each([
    ["gpt-5.4", {}, 1.1],
    ["gpt-5.4", { service_tier: "flex" }, 0.55],
    ["gpt-5.4", { service_tier: "priority" }, 2.2],
    ["gpt-4o", {}, 1],
    ["gpt-5.2", {}, 1],
  ])("asks for %s under %j %d times the price", async (model, more, times) => {
    const [there, plain] = [await ask("eu.api.openai.com", model, more), await ask("api.openai.com", model)];
    expect(there.bill.cost.total).toBe(Math.round(plain.bill.cost.total * times));
    expect(there.call.cost.total).toBeGreaterThanOrEqual(Math.round(plain.call.cost.total * Math.min(times, 1.1)));
    expect(there.call.provider).toBe("openai");
  });
});

describe("a usage in OpenAI's words", () => {
  it("of a model that counts what it read from the cache beside its input is charged both", async () => {
    const model = "grok-4-1-fast-non-reasoning";
    const url = "https://harbour.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview";
    const response = {
      id: "c",
      model,
      choices: [{ index: 0, message: { role: "assistant", content: "Ebb." }, finish_reason: "stop" }],
      usage: {
        prompt_tokens: 10,
        completion_tokens: 20,
        total_tokens: 30,
        prompt_tokens_details: { cached_tokens: 161 },
      },
    };
    const { bill } = await exchanged({ url, request: { model, messages: [] }, response });
    expect(bill.usage).toMatchObject({ inputTokens: 171, cacheReadTokens: 161, outputTokens: 20 });
    expect(bill.cost.input).toBe(mtok(10, 0.2));
    expect(bill.cost.cacheRead).toBe(mtok(161, 0.05));
  });

  it("of a stream is whole with its last event, also where that leaves out the status", async () => {
    const usage = { input_tokens: 22, output_tokens: 4, total_tokens: 26 };
    const response = events([
      { type: "response.created", response: { id: "r", model: "gpt-4o-mini-2024-07-18", output: [] } },
      { type: "response.output_text.delta", delta: "The North Sea" },
      { type: "response.completed", response: { id: "r", model: "gpt-4o-mini-2024-07-18", output: [], usage } },
    ]);
    const { bill } = await exchanged({
      url: RESPONSES,
      request: { model: "gpt-4o-mini", input: "Which sea?", stream: true },
      response,
    });
    expect(bill).toMatchObject({ source: "local", finishReasons: ["completed"] });
    expect(bill.cost.total).toBe(mtok(22, 0.15) + mtok(4, 0.6));
  });
});
