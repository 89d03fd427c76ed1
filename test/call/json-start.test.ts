import { beforeAll, describe, expect, it } from "vitest";
import { readStart } from "../../src/call/json-start.ts";
import { loadPrices, type Prices } from "../../src/call/price.ts";
import { readCall } from "../../src/call/read.ts";
import { recogniser } from "../../src/call/recognise.ts";
import { ANTHROPIC_MESSAGES, aCall, aRequest, at, read } from "./builders.ts";

let prices: Prices;
beforeAll(async () => {
  prices = await loadPrices({});
});

/** The beginning of this body, cut off inside its messages. */
const cut = (fields: object, rest = '"messages":[{"role":"user","content":"abc'): { readonly bodyStart: Buffer } => ({
  bodyStart: Buffer.from(`${JSON.stringify(fields).slice(0, -1)},${rest}`),
});

describe("the beginning of a JSON object", () => {
  const start = (text: string) => readStart(Buffer.from(text));

  it("tells the values that came, and that one had not ended", () => {
    expect(start('{"model":"é","stream":true,"a":{"b":[1]},"messages":[{"c":"}"')).toEqual({
      model: "é",
      stream: true,
      a: { b: [1] },
      messages: null,
    });
    expect(start('{ "model" : "m" }')).toEqual({ model: "m" });
  });

  it("tells no part of a number, a name or a text", () => {
    expect(start('{"max_tokens":10')).toEqual({ max_tokens: null });
    expect(start('{"a":1,"model":"gpt-4')).toEqual({ a: 1, model: null });
    expect(start('{"a":1,"mod')).toEqual({ a: 1 });
    expect(start('{"a":1,"model":"x\\"')).toEqual({ a: 1, model: null });
  });

  it("leaves long values out, and takes the last of two", () => {
    expect(start(`{"messages":["${"x".repeat(70_000)}"],"model":"a","model":"b","n":`)).toEqual({
      messages: null,
      model: "b",
      n: null,
    });
  });

  it("is none of a list, of nothing, and of what is no JSON", () => {
    expect([start("[1"), start(""), start("--form")]).toEqual([null, null, null]);
    expect(start('{"__proto__":{"model":"x"},"a":1,')).not.toHaveProperty("model");
  });
});

describe("a body that is not read whole", () => {
  it("is a call to the model that its beginning names, with its limit and its way of answering", () => {
    const body = { model: "gpt-4o", stream: true, max_tokens: 50, n: 2 };
    const call = aCall(prices, null, { ...cut(body), headers: { "content-length": "9000000" } });
    expect(call).toMatchObject({ model: "gpt-4o", stream: true, maxTokens: 50, outputTokens: 100, unpriced: false });
    // Nine megabytes would be 3 million tokens of text; no prompt of this model is longer than its window.
    expect(call.inputTokens).toBe(128_000);
    expect(call.cost.output).toBe(100 * 10_000);
    expect(call.fingerprint).toBeNull();
  });

  it.each([
    ["a model whose window is not known", "/v1/chat/completions", { model: "my-model" }, 3_000_000],
    [
      "texts to embed, each of which has a window of its own",
      "/v1/embeddings",
      { model: "text-embedding-3-small" },
      3_000_000,
    ],
    ["a text that is shorter than the window", "/v1/chat/completions", { model: "gpt-4.1" }, 1_000_000],
  ])("is counted by its whole length for %s", (_what, path, body, tokens) => {
    const recognised = at("api.openai.com", path);
    const length = String(tokens * 3);
    const call = aCall(prices, null, {
      ...cut(body, '"input":["'),
      recognised,
      path,
      headers: { "content-length": length },
    });
    expect(call.inputTokens).toBe(tokens);
  });

  it("says it in the words of its provider", () => {
    const gemini = at("generativelanguage.googleapis.com", "/v1beta/models/gemini-2.5-pro:generateContent");
    const asked = cut({ generationConfig: { maxOutputTokens: 70 } }, '"contents":[{"parts":[{"inlineData":{"data":"AA');
    const path = "/v1beta/models/gemini-2.5-pro:generateContent";
    expect(aCall(prices, null, { ...asked, recognised: gemini, path })).toMatchObject({
      model: "gemini-2.5-pro",
      maxTokens: 70,
    });
    const claude = cut({ model: "claude-sonnet-4-5", max_tokens: 9, tools: [{ name: "t" }] });
    const call = aCall(prices, null, { ...claude, recognised: ANTHROPIC_MESSAGES });
    expect([call.model, call.maxTokens, call.fingerprint]).toEqual(["claude-sonnet-4-5", 9, null]);
  });

  it("is at least as long as what came of it, and holds no text of it", () => {
    const long = cut({ model: "gpt-4o" }, `"messages":["${"x".repeat(300_000)}`);
    const { call, facts } = read(prices, null, long);
    expect(call.inputTokens).toBeGreaterThanOrEqual(100_000);
    expect(JSON.stringify(facts).length).toBeLessThan(1_000);
  });

  it("may be a batch of which some requests came: it is charged by its length, not as nothing", () => {
    const recognised = at("api.anthropic.com", "/v1/messages/batches");
    const bodyStart = Buffer.from('{"requests":[{"custom_id":"a","params":{"model":"claude-sonnet-4-5","max_to');
    const { call } = read(prices, null, { bodyStart, recognised, headers: { "content-length": "9000000" } });
    expect(call.inputTokens).toBe(3_000_000);
    expect(call.cost.total).toBeGreaterThan(0);
  });

  it("that is compressed names nothing that could be read", () => {
    const headers = { "content-encoding": "gzip" };
    expect(aCall(prices, null, { ...cut({ model: "gpt-4o" }), headers }).model).toBe("(unknown)");
  });

  it("makes a call on a host that nobody named, by what its beginning shows", () => {
    const recognised = recogniser({ hosts: new Map() })("chat.example", 443, "POST", "/v1/messages");
    if (recognised === null) throw new Error("not recognised");
    const called = (given: object) => readCall(aRequest(prices, null, { recognised, ...given }))?.call.model;
    expect(called(cut({ model: "gpt-4o" }))).toBe("gpt-4o");
    expect(called(cut({ name: "gpt-4o" }))).toBeUndefined();
    expect(called({})).toBeUndefined();
  });
});
