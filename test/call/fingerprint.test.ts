import { beforeAll, describe, expect, it } from "vitest";
import { normalise } from "../../src/call/fingerprint.ts";
import { loadPrices, type Prices } from "../../src/call/price.ts";
import { ANTHROPIC_MESSAGES, aCall, OPENAI_EMBEDDINGS, OPENAI_RESPONSES } from "./builders.ts";

let prices: Prices;
beforeAll(async () => {
  prices = await loadPrices();
});

const chat = (last: string, earlier: readonly string[] = [], tools: unknown = undefined): string | null =>
  aCall(prices, {
    model: "gpt-4o",
    messages: [
      { role: "system", content: "be brief" },
      ...earlier.map((content) => ({ role: "user", content })),
      { role: "user", content: last },
    ],
    tools,
  }).fingerprint;

describe("the fingerprint", () => {
  it("is the same for the same work, however much was said before", () => {
    expect(chat("fetch http://x")).toBe(chat("fetch http://x", ["one", "two"]));
    expect(chat("fetch http://x")).toMatch(/^[0-9a-f]{16}$/);
  });

  it("differs by the last message, the system prompt, the tools and the provider", () => {
    const all = new Set([
      chat("a"),
      chat("b"),
      chat("a", [], [{ type: "function", function: { name: "f" } }]),
      aCall(prices, { model: "gpt-4o", messages: [{ role: "user", content: "a" }] }).fingerprint,
      aCall(
        prices,
        { model: "claude-opus-5", system: "be brief", messages: [{ role: "user", content: "a" }] },
        { recognised: ANTHROPIC_MESSAGES },
      ).fingerprint,
    ]);
    expect(all.size).toBe(5);
  });

  it("does not change with ids, times and spaces", () => {
    const one = "try 0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0 at 2026-11-22T10:00:00.123Z  req_011CcaGs24UqTfYHgDWn7trH";
    const two = "try 1b1c2d3e-4f50-6172-8394-a5b6c7d8e9f1 at 2026-11-23T11:10:01Z\nreq_022CcaGs24UqTfYHgDWn7trX";
    expect(chat(one)).toBe(chat(two));
  });

  it("does not change with spaces where nothing else could", () => {
    expect(chat(" do it\tagain,\n\n  please ")).toBe(chat("do it again, please"));
    expect(chat("do it again")).not.toBe(chat("doit again"));
  });

  it("leaves a tool's call id out, since each turn has a new one", () => {
    const result = (id: string): string | null =>
      aCall(prices, { model: "gpt-4o", messages: [{ role: "tool", tool_call_id: id, content: "404" }] }).fingerprint;
    expect(result("call_1")).toBe(result("call_2"));
  });

  it("reads the last item of a response's input, and the whole input of embeddings", () => {
    const ask = (input: unknown): string | null =>
      aCall(prices, { model: "gpt-5", input }, { recognised: OPENAI_RESPONSES }).fingerprint;
    expect(ask("hi")).not.toBe(ask("ho"));
    expect(
      ask([
        { role: "user", content: "x" },
        { type: "function_call_output", call_id: "1", output: "no" },
      ]),
    ).toBe(ask([{ type: "function_call_output", call_id: "2", output: "no" }]));
    const embed = (input: unknown): string | null =>
      aCall(prices, { model: "text-embedding-3-small", input }, { recognised: OPENAI_EMBEDDINGS }).fingerprint;
    expect(embed(["a", "b"])).not.toBe(embed(["a", "c"]));
    expect(embed([1, 2, 3])).not.toBe(embed([1, 2, 4]));
  });

  it("is null where there is nothing to hash", () => {
    expect(aCall(prices, "{").fingerprint).toBeNull();
    expect(aCall(prices, null).fingerprint).toBeNull();
  });

  it("tells long texts apart by their middle, and not by ids at their ends", () => {
    const around = (middle: string, id: string): string =>
      `${id} ${"a ".repeat(60_000)}${middle}${" b".repeat(60_000)} ${id}`;
    const [one, two] = ["req_011CcaGs24UqTfYHgDWn7trH", "req_022CcaGs24UqTfYHgDWn7trX"];
    expect(chat(around("x", one))).toBe(chat(around("x", two)));
    expect(chat(around("x", one))).not.toBe(chat(around("y", one)));
  });

  it("stays quick on long texts without a digit in them", () => {
    const start = performance.now();
    normalise("a-".repeat(500_000));
    normalise("a".repeat(1_000_000));
    expect(performance.now() - start).toBeLessThan(500);
  });
});
