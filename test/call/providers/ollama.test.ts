import { describe, expect, it } from "vitest";
import { loadPrices } from "../../../src/call/price.ts";
import { ollama } from "../../../src/call/providers/ollama.ts";
import { capOutput, routeModel } from "../../../src/call/rewrite.ts";
import { endpointAt, exchanged } from "./exchanged.ts";

const messages = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "How many letters?", images: ["aGVsbG8="] },
];
const url = "http://localhost:11434/api/chat";
const lines = (...all: readonly object[]): string => all.map((line) => `${JSON.stringify(line)}\n`).join("");
const NDJSON = { "content-type": "application/x-ndjson" };

describe("Ollama's own dialect", () => {
  it("streams one object a line unless it is told not to, and its last line has the counts", async () => {
    const response = lines(
      { model: "llama3.1:8b", message: { content: "Fi" }, done: false },
      { model: "llama3.1:8b", message: { content: "ve — 5." }, done: false },
      { model: "llama3.1:8b", message: {}, done: true, done_reason: "stop", prompt_eval_count: 26, eval_count: 5 },
    );
    for (const piece of [1, 7, 4096]) {
      const { call, bill } = await exchanged({
        url,
        request: { model: "llama3.1:8b", messages },
        response,
        headers: NDJSON,
        piece,
      });
      expect([call.provider, call.stream, call.modelAsSent]).toEqual(["ollama", true, "llama3.1:8b"]);
      expect(bill.usage).toMatchObject({ inputTokens: 26, outputTokens: 5 });
      expect([bill.model, bill.finishReasons]).toEqual(["llama3.1:8b", ["stop"]]);
    }
  });

  it("tells the counts of a whole answer, of a prompt and of embeddings too", async () => {
    const whole = { done: true, done_reason: "length", prompt_eval_count: 11, eval_count: 7 };
    const chat = await exchanged({
      url,
      request: { model: "llama3.1:8b", stream: false, messages },
      response: { ...whole, message: {} },
    });
    const prompt = await exchanged({
      url: "http://localhost:11434/api/generate",
      request: { model: "llama3.1:8b", prompt: "hi" },
      response: { ...whole, response: "x" },
    });
    const embed = await exchanged({
      url: "http://localhost:11434/api/embed",
      request: { model: "nomic-embed-text", input: ["a", "b"] },
      response: { embeddings: [[0]], prompt_eval_count: 4 },
    });
    expect([chat, prompt, embed].map(({ bill }) => [bill.usage.inputTokens, bill.usage.outputTokens])).toEqual([
      [11, 7],
      [11, 7],
      [4, 0],
    ]);
    expect(embed.call.outputTokens).toBe(0);
  });

  it("charges what had come where a stream is cut off (C: disconnects)", async () => {
    const { call, bill } = await exchanged({
      url,
      request: { model: "llama3.1:8b", messages },
      response: lines(
        { message: { content: "one two three" }, done: false },
        { message: { content: " four" }, done: false },
      ),
      headers: NDJSON,
      outcome: { kind: "aborted", status: 200 },
    });
    expect([bill.source, bill.usage.inputTokens, bill.usage.outputTokens]).toEqual(["estimate", call.inputTokens, 6]);
  });

  it("has its limit under options", () => {
    const capped = (body: object) => capOutput(ollama, "generate", Buffer.from(JSON.stringify(body)), 50);
    const lowered = capped({ model: "m", options: { num_predict: 400 } });
    expect(lowered.kind === "capped" && JSON.parse(lowered.body.toString())).toEqual({
      model: "m",
      options: { num_predict: 50 },
    });
    expect(capped({ model: "m", options: { num_predict: 20 } }).kind).toBe("unchanged");
  });

  it.each([
    ["a chat without options", { model: "m", messages: [{ role: "user", content: "hi" }] }, { num_predict: 50 }],
    ["a prompt with other options", { model: "m", prompt: "hi", options: { seed: 7 } }, { num_predict: 50, seed: 7 }],
    ["options that are none", { model: "m", prompt: "hi", options: null }, { num_predict: 50 }],
    ["no limit, as it is called there", { model: "m", options: { num_predict: -1 } }, { num_predict: 50 }],
  ])("is limited where it sets no limit itself: %s", (_what, body, options) => {
    const capped = capOutput(ollama, "generate", Buffer.from(JSON.stringify(body)), 50);
    expect(capped.kind === "capped" && JSON.parse(capped.body.toString())).toEqual({ ...body, options });
  });

  it("may be asked for another model", () => {
    const routed = routeModel(ollama, "generate", "/api/chat", Buffer.from('{"model":"big","messages":[]}'), "small");
    expect(routed.kind === "routed" && routed.body.toString()).toBe('{"model":"small","messages":[]}');
  });
});

describe("a machine of one's own", () => {
  it("costs nothing on purpose: its price says that it is free, and is no unknown one", async () => {
    const prices = await loadPrices();
    for (const provider of ["ollama", "local"]) {
      // The name of a model that others bill changes nothing.
      expect(prices.of(provider, "gpt-5", "chat")).toMatchObject({ free: true, unpriced: false, own: false });
    }
    expect(prices.of("openai", "gpt-5", "chat").free).toBeUndefined();
  });

  it("costs what the deployment says it costs", async () => {
    const prices = await loadPrices({ "llama3.1:8b": { input: 0.2, output: 0.8 } });
    expect(prices.of("ollama", "llama3.1:8b", "chat")).toMatchObject({ own: true, card: { base: { input: 200_000 } } });
  });

  it("is known by Ollama's port on any host, and by LM Studio's on this one alone", () => {
    expect(endpointAt("http://gpu-box:11434/api/chat")?.provider.name).toBe("ollama");
    expect(endpointAt("http://localhost:1234/v1/chat/completions")?.provider.name).toBe("local");
    expect(endpointAt("http://gpu-box:1234/v1/models", "GET")).toBeNull();
  });

  it("is not taken for one because it listens here: a gateway may", () => {
    expect(endpointAt("http://localhost:4000/v1/chat/completions")?.provider.name).toBe("openai");
    expect(endpointAt("http://app.internal/api/chat")).toBeNull();
  });
});
