import { beforeAll, describe, expect, it } from "vitest";
import { costOf } from "../../src/call/cost.ts";
import { loadPrices, type Prices } from "../../src/call/price.ts";
import { multiplier, multiplierAtMost } from "../../src/call/terms.ts";
import { usage } from "../../src/call/usage.ts";
import { ConfigError } from "../../src/errors.ts";

let prices: Prices;
const at = Date.parse("2026-11-22T12:00:00Z");
beforeAll(async () => {
  prices = await loadPrices({}, () => at);
});

describe("a known model", () => {
  it("has integer pico-dollars a token", () => {
    const { card, unpriced } = prices.of("openai", "gpt-4o-mini", "chat");
    expect(card.base).toMatchObject({ input: 150_000, output: 600_000, cacheRead: 75_000 });
    expect(unpriced).toBe(false);
  });

  it("is found by its dated name, with a provider before it, and at a compatible host", () => {
    const gpt5 = prices.of("openai", "gpt-5", "chat").card;
    expect(prices.of("openai", "gpt-5-2025-08-07", "chat").card).toEqual(gpt5);
    expect(prices.of("openai", "openai/gpt-5", "chat").card).toEqual(gpt5);
    expect(prices.of("openai", "anthropic/claude-opus-5", "chat").card.base.input).toBe(5_000_000);
    expect(prices.of("openai", "claude-opus-5", "chat").unpriced).toBe(false);
  });

  it("keeps the price of its dated name where that differs", () => {
    expect(prices.of("openai", "gpt-4o-2024-05-13", "chat").card.base.input).toBe(5_000_000);
    expect(prices.of("openai", "gpt-4o", "chat").card.base.input).toBe(2_500_000);
  });

  it("costs what holds at the time", async () => {
    const before = await loadPrices({}, () => Date.parse("2025-06-01T00:00:00Z"));
    expect(before.of("openai", "o3", "chat").card.base.input).toBe(10_000_000);
    expect(prices.of("openai", "o3", "chat").card.base.input).toBe(2_000_000);
  });

  it("follows the hour of the day, and a date that comes, while the process runs", async () => {
    let now = Date.parse("2026-11-22T22:00:00Z");
    const running = await loadPrices({}, () => now);
    const output = (provider: string, model: string) => running.of(provider, model, "chat").card.base.output;
    expect([output("deepseek", "deepseek-v4-flash"), output("google", "gemini-3.6-flash")]).toEqual([
      660_000, 3_750_000,
    ]);
    now = Date.parse("2026-11-23T02:00:00Z");
    expect(output("deepseek", "deepseek-v4-flash")).toBe(1_320_000);
    now = Date.parse("2027-01-02T12:00:00Z");
    expect(output("google", "gemini-3.6-flash")).toBe(7_500_000);
  });

  it("writes to the cache at 1.25 times its input for minutes and twice for an hour at Anthropic", () => {
    const { base } = prices.of("anthropic", "claude-opus-5", "messages").card;
    expect([base.cacheWrite, base.cacheWriteHour, base.cacheRead]).toEqual([6_250_000, 10_000_000, 500_000]);
  });

  it("costs more as a whole once prompt and cache together pass its long-context mark", () => {
    const { card } = prices.of("openai", "gpt-5.4", "chat");
    const long = costOf(usage({ inputTokens: 278_476, cacheReadTokens: 7_936, outputTokens: 10 }), card);
    expect(long.input).toBe(270_540 * 5_000);
    expect(long.cacheRead).toBe(7_936 * 500);
    expect(long.output).toBe(10 * 22_500);
    const short = costOf(usage({ inputTokens: 200_000, outputTokens: 10 }), card);
    expect(short.input).toBe(200_000 * 2_500);
  });

  it("costs up to twice its base where it is fine-tuned and not listed", () => {
    expect(prices.of("openai", "ft:gpt-4.1-mini-2025-04-14:org::x", "chat").card.base.input).toBe(800_000);
    expect(prices.of("openai", "ft:gpt-4o-mini-2024-07-18:org::x", "chat").card.base.input).toBe(300_000);
  });
});

describe("an unknown model", () => {
  it("costs the provider's dearest and says so", () => {
    const openai = prices.of("openai", "gtp-5", "chat");
    expect(openai.unpriced).toBe(true);
    expect(openai.card.base.output).toBe(prices.of("openai", "o1-pro", "chat").card.base.output);
    const anthropic = prices.of("anthropic", "clod", "messages");
    expect([anthropic.unpriced, anthropic.card.base.output]).toEqual([true, 75_000_000]);
  });

  it("costs the dearest embedding where it is asked to embed", () => {
    const { card, unpriced } = prices.of("openai", "text-embed-9", "embeddings");
    expect([unpriced, card.base.input, card.base.output]).toEqual([true, 130_000, 0]);
  });

  it("costs the dearest of all where the provider lists nothing", () => {
    expect(prices.of("nobody", "x", "chat").card.base.output).toBe(600_000_000);
    expect(prices.of("anthropic", "x", "embeddings").card.base.input).toBeGreaterThan(0);
  });

  it("is one that is not priced by the token", () => {
    expect(prices.of("openai", "whisper-1", "chat").unpriced).toBe(true);
  });
});

describe("the deployment's own prices", () => {
  it("come first and hold for dated names", async () => {
    const own = await loadPrices({ "my-model": { input: 0.2, output: 0.8, cacheRead: 0.02 }, "gpt-5": { input: 1 } });
    expect(own.of("openai", "my-model", "chat")).toMatchObject({ unpriced: false, own: true });
    expect(own.of("openai", "my-model", "chat").card.base).toMatchObject({
      input: 200_000,
      output: 800_000,
      cacheRead: 20_000,
      cacheWrite: 250_000,
      cacheWriteHour: 400_000,
      reasoning: 800_000,
    });
    expect(own.of("openai", "gpt-5-2025-08-07", "chat").card.base.input).toBe(1_000_000);
  });

  it.each([
    [{ input: -1 }, /"m" has input -1; prices are in USD per million tokens, 0 or more/],
    [{ input: Number.NaN }, /input NaN/],
    [{ input: "3" }, /input 3; prices are in USD/],
    [{ input: 200_000 }, /input 200000, over \$10000 per million; prices are in USD per million tokens/],
    [{ input: 0.0000002 }, /under a millionth of a dollar/],
    [{ output: 1 }, /no "input" price/],
    [{ input: 1, outputs: 1 }, /no price "outputs"; there are input, output, cacheRead/],
    [3, /must be like/],
  ])("are refused where they are absurd: %j", async (given, message) => {
    await expect(loadPrices({ m: given })).rejects.toThrow(ConfigError);
    await expect(loadPrices({ m: given })).rejects.toThrow(message);
  });
});

describe("the home of a model", () => {
  it.each([
    ["openai", "gpt-5-mini", "here", false],
    ["openai", "gpt-5-mini-2025-08-07", "here", false],
    ["openai", "text-embedding-3-small", "here", true],
    ["openai", "whisper-1", "here", null],
    ["openai", "claude-haiku-4-5", "elsewhere", false],
    ["anthropic", "gpt-5-mini", "elsewhere", false],
    ["anthropic", "openai/never-heard-of", "elsewhere", null],
    ["openai", "never-heard-of", "unknown", null],
  ])("at %s of %s is %s, and whether it embeds is %s", (provider, model, place, embeds) => {
    expect(prices.home(provider, model)).toEqual({ place, embeds });
    expect(prices.home(provider, model)).toEqual({ place, embeds });
  });

  it("is where the deployment prices it", async () => {
    const own = await loadPrices({ "claude-haiku-4-5": { input: 1, output: 2 } });
    expect(own.home("openai", "claude-haiku-4-5").place).toBe("here");
  });
});

describe("a model that the table does not list", () => {
  it.each([
    ["openai", "davinci-002", 2, 2],
    ["openai", "davinci:2023-07-21-v2", 2, 2],
    ["openai", "babbage-002", 0.4, 0.4],
    ["openai", "gpt-5-search-api-2025-10-14", 1.25, 10],
    ["anthropic", "claude-haiku-5-5", 0.1, 0.5],
    ["openrouter", "anthropic/claude-haiku-5-5", 0.1, 0.5],
    ["openai", "gpt-6.1-sol", 2, 10],
    ["openai", "gpt-6.2-astra", 8, 40],
    ["openai", "chatgpt-image-latest", 5, 32],
    ["cohere", "rerank-v5.0-pro", 0.05, 0],
    ["voyage", "rerank-2.5-lite", 0.02, 0],
  ])("costs what its maker publishes: %s %s", async (provider, model, input, output) => {
    const { card, unpriced } = (await loadPrices()).of(provider, model, "chat");
    expect([unpriced, card.base.input, card.base.output]).toEqual([false, input * 1e6, output * 1e6]);
  });

  it("costs more for the whole of a long prompt, where its maker says so", async () => {
    const { card } = (await loadPrices()).of("anthropic", "claude-haiku-5-5", "messages");
    expect(card.long.map(({ above, rates }) => [above, rates.input, rates.cacheWriteHour])).toEqual([
      [100_000, 500_000, 1_000_000],
    ]);
  });
});

describe("a fine-tuned model", () => {
  it.each([
    ["ft:o4-mini-2025-04-16:org::id", 4_000_000, 16_000_000],
    ["ft:davinci-002:org::id", 12_000_000, 12_000_000],
    ["ft:babbage-002:org::id", 1_600_000, 1_600_000],
  ])("costs what is published for it: %s", (model, input, output) => {
    expect(prices.of("openai", model, "chat").card.base).toMatchObject({ input, output });
  });
});

describe("the terms of serving", () => {
  const terms = { tier: null, speed: null, region: null };

  it.each([
    ["openai", "gpt-5", { tier: "default" }, 1000],
    ["openai", "gpt-5", { tier: "flex" }, 500],
    ["openai", "gpt-5", { tier: "priority" }, 2000],
    ["openai", "gpt-5-mini", { tier: "priority" }, 1800],
    ["openai", "gpt-5.5", { tier: "priority" }, 2500],
    ["openai", "gpt-5.9", { tier: "priority" }, 2500],
    ["openai", "gpt-4.1-nano", { tier: "priority" }, 2000],
    ["openai", "gpt-4.1-mini", { tier: "priority" }, 1750],
    ["openai", "gpt-4o", { tier: "priority" }, 1700],
    ["openai", "o4-mini", { tier: "priority" }, 1819],
    ["openai", "gpt-9", { tier: "priority" }, 2500],
    ["openai", "gpt-5.6", { tier: "priority" }, 2000],
    ["azure", "gpt-5.6", { tier: "priority" }, 2500],
    ["openai", "gpt-6-sol", { tier: "fast" }, 2000],
    ["openai", "gpt-5", { tier: "fast" }, 2000],
    ["openai", "gpt-6-astra", { tier: "ultrafast" }, 6000],
    ["openai", "gpt-realtime-2.1", { region: "eu" }, 1100],
    ["vertex", "claude-fable-5-2", { speed: "fast" }, 2000],
    ["vertex", "claude-opus-5", { speed: "fast", region: "us-east5" }, 2200],
    ["vertex", "gemini-3-pro", { tier: "priority" }, 2000],
    ["anthropic", "claude-opus-5", { tier: "batch", region: "us" }, 550],
    ["anthropic", "claude-opus-5", { tier: "batch" }, 500],
    ["anthropic", "claude-opus-5", { tier: "priority" }, 1000],
    ["anthropic", "claude-opus-5", { speed: "fast" }, 2000],
    ["anthropic", "claude-opus-4-6", { speed: "fast", region: "us" }, 6600],
    ["anthropic", "claude-opus-5", { region: "us" }, 1100],
    ["anthropic", "claude-opus-5", { region: "global" }, 1000],
  ])("price %s %s under %j at %i thousandths", (provider, model, given, millis) => {
    expect(multiplier(provider, model, { ...terms, ...given })).toBe(millis);
  });

  it("are never taken as a discount before the call: flex may not be granted", () => {
    expect(multiplierAtMost("openai", "gpt-5", { ...terms, tier: "flex" })).toBe(1000);
    expect(multiplierAtMost("openai", "gpt-5", { ...terms, tier: "priority" })).toBe(2000);
  });
});
