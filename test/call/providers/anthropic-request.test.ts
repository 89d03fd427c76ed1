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

describe("what a server tool brought before", () => {
  const read = (block: object) => {
    const messages = [
      { role: "assistant", content: [block] },
      { role: "user", content: "Go on." },
    ];
    return anthropic.readRequest("messages", { model: "claude-sonnet-4-5", messages }, "/v1/messages");
  };
  const document = { type: "document", source: { type: "text", media_type: "text/plain", data: LONG } };
  const page = (content: object) => ({ type: "web_fetch_result", url: "https://tides.example", content });
  const ran = { return_code: 0, content: [] };

  it.each([
    ["web_fetch_tool_result", page(document)],
    ["code_execution_tool_result", { type: "code_execution_result", stdout: LONG, stderr: "", ...ran }],
    ["code_execution_tool_result", { type: "encrypted_code_execution_result", encrypted_stdout: LONG, ...ran }],
    ["bash_code_execution_tool_result", { type: "bash_code_execution_result", stdout: "", stderr: LONG, ...ran }],
    ["text_editor_code_execution_tool_result", { type: "text_editor_code_execution_view_result", content: LONG }],
  ])("is read again: %s", (type, content) => {
    const { textBytes } = read({ type, tool_use_id: "t", content });
    expect(textBytes).toBeGreaterThanOrEqual(LONG.length);
  });

  it("is cited where it asks for that", () => {
    const plain = read({ type: "web_fetch_tool_result", content: page(document) }).textBytes;
    const cited = page({ ...document, citations: { enabled: true } });
    expect(read({ type: "web_fetch_tool_result", content: cited }).textBytes).toBe(plain + 1_700);
  });
});
