import { beforeAll, describe, expect, it } from "vitest";
import type { Recorded } from "../../src/backtest/recorded.ts";
import { type Fate, Simulation } from "../../src/backtest/simulate.ts";
import { count, newTally, type Tally } from "../../src/backtest/tally.ts";
import { loadPrices, type Prices } from "../../src/call/price.ts";
import { planOf } from "../policy/support.ts";
import { aRecorded, type RecordedWishes } from "./recorded.ts";

const START = Date.parse("2026-04-08T00:00:00Z");
const SECOND = 1_000;
const MINUTE = 60_000;
const CENT = 10_000_000;

let prices: Prices;
beforeAll(async () => {
  prices = await loadPrices({}, () => START);
});

/** Calls at so many ms after the start; $0.01 each unless wished otherwise. */
const at = (ms: number, wishes: RecordedWishes = {}): Recorded => aRecorded({ ...wishes, at: START + ms });

async function simulate(policy: string, calls: readonly Recorded[], resumeAfterMs: number | null = null) {
  const plan = planOf(policy);
  const fates: Fate[] = [];
  const tally: Tally = newTally(plan);
  const decided = (fate: Fate): void => {
    fates.push(fate);
    count(tally, fate);
  };
  const simulation = new Simulation({ plan, prices, resumeAfterMs, decided });
  let index = 0;
  for (const call of calls) await simulation.offer(index++, call, call.asked.fingerprint);
  await simulation.finish();
  fates.sort((a, b) => a.index - b.index);
  const rule = (id: string) => {
    const found = tally.rules.get(id);
    if (found === undefined) throw new Error(`no rule ${id}`);
    return found;
  };
  return { fates, tally, rule, refused: fates.map(({ refused }) => refused) };
}

const every = (ms: number, amount: number, wishes: RecordedWishes = {}): Recorded[] =>
  Array.from({ length: amount }, (_, n) => at(n * ms, wishes));

describe("a replayed call", () => {
  it("is refused once the money is gone, and the tally says when, by whom and at what", async () => {
    const { tally, refused, rule } = await simulate("stop: tenant.total > $0.03 -> deny", every(MINUTE, 5));
    expect(refused).toEqual([false, false, false, true, true]);
    expect(tally).toMatchObject({
      calls: 5,
      refused: 2,
      harmed: 2,
      recorded: 5 * CENT,
      spent: 3 * CENT,
      firstAt: START + 3 * MINUTE,
      firstSpent: 3 * CENT,
      firstRule: "stop",
    });
    expect(rule("stop").refused).toMatchObject({ calls: 2, saved: 2 * CENT, spentBefore: 3 * CENT });
  });

  it("is judged by its estimate and charged what it used", async () => {
    const dear = { asked: { cost: 2 * CENT } };
    const cheap = at(0, dear);
    const used = { ...cheap, bill: { ...cheap.bill, cost: { ...cheap.bill.cost, input: CENT, total: CENT } } };
    const calls = [used, { ...used, id: "b", at: START + 1 }, { ...used, id: "c", at: START + 2 }];
    // $0.02 is held for each, $0.01 stays.
    expect((await simulate("tenant.total > $0.03 -> deny", calls)).refused).toEqual([false, false, true]);
  });

  it("is in flight for as long as it was", async () => {
    const calls = [0, 1, 2, 10].map((second) => at(second * SECOND, { tookMs: 5 * SECOND }));
    expect((await simulate("tenant.concurrency > 2 -> deny", calls)).refused).toEqual([false, false, true, false]);
  });

  it("falls into the calendar window of the record", async () => {
    const { refused } = await simulate("tenant.hourly > $0.01 -> deny", every(30 * MINUTE, 4));
    expect(refused).toEqual([false, true, false, true]);
  });

  it("counts as a retry by its recorded attempt, and as a repeat by its fingerprint", async () => {
    const retries = [0, 1, 2, 3].map((n) => at(n, { asked: { sdkRetry: n }, attemptNumber: n }));
    expect((await simulate("call.retries > 2 -> deny", retries)).refused).toEqual([false, false, false, true]);
    const same = every(MINUTE, 4, { asked: { fingerprint: "aa" } });
    expect((await simulate("run.repeats > 1 -> deny", same)).refused).toEqual([false, false, true, true]);
  });

  it("counts its error where it failed", async () => {
    const failed = every(SECOND, 3, { outcome: { kind: "provider-error", status: 500 } });
    expect((await simulate("tenant.errors last 5m >= 2 -> deny", failed)).refused).toEqual([false, false, true]);
  });

  it("is no good call that is harmed where it was a retry, a repeat or an error", async () => {
    const calls = [
      at(0, { attemptNumber: 1 }),
      at(1, { repeat: true }),
      at(2, { outcome: { kind: "provider-error", status: 500 } }),
      at(3, { refused: true }),
      at(4),
    ];
    const { tally } = await simulate('when tenant == "acme" -> deny', calls);
    expect(tally).toMatchObject({ refused: 5, harmed: 1, recorded: 4 * CENT });
  });

  it("that was refused then and goes now is charged at its estimate", async () => {
    const { tally, refused } = await simulate("tenant.total > $0.015 -> deny", every(MINUTE, 2, { refused: true }));
    expect(refused).toEqual([false, true]);
    expect(tally).toMatchObject({ recorded: 0, spent: CENT, passedAnew: 1, passedAnewCost: CENT });
  });
});

describe("a gate", () => {
  it("opens again by itself after `deny for`", async () => {
    const { refused } = await simulate("tenant last 1m > $0.01 -> deny for 10m", every(4 * MINUTE, 5));
    expect(refused).toEqual([false, false, false, false, false]);
    const dense = await simulate(
      "tenant last 1m > $0.01 -> deny for 10m",
      [0, 0.5, 5, 11].map((m) => at(m * MINUTE)),
    );
    expect(dense.refused).toEqual([false, true, true, false]);
  });

  it("stays closed after a pause, unless somebody resumes it", async () => {
    const calls = [0, 0.5, 30, 59, 61, 90].map((minute) => at(minute * MINUTE));
    const policy = "tenant last 1m > $0.01 -> pause";
    expect((await simulate(policy, calls)).refused).toEqual([false, true, true, true, true, true]);
    expect((await simulate(policy, calls, 60 * MINUTE)).refused).toEqual([false, true, true, true, false, false]);
  });
});

describe("a hold", () => {
  const busy = [0, 1, 2].map((second) => at(second * SECOND, { tookMs: 5 * SECOND }));

  it("waits in the record's time until another call has ended", async () => {
    const { fates, rule } = await simulate("one: tenant.concurrency > 1 -> hold 30s", busy);
    expect(fates.map(({ refused, waitedMs }) => [refused, waitedMs])).toEqual([
      [false, 0],
      [false, 4 * SECOND],
      [false, 8 * SECOND],
    ]);
    expect(rule("one")).toMatchObject({ held: 2, refused: { calls: 0 } });
  });

  it("refuses when its time is up", async () => {
    const { fates, tally, rule } = await simulate("one: tenant.concurrency > 1 -> hold 6s", busy);
    expect(fates.map(({ refused, waitedMs }) => [refused, waitedMs])).toEqual([
      [false, 0],
      [false, 4 * SECOND],
      [true, 6 * SECOND],
    ]);
    expect(tally.waitedMs).toBe(10 * SECOND);
    expect(rule("one")).toMatchObject({ held: 2, refused: { calls: 1, saved: CENT } });
  });

  it("ends when its window resets", async () => {
    const calls = [at(58 * MINUTE), at(59.5 * MINUTE)];
    const { fates } = await simulate("tenant.hourly > $0.01 -> hold 1m", calls);
    expect(fates.map(({ refused, waitedMs }) => [refused, waitedMs])).toEqual([
      [false, 0],
      [false, 30 * SECOND],
    ]);
  });

  it("refuses at once what no waiting can help", async () => {
    const { fates } = await simulate("tenant.hourly > $0.005 -> hold 1m", [at(0)]);
    expect(fates).toMatchObject([{ refused: true, waitedMs: 0 }]);
  });
});

describe("a backoff", () => {
  it("lets a retry leave later, twice as late each time", async () => {
    const retries = [0, 1, 2].map((n) => at(n * MINUTE, { asked: { sdkRetry: n }, attemptNumber: n }));
    const { fates, rule } = await simulate("slow: call.retries > 0 -> backoff 500ms", retries);
    expect(fates.map(({ backoffMs }) => backoffMs)).toEqual([0, 500, 1_000]);
    expect(rule("slow").delayed).toBe(2);
  });
});

describe("a route and a cap", () => {
  const opus = { provider: "anthropic", model: "claude-opus-4-7", operation: "messages" as const };
  // 1,000 tokens in and 500 out: $0.0175 at $5/$25, $0.0035 at $1/$5.
  const call = (ms: number): Recorded => {
    const one = at(ms, { asked: { ...opus, cost: { input: 5_000_000, output: 12_500_000 }, maxTokens: null } });
    return { ...one, bill: { ...one.bill, cost: one.asked.cost } };
  };

  it("prices a call at the model that it is sent to", async () => {
    const { tally, rule } = await simulate('cheap: tenant.total > $0.02 -> route to "claude-haiku-4-5"', [
      call(0),
      call(1),
    ]);
    expect(tally).toMatchObject({
      recorded: 35_000_000,
      spent: 17_500_000 + 3_500_000,
      shaped: 14_000_000,
      refused: 0,
    });
    expect(rule("cheap").routed).toBe(1);
  });

  it("judges the other model's rules", async () => {
    const { refused } = await simulate(
      'when model matches "*opus*" -> route to "claude-haiku-4-5"\nwhen model matches "*haiku*" -> deny',
      [call(0)],
    );
    expect(refused).toEqual([true]);
  });

  it("leaves a call alone where the model lives elsewhere", async () => {
    const { tally } = await simulate('when tenant == "acme" -> route to "gpt-5-mini"', [call(0)]);
    expect(tally).toMatchObject({ spent: 17_500_000, shaped: 0 });
  });

  it("cuts an answer short, and its price with it", async () => {
    const { tally, rule } = await simulate("short: call.output_tokens > 100 -> cap 100 tokens", [call(0)]);
    // 1,000 at $5 and 100 at $25 per million.
    expect(tally.spent).toBe(7_500_000);
    expect(rule("short").capped).toBe(1);
  });

  it("gives a call that a rule had sent elsewhere its own model back", async () => {
    const haiku = { ...call(0), leftFor: "claude-haiku-4-5" };
    const routed = {
      ...haiku,
      bill: { ...haiku.bill, cost: { ...haiku.bill.cost, input: 1_000_000, output: 2_500_000, total: 3_500_000 } },
    };
    expect((await simulate("tenant.total > $9 -> deny", [routed])).tally).toMatchObject({
      recorded: 3_500_000,
      spent: 17_500_000,
    });
  });
});

describe("rules that refuse nothing", () => {
  it("are counted: warnings, and what shadow rules would have done", async () => {
    const { tally, rule } = await simulate(
      "say: tenant.total > $0.02 -> warn\nshadow try: tenant.total > $0.03 -> deny",
      every(MINUTE, 5),
    );
    expect(tally.refused).toBe(0);
    expect(rule("say").warned).toBe(3);
    expect(rule("try")).toMatchObject({
      refused: { calls: 0 },
      would: { calls: 2, saved: 2 * CENT, spentBefore: 3 * CENT },
    });
  });
});
