import { describe, expect, it } from "vitest";
import { cohere } from "../../../src/call/providers/cohere.ts";
import { capOutput } from "../../../src/call/rewrite.ts";
import { events, exchanged } from "./exchanged.ts";

const url = "https://api.cohere.com/v2/chat";
const request = {
  model: "command-r7b-12-2024",
  messages: [{ role: "user", content: [{ type: "text", text: "What is the weather?" }] }],
  tools: [{ type: "function", function: { name: "weather", parameters: {} } }],
};
/** $0.0375 and $0.15 a million: 37.5 and 150 nano-dollars a token. */
const usage = {
  billed_units: { input_tokens: 40, output_tokens: 10 },
  tokens: { input_tokens: 1445, output_tokens: 43 },
  cached_tokens: 704,
};

describe("Cohere", () => {
  it("bills what it calls billed, not the greater counts beside it, whole and streamed", async () => {
    const whole = await exchanged({
      url,
      request,
      response: { id: "c", finish_reason: "TOOL_CALL", message: { tool_calls: [] }, usage },
    });
    const streamed = await exchanged({
      url,
      request: { ...request, stream: true },
      response: events([
        { type: "message-start", id: "c" },
        { type: "tool-plan-delta", delta: { message: { tool_plan: "I look it up." } } },
        { type: "message-end", delta: { finish_reason: "TOOL_CALL", usage } },
      ]),
    });
    for (const { bill } of [whole, streamed]) {
      expect(bill.cost).toMatchObject({ input: 1_500, output: 1_500, cacheRead: 0, total: 3_000 });
      expect([bill.source, bill.responseId, bill.finishReasons]).toEqual(["local", "c", ["TOOL_CALL"]]);
    }
  });

  it("charges a stream that is cut off for its input and what had come", async () => {
    const { call, bill } = await exchanged({
      url,
      request: { ...request, stream: true },
      response: events([{ type: "content-delta", delta: { message: { content: { text: "It rains." } } } }]),
      outcome: { kind: "aborted", status: 200 },
    });
    expect([bill.source, bill.usage.inputTokens, bill.usage.outputTokens]).toEqual(["estimate", call.inputTokens, 3]);
  });

  it("bills embeddings by tokens and pictures, and rankings by the search", async () => {
    const embed = await exchanged({
      url: "https://api.cohere.com/v2/embed",
      request: { model: "embed-v4.0", texts: ["one", "two"], input_type: "search_query" },
      response: { embeddings: {}, meta: { billed_units: { input_tokens: 1000, image_tokens: 500 } } },
    });
    expect(embed.bill.cost.total).toBe(1500 * 120);
    const rank = await exchanged({
      url: "https://api.cohere.com/v2/rerank",
      request: { model: "rerank-v3.5", query: "which?", documents: ["a", "b"] },
      response: { results: [], meta: { billed_units: { search_units: 2 } } },
    });
    expect([rank.call.operation, rank.bill.unpriced, rank.bill.cost.total]).toEqual(["rerank", false, 4_000_000]);
  });

  it("holds a ranking before it leaves, a search for every 100 documents, never nothing (B: holds of $0)", async () => {
    const held = async (documents: number) => {
      const { call } = await exchanged({
        url: "https://api.cohere.com/v2/rerank",
        request: { model: "rerank-v3.5", query: "which?", documents: Array.from({ length: documents }, () => "a") },
      });
      return [call.units?.searches, call.cost.total];
    };
    expect(await held(2)).toEqual([1, 2_000_000]);
    expect(await held(101)).toEqual([2, 4_000_000]);
  });

  it("charges the estimate where only a version is told", async () => {
    const { call, bill } = await exchanged({
      url,
      request,
      response: { id: "c", meta: { api_version: { version: "2" } } },
    });
    expect([bill.source, bill.cost]).toEqual(["estimate", call.cost]);
  });

  it("does not take a batch for one request: what is in its dataset nobody counted", async () => {
    const { call, bill } = await exchanged({
      url: "https://api.cohere.com/v2/batches",
      request: { name: "b", input_dataset_id: "d", model: "command-a-03-2025" },
    });
    expect([call.operation, call.spending, bill.cost.total]).toEqual(["batch", "unmetered", 0]);
  });

  it.each([
    ["generate", { prompt: "x".repeat(3_000) }],
    ["chat", { message: "hi", tool_results: [{ call: { name: "f" }, outputs: [{ text: "x".repeat(3_000) }] }] }],
    ["chat", { message: "hi", chat_history: [{ role: "TOOL", tool_results: [{ outputs: ["x".repeat(3_000)] }] }] }],
  ])("counts what its older address reads: %s", async (word, body) => {
    const { call } = await exchanged({ url: `https://api.cohere.com/v1/${word}`, request: { model: "c", ...body } });
    expect(call.inputTokens).toBeGreaterThanOrEqual(1_000);
  });

  it("holds each text that its older address is to write", async () => {
    const request = { model: "c", prompt: "hi", max_tokens: 50, num_generations: 3 };
    expect((await exchanged({ url: "https://api.cohere.com/v1/generate", request })).call.outputTokens).toBe(150);
  });

  it("is charged for what streamed until it was called off, by both addresses (C: client disconnects)", async () => {
    const outcome = { kind: "aborted", status: 200 } as const;
    const messages = [{ role: "user", content: "hi" }];
    const text = "x".repeat(30);
    const newer = Array(10).fill({ type: "content-delta", delta: { message: { content: { text } } } });
    const older = Array(10).fill({ is_finished: false, event_type: "text-generation", text });
    const cut = await exchanged({ url, request: { ...request, messages }, response: events(newer), outcome });
    const before = await exchanged({
      url: "https://api.cohere.com/v1/chat",
      request: { model: "command-r7b-12-2024", message: "hi", stream: true },
      response: older.map((event) => JSON.stringify(event)).join("\n"),
      headers: { "content-type": "application/stream+json" },
      outcome,
    });
    for (const { bill } of [cut, before]) expect([bill.source, bill.usage.outputTokens]).toEqual(["estimate", 100]);
  });

  it("speaks as OpenAI does at its compatible address", async () => {
    const { bill } = await exchanged({
      url: "https://api.cohere.com/compatibility/v1/chat/completions",
      request: { model: "command-r7b-12-2024", messages: [{ role: "user", content: "hi" }] },
      response: { choices: [{ finish_reason: "stop" }], usage: { prompt_tokens: 40, completion_tokens: 10 } },
    });
    expect(bill.cost.total).toBe(3_000);
  });

  it("is limited by max_tokens, which is added where it is missing", () => {
    const capped = capOutput(cohere, "chat", Buffer.from('{"model":"command-r7b-12-2024"}'), 50);
    expect(capped.kind === "capped" && capped.body.toString()).toBe('{"max_tokens":50,"model":"command-r7b-12-2024"}');
    expect(capOutput(cohere, "chat", Buffer.from('{"max_tokens":20}'), 50).kind).toBe("unchanged");
  });
});
