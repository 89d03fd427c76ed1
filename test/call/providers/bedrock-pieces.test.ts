import { beforeAll, describe, expect, it } from "vitest";
import type { Bill, Call } from "../../../src/call/call.ts";
import { loadPrices, type Prices } from "../../../src/call/price.ts";
import { bill } from "../../../src/response/bill.ts";
import { createReader } from "../../../src/response/reader.ts";
import { aCall, at } from "../builders.ts";

let prices: Prices;
beforeAll(async () => {
  prices = await loadPrices();
});

function asked(host: string, path: string, body: unknown): Call {
  return aCall(prices, body, { recognised: at(host, path), host, path });
}

const invoke = (model: string, body: unknown): Call =>
  asked("bedrock-runtime.us-east-1.amazonaws.com", `/model/${encodeURIComponent(model)}/invoke`, body);

async function billed(call: Call, answer: unknown, status = 200): Promise<Bill> {
  const { provider } = at(call.host, call.path);
  const reader = createReader({ provider, operation: call.operation, path: call.path, status, headers: {} });
  reader.push(Buffer.from(JSON.stringify(answer)));
  const kind = status < 400 ? "success" : "provider-error";
  return bill({ call, reading: await reader.finish(), outcome: { kind, status }, prices });
}

const draw = (imageGenerationConfig: object) => ({
  taskType: "TEXT_IMAGE",
  textToImageParams: { text: "a cat" },
  imageGenerationConfig,
});

describe("pictures", () => {
  it.each([
    ["amazon.nova-canvas-v1:0", { numberOfImages: 2 }, 0.08],
    ["amazon.nova-canvas-v1:0", { numberOfImages: 1, quality: "premium", width: 512, height: 512 }, 0.06],
    ["amazon.nova-canvas-v1:0", { quality: "premium", width: 2048, height: 512 }, 0.08],
    ["amazon.titan-image-generator-v2:0", { numberOfImages: 3, quality: "standard" }, 0.03],
  ])("of %s by %j are held at $%d", (model, config, usd) => {
    const call = invoke(model, draw(config));
    expect(call).toMatchObject({ operation: "images", unpriced: false });
    expect(call.cost.total).toBe(usd * 1e9);
    expect(call.fingerprint).not.toBeNull();
  });

  it("are billed as many as came", async () => {
    const call = invoke("amazon.nova-canvas-v1:0", draw({ numberOfImages: 3 }));
    const result = await billed(call, { images: ["aGk=", "aGk="], error: null });
    expect(result).toMatchObject({ source: "local", unpriced: false });
    expect(result.cost.total).toBe(80_000_000);
    expect((await billed(call, { message: "no" }, 400)).cost.total).toBe(0);
  });

  it("of Stability cost what their model costs, and what no list names costs the dearest", async () => {
    const ultra = invoke("stability.stable-image-ultra-v1:1", { prompt: "a cat" });
    expect((await billed(ultra, { images: ["aGk="] })).cost.total).toBe(140_000_000);
    expect(invoke("us.stability.stable-creative-upscale-v1:0", { prompt: "a cat" }).cost.total).toBe(600_000_000);
    expect(invoke("stability.something-new-v1:0", { prompt: "a cat" }).cost.total).toBeGreaterThan(200_000_000);
  });
});

describe("a ranking", () => {
  it("is a search for every hundred documents", async () => {
    const documents = Array.from({ length: 101 }, (_, index) => `document ${index}`);
    const call = invoke("cohere.rerank-v3-5:0", { query: "cats", documents, api_version: 2 });
    expect(call.cost.total).toBe(4_000_000);
    expect((await billed(call, { results: [{ index: 0, relevance_score: 0.5 }] })).cost.total).toBe(4_000_000);
  });

  it("by the rerank API is of the model in its body", async () => {
    const modelArn = "arn:aws:bedrock:us-west-2::foundation-model/amazon.rerank-v1:0";
    const call = asked("bedrock-agent-runtime.us-west-2.amazonaws.com", "/rerank", {
      queries: [{ type: "TEXT", textQuery: { text: "cats" } }],
      sources: [{ type: "INLINE", inlineDocumentSource: { type: "TEXT", textDocument: { text: "a cat" } } }],
      rerankingConfiguration: { bedrockRerankingConfiguration: { modelConfiguration: { modelArn } } },
    });
    expect(call).toMatchObject({ operation: "rerank", modelAsSent: "amazon.rerank-v1:0", unpriced: false });
    expect(call.cost.total).toBe(1_000_000);
    expect((await billed(call, { results: [{ index: 0, relevanceScore: 0.5 }] })).cost.total).toBe(1_000_000);
  });
});
