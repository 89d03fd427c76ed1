import { beforeAll, describe, expect, it } from "vitest";
import type { Operation } from "../../../src/call/call.ts";
import { loadPrices, type Prices } from "../../../src/call/price.ts";
import type { ResponseFacts } from "../../../src/call/provider.ts";
import { bedrock } from "../../../src/call/providers/bedrock.ts";
import { readCall } from "../../../src/call/read.ts";
import { capOutput, routeModel, whyFixed } from "../../../src/call/rewrite.ts";
import { multiplier } from "../../../src/call/terms.ts";
import { usage } from "../../../src/call/usage.ts";
import { aCall, aRequest, at, read } from "../builders.ts";

const HOST = "bedrock-runtime.us-east-1.amazonaws.com";
const SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

let prices: Prices;
beforeAll(async () => {
  prices = await loadPrices({}, () => Date.UTC(2026, 10, 22));
});

/** A request to a model by one of its endpoints. */
function asked(model: string, verb: string, body: unknown, headers: Record<string, string> = {}) {
  const path = `/model/${encodeURIComponent(model)}/${verb}`;
  return { body, given: { recognised: at(HOST, path), host: HOST, path, headers } };
}

describe("hosts", () => {
  it.each([
    HOST,
    "bedrock-runtime-fips.us-gov-west-1.amazonaws.com",
    "bedrock-runtime.cn-north-1.amazonaws.com.cn",
    "bedrock-runtime.eu-west-1.api.aws",
    "vpce-0a1b2c-3d4e.bedrock-runtime.us-east-1.vpce.amazonaws.com",
    "bedrock-mantle.us-east-1.api.aws",
    "bedrock-agent-runtime.us-west-2.amazonaws.com",
    "bedrock.us-east-1.amazonaws.com",
  ])("%s is Bedrock's", (host) => {
    expect(at(host, "/model/amazon.nova-lite-v1:0/converse").provider.name).toBe("bedrock");
  });

  it.each([
    "bedrock-agent-runtime.us-west-2.amazonaws.com",
    "bedrock-agent-runtime-fips.us-west-2.amazonaws.com",
    "bedrock-agent-runtime-fips.us-west-2.api.aws",
    "bedrock-agent-runtime.eusc-de-east-1.amazonaws.eu",
    "bedrock-runtime.eusc-de-east-1.api.amazonwebservices.eu",
    "bedrock-fips.us-east-1.amazonaws.com",
  ])("%s is Bedrock's also where no shape tells it", (host) => {
    expect(at(host, "/retrieveAndGenerate")).toMatchObject({ spending: "unmetered", provider: { name: "bedrock" } });
  });

  it.each(["s3.us-east-1.amazonaws.com", "bedrock-runtime.us-east-1.amazonaws.com.example.org"])(
    "%s is not",
    (host) => {
      expect(() => at(host, "/model/amazon.nova-lite-v1:0/x")).toThrow("no provider");
    },
  );
});

describe("a host that nobody named", () => {
  it.each([
    ["/model/m1/converse", "converse"],
    ["/bedrock/model/m1/converse-stream?x=1", "converse"],
    ["/model/us.amazon.nova-lite-v1%3A0/invoke", "invoke"],
    ["/model/anthropic.claude-opus-4-8/invoke-with-response-stream/", "invoke"],
  ])("is Bedrock's where it is asked as it is: %s", (path, operation) => {
    expect(at("proxy.internal", path)).toMatchObject({ operation, certain: true, provider: { name: "bedrock" } });
  });

  it.each(["/model/churn/invoke", "/model/invoke", "/v1/profile/me", "/stream", "/model/a/b/resume"])(
    "is nobody's at %s",
    (path) => {
      expect(() => at("proxy.internal", path)).toThrow("no provider");
    },
  );
});

describe("endpoints", () => {
  it.each([
    ["POST", "/model/m.x/converse", "converse", "metered"],
    ["POST", "/model/m.x/converse-stream", "converse", "metered"],
    ["POST", "/model/meta.llama3-8b-instruct-v1%3A0/invoke", "invoke", "metered"],
    ["POST", "/model/amazon.nova-lite-v1%3A0/invoke-with-response-stream", "invoke", "metered"],
    ["POST", "/model/amazon.titan-embed-text-v2%3A0/invoke", "embeddings", "metered"],
    ["POST", "/model/cohere.embed-v4%3A0/invoke", "embeddings", "metered"],
    ["POST", "/model/cohere.rerank-v3-5%3A0/invoke", "rerank", "metered"],
    ["POST", "/model/amazon.nova-canvas-v1%3A0/invoke", "images", "metered"],
    ["POST", "/model/amazon.nova-2-sonic-v1%3A0/invoke-with-bidirectional-stream", "other", "unmetered"],
    ["POST", `/model/${encodeURIComponent(SONNET)}/count-tokens`, "other", "free"],
    ["POST", "/async-invoke", "batch", "unmetered"],
    ["GET", "/async-invoke/arn", "other", "free"],
    ["POST", "/guardrail/g1/version/1/apply", "other", "metered"],
    ["POST", "/agents/A1/agentAliases/B1/sessions/s1/text", "other", "unmetered"],
    ["POST", "/agents/s1", "other", "unmetered"],
    ["POST", "/agents/A1/", "other", "free"],
    ["POST", "/agents/", "other", "free"],
    ["POST", "/flows/F1/aliases/B1", "other", "unmetered"],
    ["POST", "/flows/F1/aliases", "other", "free"],
    ["PUT", "/flows/F1/aliases/B1", "other", "free"],
    ["POST", "/flows/F1/aliases/B1/executions", "other", "unmetered"],
    ["POST", "/flows/F1/aliases/B1/executions/e1/stop", "other", "free"],
    ["POST", "/retrieveAndGenerate", "other", "unmetered"],
    ["POST", "/rerank", "rerank", "metered"],
    ["POST", "/model-invocation-job", "batch", "unmetered"],
    ["POST", "/anthropic/v1/messages/batches", "batch", "unmetered"],
    ["POST", "/model-invocation-job/j1/stop", "other", "free"],
    ["GET", "/foundation-models", "other", "free"],
    ["POST", "/guardrails", "other", "free"],
    ["PUT", "/knowledgebases/K1/datasources/D1/ingestionjobs/", "other", "unmetered"],
    ["POST", "/knowledgebases/K1/datasources/D1/ingestionjobs/", "other", "free"],
    ["PUT", "/knowledgebases/K1/datasources/D1/documents", "other", "unmetered"],
    ["POST", "/knowledgebases/K1/datasources/D1/documents", "other", "free"],
    ["POST", "/knowledgebases/K1/datasources/D1/documents/deleteDocuments", "other", "free"],
    ["POST", "/knowledgebases/K1/retrieve", "other", "unmetered"],
    ["POST", "/tagResource", "other", "free"],
    ["POST", "/create-foundation-model-agreement", "other", "free"],
    ["POST", "/evaluation-jobs/batch-delete", "other", "free"],
    ["POST", "/evaluation-jobs", "other", "unmetered"],
    ["POST", "/model-customization-jobs", "other", "unmetered"],
    ["POST", "/openai/v1/chat/completions", "chat", "metered"],
    ["POST", "/v1/chat/completions", "chat", "metered"],
    ["POST", "/v1/responses", "responses", "metered"],
    ["POST", "/anthropic/v1/messages", "messages", "metered"],
    ["POST", "/anthropic/v1/messages/count_tokens", "other", "free"],
    ["POST", "/something/new", "other", "unmetered"],
  ])("%s %s is %s and %s", (method, path, operation, spending) => {
    expect(bedrock.endpoint(method, path)).toEqual({ operation, spending });
  });
});

const CONVERSE = {
  system: [{ text: "Be brief." }, { cachePoint: { type: "default" } }],
  messages: [
    {
      role: "user",
      content: [{ text: "What is in it?" }, { image: { format: "png", source: { bytes: "iVBORw0K" } } }],
    },
    { role: "assistant", content: [{ toolUse: { toolUseId: "t1", name: "look", input: { at: "it" } } }] },
    { role: "user", content: [{ toolResult: { toolUseId: "t1", content: [{ json: { found: 7 } }] } }] },
  ],
  toolConfig: { tools: [{ toolSpec: { name: "look", inputSchema: { json: { type: "object" } } } }] },
  inferenceConfig: { maxTokens: 300 },
};

describe("a Converse request", () => {
  it("is read with its model, limit, texts, pictures and tools", () => {
    const { body, given } = asked(SONNET, "converse-stream", CONVERSE);
    const { call, facts } = read(prices, body, given);
    expect(call).toMatchObject({
      provider: "bedrock",
      operation: "converse",
      modelAsSent: SONNET,
      model: "claude-sonnet-4-5",
      stream: true,
      maxTokens: 300,
      outputTokens: 300,
      unpriced: false,
    });
    expect(facts).toMatchObject({ system: "Be brief.", cacheWrite: "minutes", lastMessage: 'user\n{"found":7}' });
    expect(facts.tools).toContain("look");
    expect(facts.mediaTokens).toBe(7176);
  });

  it("costs more for every kind of content", () => {
    const tokens = (...content: unknown[]): number => {
      const { body, given } = asked(SONNET, "converse", { messages: [{ role: "user", content }] });
      return aCall(prices, body, given).inputTokens;
    };
    const base64 = Buffer.alloc(60_000).toString("base64");
    const pdf = { format: "pdf", name: "a", source: { bytes: base64 } };
    expect(tokens({ document: pdf })).toBeGreaterThan(6_000);
    expect(tokens({ document: { ...pdf, format: "txt" } })).toBeGreaterThan(20_000);
    expect(tokens({ document: { ...pdf, source: { text: "x".repeat(3_000) } } })).toBeGreaterThan(1_000);
    expect(tokens({ video: { format: "mp4", source: { bytes: base64 } } })).toBeGreaterThan(576);
    expect(tokens({ video: { format: "mp4", source: { s3Location: { uri: "s3://b/k" } } } })).toBeGreaterThan(17_280);
    expect(tokens({ audio: { format: "wav", source: { bytes: base64 } } })).toBeGreaterThan(70);
    const elsewhere = { s3Location: { uri: "s3://b/k" } };
    expect(tokens({ audio: { format: "wav", source: elsewhere } })).toBeGreaterThan(600);
    expect(tokens({ document: { ...pdf, format: "txt", source: elsewhere } })).toBeGreaterThan(60_000);
    for (const block of [
      { text: "x".repeat(900) },
      { guardContent: { text: { text: "x".repeat(900) } } },
      { reasoningContent: { reasoningText: { text: "x".repeat(900), signature: "s" } } },
      { reasoningContent: { redactedContent: "x".repeat(900) } },
      { citationsContent: { content: [{ text: "x".repeat(900) }] } },
      { searchResult: { title: "t", source: "u", content: [{ text: "x".repeat(900) }] } },
      { toolResult: { toolUseId: "1", content: [{ text: "x".repeat(900) }] } },
    ]) {
      expect(tokens(block)).toBeGreaterThanOrEqual(300);
    }
  });

  it("holds room for what a wanted form of the answer brings along", () => {
    const tokens = (more: object): number =>
      aCall(prices, { messages: [], ...more }, asked(SONNET, "converse", null).given).inputTokens;
    expect(tokens({ outputConfig: {} }) - tokens({})).toBeGreaterThanOrEqual(100);
  });

  it("holds the price of the tier and the latency that it asks for, and of a cache for an hour", () => {
    const cost = (more: object): number => {
      const { body, given } = asked("us.amazon.nova-pro-v1:0", "converse", { ...CONVERSE, ...more });
      return aCall(prices, body, given).cost.total;
    };
    expect(cost({ serviceTier: { type: "priority" } }) / cost({})).toBeCloseTo(1.75, 2);
    expect(cost({ performanceConfig: { latency: "optimized" } }) / cost({})).toBeCloseTo(1.25, 2);
    expect(cost({ serviceTier: { type: "flex" } })).toBe(cost({}));
    expect(cost({ system: [{ cachePoint: { type: "default", ttl: "1h" } }] })).toBeGreaterThan(cost({}));
  });

  it("is known by the address where the body cannot be read", () => {
    const { given } = asked(SONNET, "converse-stream", null);
    expect(readCall(aRequest(prices, null, given))?.call).toMatchObject({ modelAsSent: SONNET, stream: true });
  });

  it("numbers its attempts as the SDK of AWS does", () => {
    const retry = (header: string) =>
      aCall(prices, CONVERSE, asked(SONNET, "converse", null, { "amz-sdk-request": header }).given).sdkRetry;
    expect(retry("attempt=1; max=3")).toBe(0);
    expect(retry("attempt=3; max=3")).toBe(2);
    expect(retry("attempt=0")).toBeNull();
    expect(retry("ttl=20260101T000000Z")).toBeNull();
  });
});

describe("an InvokeModel request", () => {
  it.each([
    [SONNET, { anthropic_version: "bedrock-2023-05-31", max_tokens: 55, messages: [{ role: "user", content: "Hi" }] }],
    [
      "amazon.nova-lite-v1:0",
      { messages: [{ role: "user", content: [{ text: "Hi" }] }], inferenceConfig: { maxTokens: 55 } },
    ],
    [
      "amazon.nova-lite-v1:0",
      { messages: [{ role: "user", content: [{ text: "Hi" }] }], inferenceConfig: { max_new_tokens: 55 } },
    ],
    ["meta.llama3-8b-instruct-v1:0", { prompt: "Hi", max_gen_len: 55 }],
    ["mistral.mistral-large-2402-v1:0", { prompt: "<s>Hi", max_tokens: 55 }],
    ["mistral.pixtral-large-2502-v1:0", { messages: [{ role: "user", content: "Hi" }], max_tokens: 55 }],
    ["amazon.titan-text-express-v1", { inputText: "Hi", textGenerationConfig: { maxTokenCount: 55 } }],
    ["openai.gpt-oss-120b-1:0", { messages: [{ role: "user", content: "Hi" }], max_completion_tokens: 55 }],
  ])("of %s is read in its own words: %j", (model, body) => {
    const call = aCall(prices, body, asked(model, "invoke-with-response-stream", null).given);
    expect(call).toMatchObject({ modelAsSent: model, maxTokens: 55, stream: true, unpriced: false });
    expect(call.fingerprint).not.toBeNull();
    expect(call.inputTokens).toBeLessThan(100);
  });

  it("of an embedding model counts its texts and pictures", () => {
    const tokens = (body: unknown): number =>
      aCall(prices, body, asked("cohere.embed-v4:0", "invoke", null).given).inputTokens;
    expect(tokens({ texts: ["x".repeat(300), "y".repeat(300)] })).toBe(200);
    expect(tokens({ inputText: "x".repeat(300) })).toBe(100);
    expect(tokens({ images: ["data:image/png;base64,AAAA"] })).toBeGreaterThanOrEqual(4_784);
    const nova = { singleEmbeddingParams: { embeddingPurpose: "X", text: { value: "x".repeat(300) } } };
    expect(tokens(nova)).toBeGreaterThanOrEqual(100);
  });

  it("holds the price of the tier in its headers", () => {
    const cost = (headers: Record<string, string>): number =>
      aCall(
        prices,
        { prompt: "Hi", max_gen_len: 900 },
        asked("meta.llama3-8b-instruct-v1:0", "invoke", null, headers).given,
      ).cost.total;
    expect(cost({ "x-amzn-bedrock-service-tier": "priority" }) / cost({})).toBeCloseTo(1.75, 1);
  });
});

/** What a reader makes of a body or of events. */
function told(
  model: string,
  verb: string,
  events: readonly unknown[],
  headers: Record<string, string> = {},
): ResponseFacts {
  const path = `/model/${encodeURIComponent(model)}/${verb}`;
  const { operation } = bedrock.endpoint("POST", path);
  const reader = bedrock.usageReader(operation, { path, headers });
  for (const event of events) reader.take(event);
  return reader.facts();
}

describe("an answer of Converse", () => {
  it("leaves cached tokens out of its input, and we do not", () => {
    const counts = {
      inputTokens: 10,
      outputTokens: 20,
      totalTokens: 980,
      cacheReadInputTokens: 600,
      cacheWriteInputTokens: 350,
      cacheDetails: [
        { ttl: "1h", inputTokens: 200 },
        { ttl: "5m", inputTokens: 150 },
      ],
    };
    const facts = told(SONNET, "converse", [{ output: {}, stopReason: "end_turn", usage: counts }], {
      "x-amzn-requestid": "r1",
    });
    expect(facts).toMatchObject({ model: null, responseId: "r1", finishReasons: ["end_turn"] });
    expect(facts.portions).toEqual([
      {
        model: null,
        usage: usage({
          inputTokens: 960,
          outputTokens: 20,
          cacheReadTokens: 600,
          cacheWriteTokens: 150,
          cacheWriteHourTokens: 200,
        }),
      },
    ]);
  });

  it("tells its usage in the last event of a stream", () => {
    const facts = told(SONNET, "converse-stream", [
      { messageStart: { role: "assistant" } },
      { messageStop: { stopReason: "tool_use" } },
      {
        metadata: {
          usage: { inputTokens: 5, outputTokens: 7, totalTokens: 12 },
          serviceTier: { type: "flex" },
          performanceConfig: { latency: "optimized" },
        },
      },
    ]);
    expect(facts.portions[0]?.usage).toEqual(usage({ inputTokens: 5, outputTokens: 7 }));
    expect(facts).toMatchObject({ finishReasons: ["tool_use"], terms: { tier: "flex", speed: "optimized" } });
  });

  it("names the model that a router chose, by its own name where the asked one does not tell", () => {
    const arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-3-5-haiku-20241022-v1:0";
    const router = "arn:aws:bedrock:us-east-1:123456789012:default-prompt-router/anthropic.claude:1";
    const body = { usage: { inputTokens: 1, outputTokens: 1 }, trace: { promptRouter: { invokedModelId: arn } } };
    expect(told(router, "converse", [body]).model).toBe("us.anthropic.claude-3-5-haiku-20241022-v1:0");
    expect(told(SONNET, "converse", [body]).model).toBeNull();
  });

  it("that breaks off says so, and is told apart from one without an end", () => {
    const delta = { contentBlockDelta: { delta: { text: "a" } } };
    const broken = told(SONNET, "converse-stream", [delta, { modelStreamErrorException: { message: "x" } }]);
    expect(broken).toMatchObject({ portions: [], finishReasons: ["modelStreamErrorException"] });
    expect(told(SONNET, "converse-stream", [delta])).toMatchObject({ portions: [], finishReasons: [] });
  });
});

const METRICS = { inputTokenCount: 8, outputTokenCount: 9, invocationLatency: 10, firstByteLatency: 2 };

describe("an answer of InvokeModel", () => {
  const claude = {
    type: "message",
    id: "msg_1",
    model: "claude-sonnet-4-5-20250929",
    stop_reason: "end_turn",
    content: [],
    usage: { input_tokens: 4, cache_read_input_tokens: 3, cache_creation_input_tokens: 2, output_tokens: 5 },
  };
  const ofClaude = usage({ inputTokens: 9, outputTokens: 5, cacheReadTokens: 3, cacheWriteTokens: 2 });

  it("of Claude is priced as what was asked: its own name has no region", () => {
    const facts = told(SONNET, "invoke", [claude]);
    expect(facts).toMatchObject({ model: null, responseId: "msg_1", finishReasons: ["end_turn"] });
    expect(facts.portions).toEqual([{ model: null, usage: ofClaude }]);
  });

  it("of Claude behind a profile of the account is priced as what answered", () => {
    const facts = told("application-inference-profile/x1", "invoke", [claude]);
    expect(facts).toMatchObject({ model: "anthropic.claude-sonnet-4-5-20250929", portions: [{ model: null }] });
  });

  it("of Claude is read from its own events, the figures at the end being the same", () => {
    const { usage: counts, ...message } = claude;
    const facts = told(SONNET, "invoke-with-response-stream", [
      { type: "message_start", message: { ...message, stop_reason: null, usage: { ...counts, output_tokens: 1 } } },
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 5 } },
      { type: "message_stop", "amazon-bedrock-invocationMetrics": METRICS },
    ]);
    expect(facts).toMatchObject({ portions: [{ usage: ofClaude }], finishReasons: ["end_turn"] });
  });

  it.each([
    [
      "meta.llama3-8b-instruct-v1:0",
      { generation: "x", prompt_token_count: 8, generation_token_count: 9, stop_reason: "stop" },
    ],
    [
      "amazon.nova-lite-v1:0",
      { output: {}, stopReason: "stop", usage: { inputTokens: 8, outputTokens: 9, cacheReadInputTokenCount: 0 } },
    ],
    [
      "amazon.titan-text-express-v1",
      { inputTextTokenCount: 8, results: [{ tokenCount: 9, completionReason: "stop" }] },
    ],
    [
      "mistral.pixtral-large-2502-v1:0",
      { choices: [{ finish_reason: "stop" }], usage: { prompt_tokens: 8, completion_tokens: 9 } },
    ],
    ["cohere.command-r-v1:0", { finish_reason: "stop", meta: { billed_units: { input_tokens: 8, output_tokens: 9 } } }],
  ])("of %s is read in its own words", (model, body) => {
    const facts = told(model, "invoke", [body]);
    expect(facts.portions).toEqual([{ model: null, usage: usage({ inputTokens: 8, outputTokens: 9 }) }]);
    expect(facts.finishReasons).toEqual(["stop"]);
  });

  it("of a model without figures of its own is read from the last event of a stream", () => {
    const facts = told("mistral.mistral-7b-instruct-v0:2", "invoke-with-response-stream", [
      { outputs: [{ text: "x", stop_reason: null }] },
      { outputs: [{ text: "", stop_reason: "stop" }], "amazon-bedrock-invocationMetrics": METRICS },
    ]);
    expect(facts.portions[0]?.usage).toEqual(usage({ inputTokens: 8, outputTokens: 9 }));
    expect(facts.finishReasons).toEqual(["stop"]);
    const silent = told("mistral.mistral-7b-instruct-v0:2", "invoke-with-response-stream", [
      { "amazon-bedrock-invocationMetrics": { ...METRICS, cacheReadInputTokenCount: 4 } },
    ]);
    expect(silent.portions[0]?.usage).toMatchObject({ inputTokens: 12, cacheReadTokens: 4 });
    expect(silent.finishReasons).toEqual(["end"]);
  });

  it("counts itself before Bedrock does", () => {
    const facts = told("meta.llama3-8b-instruct-v1:0", "invoke-with-response-stream", [
      {
        stop_reason: "stop",
        prompt_token_count: 3,
        generation_token_count: 4,
        "amazon-bedrock-invocationMetrics": METRICS,
      },
    ]);
    expect(facts.portions[0]?.usage).toEqual(usage({ inputTokens: 3, outputTokens: 4 }));
  });

  it("is read from its headers where the body says nothing", () => {
    const headers = {
      "x-amzn-bedrock-input-token-count": "8",
      "x-amzn-bedrock-output-token-count": "9",
      "x-amzn-bedrock-cache-read-input-token-count": "2",
      "x-amzn-bedrock-cache-write-input-token-count": "1",
      "x-amzn-bedrock-service-tier": "flex",
    };
    const facts = told(
      "mistral.mistral-7b-instruct-v0:2",
      "invoke",
      [{ outputs: [{ text: "x", stop_reason: "stop" }] }],
      headers,
    );
    expect(facts.portions[0]?.usage).toEqual(
      usage({ inputTokens: 11, outputTokens: 9, cacheReadTokens: 2, cacheWriteTokens: 1 }),
    );
    expect(facts.terms.tier).toBe("flex");
    expect(told("cohere.embed-v4:0", "invoke", [{ embeddings: [] }]).portions).toEqual([]);
    expect(
      told("cohere.embed-v4:0", "invoke", [{ embeddings: [] }], { "x-amzn-bedrock-input-token-count": "x" }).portions,
    ).toEqual([]);
  });

  it("of an embedding model tells its input", () => {
    const facts = told("amazon.titan-embed-text-v2:0", "invoke", [{ embedding: [0.1], inputTextTokenCount: 4 }]);
    expect(facts.portions[0]?.usage).toEqual(usage({ inputTokens: 4 }));
  });
});

describe("the endpoints in the words of others", () => {
  it("are priced as what was asked, whatever the answer calls it", () => {
    const reader = bedrock.usageReader("responses", { path: "/openai/v1/responses", headers: {} });
    reader.take({ model: "gpt-5.5", status: "completed", usage: { input_tokens: 3, output_tokens: 4 } });
    expect(reader.facts()).toMatchObject({ model: null, portions: [{ model: null }], finishReasons: ["completed"] });
    const claude = bedrock.usageReader("messages", { path: "/anthropic/v1/messages", headers: {} });
    claude.take({ type: "message", model: "claude-opus-4-8", usage: { input_tokens: 3, output_tokens: 4 } });
    expect(claude.facts()).toMatchObject({ model: null, portions: [{ model: null }] });
  });

  it("hold room for what the service adds", () => {
    const tokens = (model: string): number => {
      const path = "/v1/chat/completions";
      const given = { recognised: at("bedrock-mantle.us-east-1.api.aws", path), path };
      return aCall(prices, { model, messages: [{ role: "user", content: "Hi" }] }, given).inputTokens;
    };
    expect(tokens("openai.gpt-oss-120b") - tokens("openai.gpt-5.5")).toBe(80);
  });
});

describe("prices", () => {
  const priced = (model: string) => {
    const { card, unpriced } = prices.of("bedrock", model, "converse");
    return [card.base.input / 1e6, card.base.output / 1e6, unpriced];
  };

  it.each([
    [SONNET, 3.3, 16.5],
    ["global.anthropic.claude-sonnet-4-5-20250929-v1:0", 3, 15],
    ["anthropic.claude-sonnet-4-5-20250929-v1:0", 3.3, 16.5],
    ["apac.anthropic.claude-opus-4-8", 5.5, 27.5],
    ["apac.amazon.nova-2-lite-v1:0", 0.33, 2.75],
    ["openai.gpt-oss-120b", 0.15, 0.6],
    ["meta.llama3-1-70b-instruct-v1:0:128k", 0.72, 0.72],
  ])("%s costs $%d and $%d a million", (model, input, output) => {
    expect(priced(model)).toEqual([input, output, false]);
  });

  it("of a model that its table has not are those of its maker", () => {
    const { card, unpriced } = prices.of("bedrock", "us.cohere.embed-v4:0", "embeddings");
    expect([card.base.input, unpriced]).toEqual([120_000, false]);
    expect(priced("mistral.mistral-large-2407-v1:0")).toEqual([2, 6, false]);
  });

  it("are unknown for a router until it says whom it chose", () => {
    expect(priced("default-prompt-router/anthropic.claude:1")[2]).toBe(true);
    expect(priced("ai21.jamba-1-5-large-v1:0")[2]).toBe(true);
  });

  it("are unknown for a profile of the account, unless the deployment gives one", async () => {
    expect(priced("application-inference-profile/x1")[2]).toBe(true);
    const own = await loadPrices({ x1: { input: 1, output: 2 } });
    expect(own.of("bedrock", "application-inference-profile/x1", "converse")).toMatchObject({ unpriced: false });
  });

  it("follow the tier and the latency that served", () => {
    const times = (tier: string | null, speed: string | null) =>
      multiplier("bedrock", "nova-pro", { tier, speed, region: null });
    expect(times("priority", null)).toBe(1750);
    expect(times("flex", null)).toBe(500);
    expect(times("default", "optimized")).toBe(1250);
    expect(times("reserved", null)).toBe(1000);
    expect(times("standard", null)).toBe(1000);
  });
});

function capped(operation: Operation, body: object, tokens = 100): unknown {
  const result = capOutput(bedrock, operation, Buffer.from(JSON.stringify(body)), tokens);
  return result.kind === "capped" ? JSON.parse(result.body.toString()) : result.kind;
}

describe("a cap", () => {
  const messages = [{ role: "user", content: [{ text: "Hi" }] }];

  it("is written into inferenceConfig, which is added where there is none", () => {
    expect(capped("converse", { messages })).toEqual({ messages, inferenceConfig: { maxTokens: 100 } });
    expect(capped("converse", { messages, inferenceConfig: { topP: 1 } })).toEqual({
      messages,
      inferenceConfig: { topP: 1, maxTokens: 100 },
    });
    expect(capped("converse", { inferenceConfig: { maxTokens: 500 } })).toEqual({
      inferenceConfig: { maxTokens: 100 },
    });
    expect(capped("converse", { inferenceConfig: { maxTokens: 100 } })).toBe("unchanged");
  });

  it("keeps a thinking budget under it", () => {
    const body = (budget: number) => ({
      inferenceConfig: { maxTokens: 16_000 },
      additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: budget } },
    });
    expect(capped("converse", body(8000), 4000)).toMatchObject({
      inferenceConfig: { maxTokens: 4000 },
      additionalModelRequestFields: { thinking: { budget_tokens: 2000 } },
    });
    expect(capped("converse", body(2000), 4000)).toMatchObject({
      additionalModelRequestFields: { thinking: { budget_tokens: 2000 } },
    });
    expect(capped("converse", body(8000), 1000)).toBe("impossible");
  });

  it("is written into a model's own words where they name a limit", () => {
    const anthropic_version = "bedrock-2023-05-31";
    expect(capped("invoke", { anthropic_version, max_tokens: 500 })).toEqual({ anthropic_version, max_tokens: 100 });
    expect(capped("invoke", { messages, schemaVersion: "messages-v1" })).toMatchObject({
      inferenceConfig: { maxTokens: 100 },
    });
    expect(capped("invoke", { messages, inferenceConfig: { max_new_tokens: 500 } })).toMatchObject({
      inferenceConfig: { max_new_tokens: 100 },
    });
    expect(capped("invoke", { prompt: "Hi", max_gen_len: 500 })).toEqual({ prompt: "Hi", max_gen_len: 100 });
    expect(capped("invoke", { prompt: "Hi", max_gen_len: 50 })).toBe("unchanged");
    expect(capped("invoke", { inputText: "Hi", textGenerationConfig: { maxTokenCount: 500 } })).toEqual({
      inputText: "Hi",
      textGenerationConfig: { maxTokenCount: 100 },
    });
    expect(capped("invoke", { prompt: "Hi" })).toBe("impossible");
    expect(capped("chat", { messages: [{ role: "user", content: "Hi" }], max_tokens: 500 })).toMatchObject({
      max_tokens: 100,
    });
  });
});

describe("a route", () => {
  const to = (operation: Operation, path: string, body: object, model: string) => {
    const result = routeModel(bedrock, operation, path, Buffer.from(JSON.stringify(body)), model);
    return result.kind === "routed" ? result.path : result.why;
  };

  it("is written into the address, and no byte of the body changes", () => {
    const model = "us.amazon.nova-lite-v1:0";
    expect(to("converse", "/model/us.amazon.nova-pro-v1%3A0/converse", {}, model)).toBe(
      "/model/us.amazon.nova-lite-v1%3A0/converse",
    );
    expect(to("converse", "/x/model/arn:aws:bedrock:a:1:inference-profile/m/converse-stream?a=/b", {}, model)).toBe(
      "/x/model/us.amazon.nova-lite-v1%3A0/converse-stream?a=/b",
    );
  });

  it("of a model in its own words goes to others of its maker only", () => {
    const claude = { anthropic_version: "bedrock-2023-05-31" };
    const nova = { messages: [{ role: "user", content: [{ text: "Hi" }] }], inferenceConfig: {} };
    const path = "/model/m/invoke";
    expect(to("invoke", path, claude, "anthropic.claude-opus-4-8")).toBe("/model/anthropic.claude-opus-4-8/invoke");
    expect(to("invoke", path, claude, "amazon.nova-lite-v1:0")).toContain("may not read");
    expect(to("invoke", path, nova, "amazon.nova-lite-v1:0")).toBe("/model/amazon.nova-lite-v1%3A0/invoke");
    expect(to("invoke", path, nova, "amazon.titan-text-express-v1")).toContain("may not read");
    expect(to("invoke", path, { prompt: "Hi" }, "meta.llama3-8b-instruct-v1:0")).toContain("may not read");
  });

  it("is impossible to what Bedrock does not have, and with fields of one model", () => {
    expect(to("converse", "/model/m/converse", {}, "gpt-5-mini")).toContain("no model that is named gpt-5-mini");
    const thinking = { additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 2000 } } };
    expect(to("converse", "/model/m/converse", thinking, "amazon.nova-lite-v1:0")).toContain("model's own");
    expect(to("converse", "/model/m/converse", { additionalModelRequestFields: {} }, "amazon.nova-lite-v1:0")).toBe(
      "/model/amazon.nova-lite-v1%3A0/converse",
    );
  });

  it("in the words of others stands in the body", () => {
    const body = Buffer.from('{"model":"openai.gpt-5.5"}');
    expect(routeModel(bedrock, "responses", "/openai/v1/responses", body, "openai.gpt-oss-20b")).toMatchObject({
      kind: "routed",
      path: null,
      body: Buffer.from('{"model":"openai.gpt-oss-20b"}'),
    });
  });
});

describe("a signed request", () => {
  const sha = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  const authorization =
    "AWS4-HMAC-SHA256 Credential=AK/20261122/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=ab";

  it.each([
    { authorization, "x-amz-content-sha256": sha },
    { authorization },
    { authorization: authorization.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256") },
    { "x-amz-content-sha256": sha },
  ])("cannot be changed: %j", (headers: Record<string, string>) => {
    expect(whyFixed(headers, "/model/m/converse", Buffer.from("{}"))).toBe("the request is signed");
  });

  it("is not one that brings an API key of Bedrock", () => {
    expect(whyFixed({ authorization: "Bearer bedrock-api-key-x" }, "/model/m/converse", Buffer.from("{}"))).toBeNull();
  });
});
