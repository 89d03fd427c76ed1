/**
 * Streams and aborted work as other enforcers got them wrong: each test is named after where its class was reported.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Failure } from "../../src/hook/exchange.ts";
import { endpoints } from "../endpoints/endpoints.ts";
import type { Row } from "../endpoints/row.ts";
import { endWorlds, spent } from "../support/a-guard.ts";
import {
  app,
  asked,
  askingProject,
  CALL,
  fixedCall,
  fixedPrice,
  fixedUsage,
  meterOf,
  status,
} from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import { type Project, project } from "../support/run-app.ts";
import { ask, CLAUDE, cost, guarded, messages, OPENAI, play, sse } from "./asked.ts";

afterEach(endWorlds);

const ABORT: Failure = { kind: "abort", code: "ABORT_ERR" };

/** What any endpoint takes. */
const request = ({ model }: Row, stream: boolean) => ({
  model,
  messages: [{ role: "user", content: "hi" }],
  input: "hi",
  prompt: "hi",
  contents: [{ role: "user", parts: [{ text: "hi" }] }],
  max_tokens: 64,
  ...(stream && { stream }),
});

/** Some providers stream at an address of its own. */
const streamAddress = (url: string): string =>
  url
    .replace(/:generateContent$/, ":streamGenerateContent?alt=sse")
    .replace(/:rawPredict$/, ":streamRawPredict")
    .replace(/\/converse$/, "/converse-stream")
    .replace(/\/invoke$/, "/invoke-with-response-stream");

const streaming = endpoints.flatMap((row) => {
  const whole = row.words?.whole ?? null;
  const beside = endpoints.find(({ url }) => url === streamAddress(row.url));
  const streamed = beside?.words?.streamed ?? null;
  if (whole === null || streamed === null || beside === undefined) return [];
  return [{ url: row.url, row, streamUrl: beside.url, whole, streamed }];
});

describe("every endpoint that streams is among the tests", () => {
  it("with those of Gemini, of Claude on Vertex and of Bedrock", () => {
    const urls = streaming.map(({ streamUrl }) => streamUrl).join("\n");
    expect(streaming.length).toBeGreaterThan(30);
    expect(urls).toContain("/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict");
    expect(urls).toMatch(/generativelanguage.*:streamGenerateContent/);
    expect(urls).toMatch(/bedrock-runtime.*converse-stream/);
  });
});

describe.each(streaming)("$url", ({ url, row, streamUrl, whole, streamed }) => {
  it("litellm #37923: a streamed answer costs what the whole one does, and never nothing", async () => {
    const charged = [];
    for (const [at, wire] of [
      [url, whole],
      [streamUrl, streamed],
    ] as const) {
      const one = guarded();
      await play(one, await ask(one, at, request(row, wire === streamed)), wire);
      charged.push([await cost(one), await spent(one, "tenant.tokens.total")]);
    }
    expect(charged[1]).toEqual(charged[0]);
    const [money, tokens] = charged[0] ?? [];
    expect(tokens?.[0]).toBeGreaterThanOrEqual(100);
    if (!["ollama", "local"].includes(row.provider)) expect(money?.[0]).toBeGreaterThan(0);
  });

  it("litellm PR #33736, #30630, #37558, pollinations #5594: who leaves a stream pays for what came", async () => {
    const one = guarded();
    const half = { ...streamed, body: streamed.body.subarray(0, streamed.body.length / 2) };
    await play(one, await ask(one, streamUrl, request(row, true)), half, ABORT);
    const [tokens, held] = await spent(one, "tenant.tokens.total");
    expect([tokens > 0, held, (await cost(one))[1]]).toEqual([true, 0, 0]);
  });
});

const chunk = (content: string) => ({ model: "gpt-4o", choices: [{ index: 0, delta: { content } }] });
const streamOf = (...pieces: readonly string[]) => ({ type: "text/event-stream", body: sse(...pieces.map(chunk)) });
const asking = { model: "gpt-4o", stream: true, max_tokens: 1_000, messages };

describe("a stream that its caller leaves", () => {
  it("pollinations #5594: costs its input and a token for every three bytes that came", async () => {
    const one = guarded();
    await play(one, await ask(one, OPENAI, asking), streamOf("y".repeat(150), "z".repeat(150)), ABORT);
    expect((await cost(one))[0]).toBeGreaterThanOrEqual(100 * 2_500 + 100 * 10_000);
  });

  it("litellm PR #36008: is charged an estimate that is marked as one, and after a timeout all that was held", async () => {
    const one = guarded();
    await play(one, await ask(one, OPENAI, asking), streamOf("hi"), ABORT);
    const bill = one.ended[0]?.bill;
    expect([bill?.source, bill?.usage.inputTokens]).toEqual(["estimate", one.decided[0]?.call.inputTokens]);
    const other = guarded();
    const passage = await ask(other, OPENAI, asking);
    const [, held] = await cost(other);
    await play(other, passage, streamOf("hi"), { kind: "timeout", code: "UND_ERR_BODY_TIMEOUT" });
    expect(await cost(other)).toEqual([held, 0]);
  });

  it("litellm #30630: costs Anthropic's input as it was told, beside the text that came", async () => {
    const one = guarded();
    const start = { type: "message", model: "claude-sonnet-4-5", usage: { input_tokens: 5_000, output_tokens: 1 } };
    const body = sse(
      { type: "message_start", message: start },
      { type: "content_block_delta", delta: { type: "text_delta", text: "x".repeat(300) } },
    );
    const call = { model: "claude-sonnet-4-5", stream: true, max_tokens: 1_000, messages };
    await play(one, await ask(one, CLAUDE, call), { type: "text/event-stream", body }, ABORT);
    expect((await cost(one))[0]).toBe(5_000 * 3_000 + 100 * 15_000);
  });
});

describe("a stream that tells no usage", () => {
  it("AgentBudget, agentgateway: is charged by its text", async () => {
    const one = guarded();
    const body = sse(chunk("x".repeat(600)), { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
    await play(one, await ask(one, OPENAI, asking), { type: "text/event-stream", body });
    expect((await cost(one))[0]).toBeGreaterThanOrEqual(100 * 2_500 + 200 * 10_000);
    expect(one.ended[0]?.bill.source).toBe("estimate");
  });

  it("agentgateway: is not asked for any: not a byte of the request is changed", async () => {
    const one = guarded();
    expect(await ask(one, OPENAI, asking)).toMatchObject({ kind: "go", body: null });
  });
});

describe("a real process", () => {
  let provider: FakeProvider;
  let at: Project | null = null;
  beforeAll(async () => {
    provider = await fakeProvider({ usage: fixedUsage });
  });
  afterEach(() => {
    at?.remove();
    provider.forget();
  });
  afterAll(() => provider.close());

  it("agentgateway: sees a stream without usage byte for byte as without the guard, and is charged", async () => {
    at = askingProject(provider, { policy: "tenant.total > $1 -> deny\n" });
    const plan = { calls: [fixedCall("the same", { stream: true })] };
    const same = (text = ""): string => text.replace(/loopback-\d+/g, "loopback");
    const [bare] = await asked(at, provider, plan, { flags: [] });
    const [seen] = await asked(at, provider, plan);
    expect(same(seen?.text)).toBe(same(bare?.text));
    expect(provider.requests.map(({ json }) => json)).toEqual([plan.calls[0]?.body, plan.calls[0]?.body]);
    expect(meterOf(await status(at), "tenant.cost.total").spent).toBeGreaterThan(0);
  });

  it.each([
    ["openai", "openai"],
    ["@openai/agents", "openai"],
    ["@anthropic-ai/sdk", "anthropic"],
  ])(
    "openai-node #1505, openai-openapi #539, openai-agents-js #995, OpenRouter SDK #194: %s aborts and pays for what came",
    async (client, speaks) => {
      provider.behave({ usage: fixedUsage, hang: { afterEvents: client === "@openai/agents" ? 6 : 4 } });
      at = project({
        policy: "feature.user.total > $1 -> deny\n",
        files: { "app.mjs": app("matrix") },
        config: { prices: fixedPrice },
        env: { BUDGET_GUARD_HOSTS: `${provider.host}=${speaks}` },
      });
      const identity = { feature: client, user: "abort" };
      await at.run({ args: [provider.url, client, "abort", JSON.stringify([identity])] });
      expect(provider.requests).toHaveLength(1);
      const meter = meterOf(await status(at), "feature.user.cost.total", identity);
      expect(meter.held).toBe(0);
      expect(meter.spent).toBeGreaterThan(0);
      expect(meter.spent).toBeLessThan(CALL);
    },
  );
});
