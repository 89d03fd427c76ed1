import { beforeAll, describe, expect, it } from "vitest";
import type { Bill, Call, Outcome } from "../../../src/call/call.ts";
import { loadPrices, type Prices } from "../../../src/call/price.ts";
import { bill } from "../../../src/response/bill.ts";
import { createReader } from "../../../src/response/reader.ts";
import { awsChunk, awsEvent, awsException } from "../../response/aws-events.ts";
import { aCall, at } from "../builders.ts";

let prices: Prices;
beforeAll(async () => {
  prices = await loadPrices({}, () => Date.UTC(2026, 10, 22));
});

const HOST = "bedrock-runtime.us-east-1.amazonaws.com";
const NOVA = "us.amazon.nova-micro-v1:0";
const CLAUDE = "global.anthropic.claude-sonnet-4-5-20250929-v1:0";
const messages = [{ role: "user", content: [{ text: "abc".repeat(100) }] }];

function asked(model: string, verb: string, body: object): Call {
  const path = `/model/${encodeURIComponent(model)}/${verb}`;
  return aCall(prices, body, { recognised: at(HOST, path), host: HOST, path });
}

async function billed(
  call: Call,
  body: Buffer,
  outcome: Outcome = { kind: "success", status: 200 },
  headers: Record<string, string> = {},
): Promise<Bill> {
  const { provider, operation } = at(HOST, call.path);
  const reader = createReader({ provider, operation, path: call.path, status: 200, headers });
  reader.push(body);
  return bill({ call, reading: await reader.finish(), outcome, prices });
}

const said = (text: string): Buffer => awsEvent("contentBlockDelta", { contentBlockIndex: 0, delta: { text } });
const ABORTED: Outcome = { kind: "aborted", status: 200 };

describe("the bill of a stream", () => {
  it("that breaks off is what streamed, not all that was held", async () => {
    const call = asked(NOVA, "converse-stream", { messages });
    const broken = Buffer.concat([said("x".repeat(90)), awsException("modelStreamErrorException", "sorry")]);
    const result = await billed(call, broken);
    expect(result).toMatchObject({ source: "estimate", usage: { outputTokens: 30 } });
    expect(result.cost.total).toBe(call.inputTokens * 35 + 30 * 140);
  });

  it("that ends without its figures is all that was held, where the model may have thought in secret", async () => {
    const call = asked("us.amazon.nova-2-lite-v1:0", "converse-stream", { messages });
    const stopped = Buffer.concat([said("x"), awsEvent("messageStop", { stopReason: "end_turn" })]);
    expect((await billed(call, stopped)).usage.outputTokens).toBe(call.outputTokens);
  });

  it("of Claude that is aborted is the input that its start told, and what streamed", async () => {
    const call = asked(CLAUDE, "invoke-with-response-stream", {
      anthropic_version: "bedrock-2023-05-31",
      max_tokens: 1000,
      messages: [{ role: "user", content: "hi" }],
    });
    const counts = { input_tokens: 500, cache_read_input_tokens: 100, output_tokens: 1 };
    const start = { type: "message", id: "m", model: "claude-sonnet-4-5-20250929", usage: counts };
    const result = await billed(
      call,
      Buffer.concat([
        awsChunk({ type: "message_start", message: start }),
        awsChunk({ type: "content_block_delta", delta: { type: "text_delta", text: "x".repeat(90) } }),
      ]),
      ABORTED,
    );
    expect(result.cost.total).toBe(500 * 3000 + 100 * 300 + 30 * 15_000);
  });

  it("is by the tier and the latency that served it", async () => {
    const usage = { inputTokens: 1000, outputTokens: 100, totalTokens: 1100 };
    const cost = async (more: object): Promise<number> => {
      const end = [awsEvent("messageStop", { stopReason: "end_turn" }), awsEvent("metadata", { usage, ...more })];
      const call = asked("us.amazon.nova-pro-v1:0", "converse-stream", { messages, serviceTier: { type: "priority" } });
      return (await billed(call, Buffer.concat(end))).cost.total;
    };
    const plain = 1000 * 800 + 100 * 3200;
    expect(await cost({})).toBe(plain);
    expect(await cost({ serviceTier: { type: "priority" } })).toBe(plain * 1.75);
    expect(await cost({ serviceTier: { type: "flex" } })).toBe(plain / 2);
    expect(await cost({ performanceConfig: { latency: "optimized" } })).toBe(plain * 1.25);
  });
});

describe("the bill of an answer", () => {
  it("without figures in its body is by the headers above it", async () => {
    const call = asked("mistral.mistral-7b-instruct-v0:2", "invoke", { prompt: "hi", max_tokens: 100 });
    const headers = { "x-amzn-bedrock-input-token-count": "1000", "x-amzn-bedrock-output-token-count": "10" };
    const body = Buffer.from('{"outputs":[{"text":"x","stop_reason":"stop"}]}');
    const result = await billed(call, body, { kind: "success", status: 200 }, headers);
    expect(result).toMatchObject({ source: "local", unpriced: false });
    expect(result.cost.total).toBe(1000 * 150 + 10 * 200);
    expect((await billed(call, body)).source).toBe("estimate");
  });

  it("behind a profile of the account is that of the model that names itself, at the dearer of its regions", async () => {
    const profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/x1y2z3";
    const call = asked(profile, "invoke", { anthropic_version: "bedrock-2023-05-31", max_tokens: 100, messages: [] });
    expect(call).toMatchObject({ unpriced: true, model: "x1y2z3" });
    const answer = {
      type: "message",
      id: "m",
      model: "claude-opus-4-8",
      stop_reason: "end_turn",
      usage: { input_tokens: 100, output_tokens: 10 },
    };
    const result = await billed(call, Buffer.from(JSON.stringify(answer)));
    expect(result).toMatchObject({ source: "local", unpriced: false, model: "claude-opus-4-8" });
    expect(result.cost.total).toBe(100 * 5500 + 10 * 27_500);
  });
});
