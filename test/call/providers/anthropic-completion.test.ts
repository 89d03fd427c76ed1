import { describe, expect, it } from "vitest";
import { anthropic } from "../../../src/call/providers/anthropic.ts";
import { events, exchanged, mtok } from "./exchanged.ts";

const url = "https://api.anthropic.com/v1/complete";
const prompt = `\n\nHuman: ${"tide ".repeat(60)}\n\nAssistant:`;
const request = { model: "claude-2.1", prompt, max_tokens_to_sample: 500 };

describe("a completion of the time before messages", () => {
  it("is held at its prompt and its limit, and charged so, since its answer counts nothing", async () => {
    const response = {
      type: "completion",
      id: "c",
      completion: " High.",
      stop_reason: "stop_sequence",
      model: "claude-2.1",
    };
    const { call, bill } = await exchanged({ url, request, response });
    expect(call).toMatchObject({ operation: "completions", spending: "metered", maxTokens: 500, unpriced: false });
    expect(call.inputTokens).toBeGreaterThan(prompt.length / 4);
    expect(call.cost.output).toBe(mtok(500, 24));
    expect(bill).toMatchObject({ source: "estimate", cost: call.cost });
    const other = await exchanged({ url, request: { ...request, prompt: "\n\nHuman: ebb?\n\nAssistant:" } });
    expect(other.call.fingerprint).not.toBe(call.fingerprint);
  });

  it("is charged what streamed", async () => {
    const response = events([
      { type: "completion", completion: " High", stop_reason: null, model: "claude-2.1" },
      { type: "completion", completion: " at four.", stop_reason: "stop_sequence", model: "claude-2.1" },
    ]);
    const { call, bill } = await exchanged({ url, request: { ...request, stream: true }, response });
    expect(bill.usage.outputTokens).toBe(5);
    expect(bill.cost.total).toBe(call.cost.input + mtok(5, 24));
  });

  it("is capped by its own name for the limit", () => {
    const edit = { path: ["max_tokens_to_sample"], value: 100, insert: true };
    expect(anthropic.cap("completions", request, 100)).toEqual({ kind: "edits", edits: [edit] });
    expect(anthropic.cap("completions", request, 500)).toEqual({ kind: "unchanged" });
  });
});
