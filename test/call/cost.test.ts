import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Cost, Usage } from "../../src/call/call.ts";
import { costAs, costOf, sumCost } from "../../src/call/cost.ts";
import { type RateCard, rateCard, ratesFor, scale } from "../../src/call/rates.ts";
import { usage } from "../../src/call/usage.ts";

const tokens = fc.integer({ min: 0, max: 10_000_000 });
const price = fc.integer({ min: 0, max: 10_000_000_000 }).map((pico) => pico / 1_000_000);

const someUsage: fc.Arbitrary<Usage> = fc
  .record({
    fresh: tokens,
    cacheReadTokens: tokens,
    cacheWriteTokens: tokens,
    cacheWriteHourTokens: tokens,
    shown: tokens,
    reasoningTokens: tokens,
    webSearches: fc.nat(50),
    fileSearches: fc.nat(50),
  })
  .map(({ fresh, shown, ...rest }) =>
    usage({
      ...rest,
      inputTokens: fresh + rest.cacheReadTokens + rest.cacheWriteTokens + rest.cacheWriteHourTokens,
      outputTokens: shown + rest.reasoningTokens,
    }),
  );

const someCard: fc.Arbitrary<RateCard> = fc
  .record({
    input: price,
    output: price,
    read: price,
    write: price,
    hour: price,
    reasoning: price,
    long: price,
    start: tokens,
  })
  .map((p) =>
    rateCard({
      input_mtok: { base: p.input, tiers: [{ start: p.start, price: p.long }] },
      output_mtok: p.output,
      cache_read_mtok: p.read,
      cache_write_mtok: p.write,
      cache_write_1h_mtok: p.hour,
      output_reasoning_mtok: p.reasoning,
    }),
  );

const parts = (cost: Cost): number =>
  cost.input + cost.output + cost.cacheRead + cost.cacheWrite + cost.reasoning + cost.tools;

/** Nano-dollars, computed with unbounded integers. */
function exactly(used: Usage, card: RateCard, millis: number): bigint {
  const rates = scale(ratesFor(card, used.inputTokens), millis);
  const fresh = used.inputTokens - used.cacheReadTokens - used.cacheWriteTokens - used.cacheWriteHourTokens;
  const rounded = (...picos: bigint[]): bigint => (picos.reduce((a, b) => a + b, 0n) + 500n) / 1000n;
  const times = (n: number, each: number): bigint => BigInt(n) * BigInt(each);
  return (
    rounded(times(fresh, rates.input)) +
    rounded(times(used.outputTokens - used.reasoningTokens, rates.output)) +
    rounded(times(used.cacheReadTokens, rates.cacheRead)) +
    rounded(times(used.cacheWriteTokens, rates.cacheWrite), times(used.cacheWriteHourTokens, rates.cacheWriteHour)) +
    rounded(times(used.reasoningTokens, rates.reasoning)) +
    times(used.webSearches, card.webSearch) +
    times(used.fileSearches ?? 0, card.fileSearch)
  );
}

describe("the parts of a cost", () => {
  it("are integers that sum to the total, which equals the same sum over unbounded integers", () => {
    fc.assert(
      fc.property(someUsage, someCard, fc.constantFrom(500, 1000, 1100, 2500), (used, card, millis) => {
        const cost = costOf(used, card, millis);
        expect(parts(cost)).toBe(cost.total);
        expect(Object.values(cost).every((part) => Number.isInteger(part) && part >= 0)).toBe(true);
        if (cost.total <= Number.MAX_SAFE_INTEGER) expect(BigInt(cost.total)).toBe(exactly(used, card, millis));
      }),
    );
  });

  it("still sum to the total when costs are added", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(someUsage, someCard), { maxLength: 4 }), (all) => {
        const costs = all.map(([used, card]) => costOf(used, card));
        const sum = sumCost(costs);
        fc.pre(sum.total <= Number.MAX_SAFE_INTEGER);
        expect(parts(sum)).toBe(sum.total);
        expect(sum.total).toBe(costs.reduce((a, cost) => a + cost.total, 0));
      }),
    );
  });

  it("are shared out to the nano-dollar where the provider names the total", () => {
    fc.assert(
      fc.property(someUsage, someCard, fc.nat(Number.MAX_SAFE_INTEGER), (used, card, told) => {
        const cost = costAs(told, costOf(used, card));
        expect(cost.total).toBe(told);
        expect(parts(cost)).toBe(told);
        expect(cost.input).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe("a cost", () => {
  const card = rateCard({ input_mtok: 2.5, output_mtok: 10, cache_read_mtok: 1.25, input_audio_mtok: 40 });

  it("takes cached tokens out of the input, once", () => {
    const cost = costOf(usage({ inputTokens: 1000, cacheReadTokens: 600 }), card);
    expect([cost.input, cost.cacheRead, cost.total]).toEqual([400 * 2500, 600 * 1250, 1_750_000]);
  });

  it("splits reasoning off the output without counting it twice", () => {
    const cost = costOf(usage({ outputTokens: 100, reasoningTokens: 64 }), card);
    expect([cost.output, cost.reasoning, cost.total]).toEqual([36 * 10_000, 64 * 10_000, 1_000_000]);
  });

  it("prices sound by its own rate", () => {
    const cost = costOf(usage({ inputTokens: 100, inputAudioTokens: 40 }), card);
    expect(cost.input).toBe(60 * 2500 + 40 * 40_000);
  });

  it("charges searches", () => {
    expect(costOf(usage({ webSearches: 2, fileSearches: 1 }), card).tools).toBe(22_500_000);
  });

  it("never falls below zero where the figures contradict each other", () => {
    const cost = costOf(usage({ inputTokens: 10, cacheReadTokens: 500, outputTokens: 5, reasoningTokens: 9 }), card);
    expect(cost.input).toBe(0);
    expect(cost.output).toBe(0);
    expect(cost.total).toBe(500 * 1250 + 5 * 10_000);
  });
});
