/**
 * Prices as other enforcers got them wrong: each test is named after where its class was reported.
 */
import { afterEach, describe, expect, it } from "vitest";
import { loadPrices } from "../../src/call/price.ts";
import { endWorlds, message } from "../support/a-guard.ts";
import { project } from "../support/run-app.ts";
import { ask, CLAUDE, cost, GEMINI, guarded, messages, OPENAI, paid } from "./asked.ts";

afterEach(endWorlds);

const openai = (model: string, usage: object): Promise<number> =>
  paid(OPENAI, { model, messages }, { model, choices: [{ finish_reason: "stop" }], usage });
const claude = (usage: object): Promise<number> => {
  const model = "claude-sonnet-4-5";
  return paid(
    CLAUDE,
    { model, max_tokens: 9, messages },
    { type: "message", id: "m", model, stop_reason: "end_turn", usage },
  );
};
const gemini = (usageMetadata: object): Promise<number> =>
  paid(
    GEMINI,
    { contents: [] },
    { modelVersion: "gemini-2.5-pro", candidates: [{ finishReason: "STOP" }], usageMetadata },
  );

describe("a model that nobody knows", () => {
  const NAMES = "litellm PR #36561, openclaw #85858, litellm-rs #831, nika #1368, Vigil #985, iterion #473";
  const typo = { model: "gpt-4oo", max_tokens: 1_000, messages };

  it(`${NAMES}: is held at the dearest price under a rule on money, and refused where that does not fit`, async () => {
    const one = guarded("tenant.daily > $0.02 -> deny");
    expect(message(await ask(one, OPENAI, typo))).toContain("$0.02");
    const known = guarded("tenant.daily > $0.02 -> deny");
    expect((await ask(known, OPENAI, { ...typo, model: "gpt-4o" })).kind).toBe("go");
  });

  it(`${NAMES}: is refused by name where the policy says so`, async () => {
    const one = guarded("call.unpriced -> deny");
    const said = message(await ask(one, OPENAI, typo));
    expect(said).toContain("gpt-4oo");
    expect(said).toContain("price");
    expect((await ask(one, OPENAI, { ...typo, model: "gpt-4o" })).kind).toBe("go");
  });

  it(`${NAMES}: passes under a rule on tokens, and is told of`, async () => {
    const one = guarded("tenant.tokens.daily > 10K -> deny");
    expect((await ask(one, OPENAI, typo)).kind).toBe("go");
    expect(one.said.join("\n")).toContain("no price is known for gpt-4oo");
    expect((await cost(one))[1]).toBeGreaterThan(0);
  });
});

describe("pi #2148, aider #5516, openusage #360, opencrabs #1636, agent-studio #238: cached tokens are billed once", () => {
  it("where they are counted among the input (OpenAI)", async () => {
    const usage = { prompt_tokens: 1_000, completion_tokens: 10, prompt_tokens_details: { cached_tokens: 800 } };
    expect(await openai("gpt-4o", usage)).toBe(200 * 2_500 + 800 * 1_250 + 10 * 10_000);
  });

  it("where they stand beside it (Anthropic)", async () => {
    const cached = { cache_read_input_tokens: 800, cache_creation_input_tokens: 100 };
    const nano = 200 * 3_000 + 800 * 300 + 100 * 3_750 + 10 * 15_000;
    expect(await claude({ input_tokens: 200, output_tokens: 10, ...cached })).toBe(nano);
  });

  it("where they are counted among the input (Gemini)", async () => {
    const usage = { promptTokenCount: 1_000, cachedContentTokenCount: 800, candidatesTokenCount: 10 };
    expect(await gemini(usage)).toBe(200 * 1_250 + 800 * 125 + 10 * 10_000);
  });
});

it("graalvm-metadata #8975, gnhf #212: an input smaller than what was cached is not taken for less than nothing", async () => {
  const usage = { input_tokens: 5, output_tokens: 10, cache_read_input_tokens: 90_000 };
  expect(await claude(usage)).toBe(5 * 3_000 + 90_000 * 300 + 10 * 15_000);
});

describe("litellm #18599, PR #35925, civitai #3815, OpenAnt #211: reasoning is billed once, as output", () => {
  it("where it is counted within the output (OpenAI)", async () => {
    const usage = { prompt_tokens: 100, completion_tokens: 500, total_tokens: 600 };
    const details = { completion_tokens_details: { reasoning_tokens: 300 } };
    expect(await openai("o3", { ...usage, ...details })).toBe(100 * 2_000 + 500 * 8_000);
  });

  it("where it stands beside the output, as the total tells", async () => {
    const usage = { prompt_tokens: 100, completion_tokens: 200, total_tokens: 600 };
    const details = { completion_tokens_details: { reasoning_tokens: 300 } };
    expect(await openai("o3", { ...usage, ...details })).toBe(100 * 2_000 + 500 * 8_000);
  });

  it("where it stands beside the answer (Gemini's thoughts)", async () => {
    const usage = { promptTokenCount: 100, candidatesTokenCount: 200, thoughtsTokenCount: 300, totalTokenCount: 600 };
    expect(await gemini(usage)).toBe(100 * 1_250 + 500 * 10_000);
  });
});

describe("litellm #30135, #15338, tokscale #862, claude-code-hub #869, opik #6982: a long prompt is dearer as a whole", () => {
  it("by all that was read, cached tokens counted in", async () => {
    const usage = { prompt_tokens: 278_476, completion_tokens: 10, prompt_tokens_details: { cached_tokens: 7_936 } };
    expect(await openai("gpt-5.4", usage)).toBe(270_540 * 5_000 + 7_936 * 500 + 10 * 22_500);
    expect(await openai("gpt-5.4", { ...usage, prompt_tokens: 200_000 })).toBe(
      192_064 * 2_500 + 7_936 * 250 + 10 * 15_000,
    );
  });

  it("where only the cached tokens take it past the mark (Anthropic)", async () => {
    const usage = { input_tokens: 195_000, output_tokens: 100, cache_read_input_tokens: 7_936 };
    expect(await claude(usage)).toBe(195_000 * 6_000 + 7_936 * 600 + 100 * 22_500);
    expect(await claude({ ...usage, input_tokens: 192_000 })).toBe(192_000 * 3_000 + 7_936 * 300 + 100 * 15_000);
  });

  it("litellm PR #40002: in what is held for it too", async () => {
    const long = {
      model: "claude-sonnet-4-5",
      max_tokens: 10,
      messages: [{ role: "user", content: "x".repeat(900_000) }],
    };
    const one = guarded("tenant.daily > $1.50 -> deny");
    expect((await ask(one, CLAUDE, long)).kind).toBe("refuse");
  });
});

it("litellm #15227: what the provider's own tools cost is in the bill", async () => {
  const usage = { input_tokens: 100, output_tokens: 10 };
  const searched = { ...usage, server_tool_use: { web_search_requests: 2 } };
  expect((await claude(searched)) - (await claude(usage))).toBe(20_000_000);
});

describe("litellm #20615, #22726: a slip of units in a price", () => {
  it("is refused when prices are loaded", async () => {
    await expect(loadPrices({ m: { input: 2_500_000, output: 1 } })).rejects.toThrow("over $10000 per million");
  });

  it("ends the process before any of the program runs, and names the price", async () => {
    const at = project({
      policy: "tenant.total > $1 -> deny\n",
      config: { prices: { "my-model": { input: 2_500_000, output: 1 } } },
      files: { "app.mjs": 'console.log("ran");\n' },
    });
    try {
      const end = await at.run();
      expect([end.code, end.stdout]).toEqual([78, ""]);
      expect(end.stderr).toContain("my-model");
    } finally {
      at.remove();
    }
  });
});
