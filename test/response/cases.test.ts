/**
 * Real failures of other enforcers in what streamed and what it cost: each test is named after where its class was reported.
 */
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Bill, Call, Outcome } from "../../src/call/call.ts";
import { loadPrices, type Prices } from "../../src/call/price.ts";
import { providerNamed } from "../../src/call/providers/all.ts";
import type { Recognised } from "../../src/call/recognise.ts";
import { recogniser } from "../../src/call/recognise.ts";
import { bill } from "../../src/response/bill.ts";
import { createReader } from "../../src/response/reader.ts";
import { ANTHROPIC_MESSAGES, aCall, at, OPENAI_CHAT, OPENAI_RESPONSES } from "../call/builders.ts";
import { decide, endWorlds, world } from "../support/a-guard.ts";

let prices: Prices;
beforeAll(async () => {
  prices = await loadPrices({});
});
afterEach(endWorlds);

const OK: Outcome = { kind: "success", status: 200 };
const ABORTED: Outcome = { kind: "aborted", status: 200 };

const called = (recognised: Recognised, model: string, more: object = {}): Call => {
  const said = { role: "user", content: "x".repeat(300) };
  const body = recognised.operation === "responses" ? { input: [said] } : { messages: [said] };
  return aCall(prices, { model, ...body, ...more }, { recognised });
};

/** The bill of a call that was answered with this text. */
async function billed(call: Call, text: string, outcome: Outcome = OK): Promise<Bill> {
  const provider = providerNamed(call.provider);
  if (provider === null) throw new Error(`no provider ${call.provider}`);
  const reader = createReader({ provider, operation: call.operation, status: 200, path: call.path, headers: {} });
  reader.push(Buffer.from(text));
  return bill({ call, reading: await reader.finish(), outcome, prices });
}

const events = (...all: readonly object[]): string => all.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");

const chatUsage = { prompt_tokens: 100, completion_tokens: 40, total_tokens: 140 };
const chatChunk = (content: string, rest: object = {}) => ({
  model: "gpt-4o-2024-08-06",
  choices: [{ index: 0, delta: { content }, finish_reason: null }],
  ...rest,
});
const claudeStart = (usage: object) => ({
  type: "message_start",
  message: { id: "m", type: "message", model: "claude-sonnet-4-5", usage },
});
const claudeText = (text: string) => ({ type: "content_block_delta", delta: { type: "text_delta", text } });
const claudeEnd = (usage: object) => ({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage });

describe("streams and aborted work", () => {
  it.each([
    [
      "chat completions",
      () => called(OPENAI_CHAT, "gpt-4o"),
      JSON.stringify({ model: "gpt-4o-2024-08-06", choices: [{ finish_reason: "stop" }], usage: chatUsage }),
      events(
        chatChunk("hi"),
        { choices: [{ delta: {}, finish_reason: "stop" }] },
        { model: "gpt-4o-2024-08-06", choices: [], usage: chatUsage },
      ),
    ],
    [
      "responses",
      () => called(OPENAI_RESPONSES, "gpt-5"),
      JSON.stringify({ id: "r", model: "gpt-5", status: "completed", usage: { input_tokens: 100, output_tokens: 40 } }),
      events(
        { type: "response.created", response: { id: "r", model: "gpt-5", status: "in_progress" } },
        { type: "response.output_text.delta", delta: "hi" },
        {
          type: "response.completed",
          response: { id: "r", model: "gpt-5", status: "completed", usage: { input_tokens: 100, output_tokens: 40 } },
        },
      ),
    ],
    [
      "messages",
      () => called(ANTHROPIC_MESSAGES, "claude-sonnet-4-5"),
      JSON.stringify({
        id: "m",
        type: "message",
        model: "claude-sonnet-4-5",
        stop_reason: "end_turn",
        usage: { input_tokens: 100, output_tokens: 40 },
      }),
      events(claudeStart({ input_tokens: 100, output_tokens: 1 }), claudeText("hi"), claudeEnd({ output_tokens: 40 })),
    ],
  ] as const)("of %s cost what the same answer costs whole (litellm #37923)", async (_name, call, whole, stream) => {
    const [one, other] = [await billed(call(), whole), await billed(call(), stream)];
    expect(one.cost.total).toBeGreaterThan(0);
    expect(other.cost).toEqual(one.cost);
    expect([one.source, other.source]).toEqual(["local", "local"]);
  });

  it.each([
    ["chat completions", () => called(OPENAI_CHAT, "gpt-4o", { stream: true }), events(chatChunk("x".repeat(300)))],
    [
      "messages",
      () => called(ANTHROPIC_MESSAGES, "claude-sonnet-4-5", { stream: true, max_tokens: 4_000 }),
      events(claudeStart({ input_tokens: 100, output_tokens: 1 }), claudeText("x".repeat(300))),
    ],
  ] as const)(
    "of %s that are aborted cost their input and what streamed (litellm PR #33736, #30630, #37558; pollinations #5594; openai-node #1505, openai-agents-js #995)",
    async (_name, call, stream) => {
      const made = call();
      const paid = await billed(made, stream, ABORTED);
      expect(paid.usage.inputTokens).toBeGreaterThanOrEqual(100);
      expect(paid.usage.outputTokens).toBeGreaterThanOrEqual(100);
      expect(paid.cost.input).toBeGreaterThan(0);
      expect(paid.cost.output).toBeGreaterThan(0);
    },
  );

  it("that the caller left are charged an estimate, marked as one, not the drained chunks alone (litellm PR #36008)", async () => {
    const call = called(OPENAI_CHAT, "gpt-4o", { stream: true, max_tokens: 1_000 });
    const [aborted, timedOut] = [
      await billed(call, events(chatChunk("hi")), ABORTED),
      await billed(call, events(chatChunk("hi")), { kind: "timeout", status: 200 }),
    ];
    expect([aborted.source, timedOut.source]).toEqual(["estimate", "estimate"]);
    expect(aborted.usage.inputTokens).toBe(call.inputTokens);
    // Nobody listens any more, and the provider writes on.
    expect(timedOut.usage.outputTokens).toBe(call.outputTokens);
  });

  it("that tell no usage are charged by their text, never nothing (AgentBudget, agentgateway)", async () => {
    const stream = events(chatChunk("x".repeat(600)), { choices: [{ delta: {}, finish_reason: "stop" }] });
    const paid = await billed(called(OPENAI_CHAT, "gpt-4o", { stream: true }), stream);
    expect(paid.source).toBe("estimate");
    expect(paid.usage.outputTokens).toBeGreaterThanOrEqual(200);
  });
});

describe("prices", () => {
  it("of a model that nobody knows are the dearest, and say so; tokens are counted as ever (litellm PR #36561, openclaw #85858, litellm-rs #831, nika #1368)", async () => {
    const recognise = recogniser({ hosts: new Map() });
    const typo = { model: "gpt-4oo", max_tokens: 1_000, messages: [{ role: "user", content: "hi" }] };
    const wishes = { hostname: "api.openai.com", body: Buffer.from(JSON.stringify(typo)) };
    const money = world("tenant.daily > $0.02 -> deny", {}, { recognise });
    expect((await decide(money, wishes)).kind).toBe("refuse");
    const flagged = world("call.unpriced -> deny", {}, { recognise });
    const refused = await decide(flagged, wishes);
    expect(refused.kind === "refuse" && refused.answer.body.toString()).toContain("gpt-4oo");
    const tokens = world("tenant.tokens.daily > 10K -> deny", {}, { recognise });
    expect((await decide(tokens, wishes)).kind).toBe("go");
    expect(tokens.said.join("\n")).toContain("no price is known for gpt-4oo");
  });

  it.each([
    [
      "OpenAI counts cached tokens among the input",
      OPENAI_CHAT,
      "gpt-4o",
      { prompt_tokens: 1_000, completion_tokens: 10, prompt_tokens_details: { cached_tokens: 800 } },
      200 * 2_500 + 800 * 1_250 + 10 * 10_000,
    ],
    [
      "Anthropic does not",
      ANTHROPIC_MESSAGES,
      "claude-sonnet-4-5",
      { input_tokens: 200, output_tokens: 10, cache_read_input_tokens: 800, cache_creation_input_tokens: 100 },
      200 * 3_000 + 800 * 300 + 100 * 3_750 + 10 * 15_000,
    ],
    [
      "Anthropic's input may be smaller than what was cached",
      ANTHROPIC_MESSAGES,
      "claude-sonnet-4-5",
      { input_tokens: 5, output_tokens: 10, cache_read_input_tokens: 90_000 },
      5 * 3_000 + 90_000 * 300 + 10 * 15_000,
    ],
  ] as const)(
    "count each token once: %s (pi #2148, aider #5516, openusage #360; graalvm-metadata #8975, gnhf #212)",
    async (_name, recognised, model, usage, nano) => {
      const answer = { id: "m", type: "message", model, stop_reason: "end_turn", usage };
      const paid = await billed(called(recognised, model), JSON.stringify(answer));
      expect(paid.cost.total).toBe(nano);
      expect(paid.usage.inputTokens).toBeGreaterThanOrEqual(paid.usage.cacheReadTokens);
    },
  );

  it("count reasoning once, within the output or beside it (litellm #18599, PR #35925, civitai #3815, OpenAnt #211)", async () => {
    const inside = { prompt_tokens: 100, completion_tokens: 500, total_tokens: 600 };
    const beside = { prompt_tokens: 100, completion_tokens: 200, total_tokens: 600 };
    const details = { completion_tokens_details: { reasoning_tokens: 300 } };
    const answer = (usage: object) => JSON.stringify({ model: "o3", choices: [{ finish_reason: "stop" }], usage });
    const one = await billed(called(OPENAI_CHAT, "o3"), answer({ ...inside, ...details }));
    const other = await billed(called(OPENAI_CHAT, "o3"), answer({ ...beside, ...details }));
    expect(one.cost).toEqual(other.cost);
    expect([one.usage.outputTokens, one.usage.reasoningTokens]).toEqual([500, 300]);
    expect(one.cost.output + one.cost.reasoning).toBe(500 * 8_000);
  });

  it("of a long prompt hold for all of it, cached tokens counted in (litellm #30135, #15338, tokscale #862, opik #6982)", async () => {
    const usage = { input_tokens: 270_540, output_tokens: 100, cache_read_input_tokens: 7_936 };
    const answer = { id: "m", type: "message", model: "claude-sonnet-4-5", stop_reason: "end_turn", usage };
    const paid = await billed(called(ANTHROPIC_MESSAGES, "claude-sonnet-4-5"), JSON.stringify(answer));
    expect(paid.cost.total).toBe(270_540 * 6_000 + 7_936 * 600 + 100 * 22_500);
    const short = { ...answer, usage: { ...usage, input_tokens: 192_000 } };
    const under = await billed(called(ANTHROPIC_MESSAGES, "claude-sonnet-4-5"), JSON.stringify(short));
    expect(under.cost.input).toBe(192_000 * 3_000);
  });

  it("of a long prompt are held before the call too (litellm PR #40002)", () => {
    const long = called(ANTHROPIC_MESSAGES, "claude-sonnet-4-5", {
      max_tokens: 10,
      messages: [{ role: "user", content: "x".repeat(900_000) }],
    });
    expect(long.inputTokens).toBeGreaterThanOrEqual(300_000);
    expect(long.cost.input + long.cost.cacheWrite).toBeGreaterThanOrEqual(300_000 * 6_000);
  });

  it("have the fees of server tools in them (litellm #15227)", async () => {
    const usage = {
      input_tokens: 100,
      output_tokens: 10,
      server_tool_use: { web_search_requests: 2, web_fetch_requests: 5 },
    };
    const answer = { id: "m", type: "message", model: "claude-sonnet-4-5", stop_reason: "end_turn", usage };
    const paid = await billed(called(ANTHROPIC_MESSAGES, "claude-sonnet-4-5"), JSON.stringify(answer));
    // Pages that are fetched cost nothing but their tokens.
    expect([paid.cost.tools, paid.cost.total]).toEqual([20_000_000, 20_000_000 + 100 * 3_000 + 10 * 15_000]);
  });

  it("are refused where a slip of units makes them absurd, and a wrong one blocks nobody (litellm #20615, #22726)", async () => {
    await expect(loadPrices({ m: { input: 2_500_000, output: 1 } })).rejects.toThrow("over $10000 per million");
  });

  it("follow the tier that was served, and the model that answered, and fall back to the request, never to nothing", async () => {
    const answer = (more: object) =>
      JSON.stringify({ choices: [{ finish_reason: "stop" }], usage: chatUsage, ...more });
    const nano = 100 * 2_500 + 40 * 10_000;
    const cost = async (more: object, asked: object = {}): Promise<number> =>
      (await billed(called(OPENAI_CHAT, "gpt-4o", asked), answer(more))).cost.total;
    expect(await cost({ model: "gpt-4o", service_tier: "flex" })).toBe(nano / 2);
    expect(await cost({ model: "gpt-4o", service_tier: "default" }, { service_tier: "flex" })).toBe(nano);
    expect(await cost({ model: "gpt-4o-mini" })).toBe(100 * 150 + 40 * 600);
    expect(await cost({ model: "nobody-knows-1" })).toBe(nano);
    expect(await cost({})).toBe(nano);
  });

  it("of an hour in the cache are twice the input's, in the bill and in the hold", async () => {
    const cache_creation = { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 1_000 };
    const usage = { input_tokens: 10, output_tokens: 1, cache_creation_input_tokens: 1_000, cache_creation };
    const answer = { id: "m", type: "message", model: "claude-sonnet-4-5", stop_reason: "end_turn", usage };
    const hour = { cache_control: { type: "ephemeral", ttl: "1h" } };
    const call = called(ANTHROPIC_MESSAGES, "claude-sonnet-4-5", hour);
    expect((await billed(call, JSON.stringify(answer))).cost.cacheWrite).toBe(1_000 * 6_000);
    expect(call.cost.cacheWrite).toBe(call.inputTokens * 6_000);
  });

  it("of code that runs in Anthropic's containers are nothing within the free hours, and what the deployment says beyond", async () => {
    const usage = { input_tokens: 100, output_tokens: 10 };
    const container = { id: "container_1", expires_at: "2026-12-01T00:00:00Z" };
    const answer = { id: "m", type: "message", model: "claude-sonnet-4-5", stop_reason: "end_turn", usage, container };
    const call = called(ANTHROPIC_MESSAGES, "claude-sonnet-4-5");
    const paid = await billed(call, JSON.stringify(answer));
    expect([paid.usage.units, paid.cost.tools]).toEqual([{ codeSessions: 1 }, 0]);
    const beyond = await loadPrices({ "anthropic/*": { units: { codeSessions: 0.004167 } } });
    const provider = providerNamed("anthropic");
    if (provider === null) throw new Error("no anthropic");
    const reader = createReader({ provider, operation: "messages", status: 200, path: "", headers: {} });
    reader.push(Buffer.from(JSON.stringify(answer)));
    const charged = bill({ call, reading: await reader.finish(), outcome: OK, prices: beyond });
    expect(charged.cost.tools).toBe(4_167_000);
  });

  it("of counting tokens are none", () => {
    expect(at("api.anthropic.com", "/v1/messages/count_tokens").spending).toBe("free");
    expect(at("api.openai.com", "/v1/responses/input_tokens").spending).toBe("free");
    expect(at("api.openai.com", "/v1/moderations").spending).toBe("free");
  });
});
