import { describe, expect, it } from "vitest";
import { anthropic } from "../../../src/call/providers/anthropic.ts";
import { bedrock } from "../../../src/call/providers/bedrock.ts";
import { vertex } from "../../../src/call/providers/vertex.ts";

const LONG = "word ".repeat(6_000);

describe("the tokenizer of the newer models", () => {
  const content = [{ type: "text", text: LONG }];
  const body = { max_tokens: 10, messages: [{ role: "user", content }] };
  const own = (model: string) => anthropic.readRequest("messages", { ...body, model }, "/v1/messages").textBytes;
  const invoked = (model: string) => {
    const versioned = { ...body, anthropic_version: "bedrock-2023-05-31" };
    return bedrock.readRequest("invoke", versioned, `/model/us.anthropic.${model}/invoke`).textBytes;
  };
  const conversed = (model: string) =>
    bedrock.readRequest("converse", body, `/model/us.anthropic.${model}/converse`).textBytes;
  const predicted = (model: string) => {
    const path = `/v1/projects/p/locations/global/publishers/anthropic/models/${model}:rawPredict`;
    return vertex.readRequest("messages", body, path).textBytes;
  };

  it.each([
    ["Anthropic", own],
    ["Bedrock, in their own words", invoked],
    ["Bedrock, by Converse", conversed],
    ["Vertex", predicted],
  ])("makes more tokens of the same text at %s", (_place, bytes) => {
    expect(bytes("claude-opus-4-7")).toBe(Math.ceil(bytes("claude-opus-4-6") * 1.35));
  });

  it("is known by the names that gateways give", () => {
    expect(own("anthropic/claude-opus-4.7")).toBe(own("claude-opus-4-7"));
  });
});
