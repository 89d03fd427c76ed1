import { beforeAll, describe, expect, it } from "vitest";
import type { Recorded } from "../../src/backtest/recorded.ts";
import { Simulation } from "../../src/backtest/simulate.ts";
import { loadPrices, type Prices } from "../../src/call/price.ts";
import { usage } from "../../src/call/usage.ts";
import { burnOf } from "../../src/policy/burn.ts";
import type { PricedModel } from "../../src/policy/burn-call.ts";
import { horizons } from "../../src/policy/burn-money.ts";
import { boundRows } from "../../src/policy/burn-table.ts";
import { planOf } from "../policy/support.ts";
import { aCost } from "../support/a-call.ts";
import { aRecorded } from "./recorded.ts";
import { START } from "./traffic.ts";

const CENT = 10_000_000;

/** $5 and $25 per million; the context holds no call that is dearer than those below. */
const opus: PricedModel = {
  provider: "anthropic",
  model: "claude-opus-4-7",
  sent: "claude-opus-4-7",
  context: 20_000,
  cost: (input, output) => input * 5_000 + output * 25_000,
};

let prices: Prices;
beforeAll(async () => {
  prices = await loadPrices({}, () => START);
});

/** Mulberry32: the same numbers for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const shapes = [
  (n: number) => `global.hourly > $${n} -> deny`,
  (n: number) => `tenant.hourly > $${n} -> deny`,
  (n: number) => `global last 10m > $${n} -> deny for 5m`,
  (n: number) => `feature last 20m > $${n} -> pause`,
  (n: number) => `run > $${n} -> deny`,
  (n: number) => `run.calls > ${n * 3} -> deny for 10m`,
  (n: number) => `tenant.calls.hourly > ${n * 10} -> hold 2m`,
  (n: number) => `global.tokens last 30m > ${n * 20}K -> deny`,
  (n: number) => `tenant.daily > $${n * 3} when feature == "f1" -> deny`,
  (n: number) => `global.concurrency > ${n} -> hold 30s`,
  (n: number) => `tenant.feature.daily >= $${n} -> deny`,
];

/** A day of calls that nobody would stop. */
function traffic(next: () => number, amount: number): Recorded[] {
  let at = START;
  return Array.from({ length: amount }, (_, index) => {
    at += Math.floor(next() ** 4 * 400_000);
    const inputTokens = 1 + Math.floor(next() * 10_000);
    const outputTokens = Math.floor(next() * 10_000);
    const cost = { input: inputTokens * 5_000, output: outputTokens * 25_000 };
    const one = aRecorded({
      id: String(index),
      at,
      tookMs: Math.floor(next() * 60_000),
      asked: {
        provider: "anthropic",
        model: "claude-opus-4-7",
        inputTokens,
        outputTokens,
        cost,
        subject: {
          tenant: `t${Math.floor(next() * 3)}`,
          feature: `f${Math.floor(next() * 3)}`,
          run: `run-${Math.floor(index / 30)}`,
        },
      },
    });
    return { ...one, bill: { ...one.bill, usage: usage({ inputTokens, outputTokens }), cost: aCost(cost) } };
  });
}

describe("what audit says that a rule lets go at most", () => {
  it.each(Array.from({ length: 12 }, (_, seed) => seed))("is never passed in a backtest (seed %d)", async (seed) => {
    const next = random(seed + 1);
    const chosen = shapes.filter(() => next() < 0.35).map((shape) => shape(1 + Math.floor(next() * 8)));
    const policy = [...chosen, "global.daily > $200 -> deny"].join("\n");
    const plan = planOf(policy);
    const spent: { at: number; cost: number; subject: Readonly<Record<string, string>> }[] = [];
    const simulation = new Simulation({
      plan,
      prices,
      resumeAfterMs: null,
      decided: ({ refused, at, bill, recorded }) => {
        if (!refused) spent.push({ at, cost: bill.cost.total, subject: recorded.asked.subject });
      },
    });
    let index = 0;
    for (const call of traffic(next, 900)) await simulation.offer(index++, call, null);
    await simulation.finish();

    const rows = boundRows(plan, burnOf(plan, {}, { models: [opus], concurrency: null }));
    expect(rows.length).toBeGreaterThan(0);
    for (const { rule, scopes, within, nano, only } of rows) {
      for (const horizon of ["hour", "day"] as const) {
        const most = within?.[horizon] ?? nano;
        const groups = new Map<string, number>();
        for (const { at, cost, subject } of spent) {
          if (at >= START + horizons[horizon] || (only !== null && subject.feature !== "f1")) continue;
          const key = scopes.map((scope) => subject[scope]).join();
          groups.set(key, (groups.get(key) ?? 0) + cost);
        }
        for (const [whose, sum] of groups) {
          expect(sum, `${rule.text} for ${whose} in a ${horizon}`).toBeLessThanOrEqual(most);
        }
      }
    }
    // The rules did something: without them more is spent.
    expect(spent.reduce((sum, { cost }) => sum + cost, 0)).toBeGreaterThan(CENT);
  });
});
