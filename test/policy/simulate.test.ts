import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_OUTPUT } from "../../src/call/estimate.ts";
import { loadEstimator } from "../../src/cli/estimator.ts";
import { roomAt } from "../../src/cli/room.ts";
import { findSuites } from "../../src/cli/suites.ts";
import { judge } from "../../src/judging.ts";
import { meterKey } from "../../src/keys.ts";
import type { TestNode } from "../../src/policy/ast.ts";
import { indexRules } from "../../src/policy/match.ts";
import type { Plan } from "../../src/policy/plan.ts";
import { type Simulated, simulate } from "../../src/policy/simulate.ts";
import { type CallFacts, callOf, type Estimator } from "../../src/policy/simulate-call.ts";
import { NO_FACTS, readingsOf, runTest } from "../../src/policy/suite.ts";
import { parseSuite } from "../../src/policy/syntax.ts";
import type { Fired } from "../../src/policy/verdict.ts";
import { type FallbackStore, withFallback } from "../../src/store/fallback.ts";
import { openMemory } from "../../src/store/memory.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { chat, decide, endWorlds, world } from "../support/a-guard.ts";
import { NOW, planOf } from "./support.ts";

const root = join(import.meta.dirname, "..", "..");
const clock = (): number => NOW;

let estimator: Estimator;
beforeAll(async () => {
  estimator = await loadEstimator({}, clock);
});

const open: FallbackStore[] = [];
afterEach(async () => {
  await endWorlds();
  await Promise.all(open.splice(0).map((store) => store.shut()));
});

const suites = findSuites(["policies", "policies/examples"], root, root, []);

/** A ledger in which has happened what the test gives. */
async function ledgerFor(plan: Plan, { judged: { call, readings } }: Simulated): Promise<FallbackStore> {
  const store = withFallback(async () => openMemory(() => readings.now), { clock: () => readings.now, name: "test" });
  open.push(store);
  const key = (index: number): string => meterKey(plan.meters[index] ?? nothing(), call.subject);
  const settled = { judgedAt: readings.now, fingerprint: null, outcome: "success" as const, lessons: [], charges: [] };
  for (const [index, { window, metric }] of plan.meters.entries()) {
    const { spent = 0, held = 0, add = 0 } = readings.meters[index] ?? {};
    const charge = { key: key(index), window };
    if (metric === "runs") {
      for (let seen = 0; seen < spent; seen++) {
        // A run that adds nothing is one of those that were seen.
        const run = seen === 0 && add === 0 ? (call.subject.run ?? "") : `other-${seen}`;
        const charges = [{ ...charge, amount: "run" as const }];
        await store.settle({ ...settled, attempt: `run-${index}-${seen}`, run, charges });
      }
    } else if (metric === "concurrency") {
      const meters = [{ ...charge, add: held, floor: 0 }];
      const request = { attempt: `flight-${index}`, holdMs: 60_000, meters, stops: [], gates: [], limits: [] };
      await store.judge({ ...request, run: "other", fingerprint: null, sdkRetry: null });
    } else {
      await store.settle({
        ...settled,
        attempt: `spent-${index}`,
        run: "other",
        charges: [{ ...charge, amount: spent }],
      });
    }
  }
  for (const [name, amount] of readings.limits) await store.setLimit(name, amount);
  return store;
}

const nothing = (): never => {
  throw new Error("no such meter");
};

const said = (fired: readonly Fired[]): readonly unknown[] =>
  fired.map(({ rule, action, figures }) => ({ rule: rule.id, action: action.kind, figures: figures && bare(figures) }));

/** Room returns when the spending that a test gives would leave, and nobody says when that was. */
const bare = ({ resetsAt: _, ...figures }: NonNullable<Fired["figures"]>): unknown => figures;

describe("a simulated call is judged as the guard judges it over a real ledger", () => {
  for (const { source, policy } of suites) {
    const { plan } = policy;
    if (plan === null) throw new Error(`${source.file}: its policy has errors`);
    const tests = parseSuite(source.text).tests.map((test: TestNode) => [test.title.value, test] as const);
    it.each(tests)(`${source.file}: %s`, async (_, test) => {
      const rulesFor = indexRules(plan);
      const { simulated, findings } = await runTest(test, { plan, rulesFor, estimator, now: NOW, resetsAt: roomAt });
      expect(findings).toEqual([]);
      if (simulated === null) throw new Error("the test could not be run");
      if (simulated.outage !== null) return;
      const store = await ledgerFor(plan, simulated);
      const { judged, verdict } = simulated;
      const repeat = plan.meters.findIndex(({ metric }) => metric === "repeats");
      const repeats = judged.readings.meters[repeat]?.add === 1;
      const call = { ...judged.call, fingerprint: repeats ? "same" : null };
      if (repeats) {
        const run = call.subject.run ?? "";
        const before = { attempt: "before", judgedAt: NOW, charges: [], run, lessons: [] };
        await store.settle({ ...before, fingerprint: `${run}|same`, outcome: "success" });
      }
      const log = createLog("silent", () => {});
      const options = { store, plan, holdMs: 60_000, enforce: true, strict: false, localMillionths: 50_000, log };
      const real = await judge(options, call, rulesFor(call));
      expect(real.degraded).toBe(false);
      expect(verdict.kind).toBe(real.verdict.kind);
      expect(verdict.decided?.rule.id).toBe(real.verdict.decided?.rule.id);
      expect(said(verdict.warnings)).toEqual(said(real.verdict.warnings));
      expect(said(verdict.waits)).toEqual(said(real.verdict.waits));
      expect(said(verdict.shadows)).toEqual(said(real.verdict.shadows));
      expect(said(verdict.decided === null ? [] : [verdict.decided])).toEqual(
        said(real.verdict.decided === null ? [] : [real.verdict.decided]),
      );
    });
  }
});

const run = (text: string, facts: Partial<CallFacts>, storeDown = false): Promise<Simulated> => {
  const plan = planOf(text);
  const all = { ...NO_FACTS, ...facts };
  const first = callOf(all, plan.dimensions, estimator);
  const read = readingsOf({ plan, resetsAt: roomAt }, all, { meters: new Map(), limits: new Map() }, NOW, first.model);
  return simulate({ plan, rulesFor: indexRules(plan), estimator }, all, read, storeDown);
};

describe("what rules make of the call itself", () => {
  const opus = { model: "claude-opus-4-7", inputTokens: 1_000, outputTokens: 4_000 };

  it("the cheapest of the fired routes is taken, and the call is judged as what it has become", async () => {
    const { route, asked, judged, verdict } = await run(
      'call.cost > $0.01 -> route to "claude-sonnet-4-5"\ncall.cost > $0.02 -> route to "claude-haiku-4-5"\nwhen model == "claude-haiku-4-5" -> warn',
      opus,
    );
    expect(route).toMatchObject({ from: "claude-opus-4-7", to: "claude-haiku-4-5" });
    expect(judged.call.model).toBe("claude-haiku-4-5");
    expect(judged.call.subject.model).toBe("claude-haiku-4-5");
    expect(judged.call.cost.total).toBeLessThan(asked.call.cost.total / 2);
    expect(verdict.kind).toBe("warn");
  });

  it("a route out of the provider is not taken, and why is told", async () => {
    const { route, unshaped, judged } = await run('call.cost > $0 -> route to "gpt-5-mini"', opus);
    expect(route).toBeNull();
    expect(judged.call.model).toBe("claude-opus-4-7");
    expect(unshaped).toMatchObject([{ why: "gpt-5-mini is a model of another provider than anthropic" }]);
  });

  it("a cost that was said changes in the proportion of the two prices", async () => {
    const facts = { model: "claude-opus-4-7", cost: 50_000_000_000 };
    const { judged } = await run('call.cost > $1 -> route to "claude-haiku-4-5"', facts);
    const at = (model: string): number => estimator.estimate("anthropic", model, 1_000, 1_000).cost.total;
    expect(judged.call.cost.total).toBe(Math.round((50_000_000_000 * at("claude-haiku-4-5")) / at("claude-opus-4-7")));
  });

  it("the smallest cap counts, and one that asks for no less changes nothing", async () => {
    const policy = "call.output_tokens > 100 -> cap 2K tokens\ncall.output_tokens > 200 -> cap 1K tokens";
    const capped = await run(policy, opus);
    expect(capped.cap?.tokens).toBe(1_000);
    expect(capped.judged.call).toMatchObject({ outputTokens: 1_000, maxTokens: 1_000 });
    const short = await run(policy, { ...opus, outputTokens: 500, maxTokens: 500 });
    expect(short.cap).toBeNull();
    expect(short.judged).toBe(short.asked);
  });

  it("rules that fired are known by name at both moments", async () => {
    const { fired } = await run(
      "a: call.output_tokens > 100 -> cap 1K tokens\nb: call.cost > $0 -> warn\nc: run.calls > 9 -> deny",
      opus,
    );
    expect([...fired].sort()).toEqual(["a", "b"]);
  });
});

describe("a simulated call is shaped as the guard shapes it", () => {
  it.each([
    ['a: call.cost > $0 -> route to "gpt-5-mini"\nb: call.cost > $0 -> route to "gpt-5-nano"', {}],
    ['a: call.cost > $0 -> route to "gpt-5"\nb: call.cost > $0 -> route to "o1-pro"', {}],
    ['a: call.cost > $0 -> route to "claude-haiku-4-5"', {}],
    ['a: call.cost > $9 -> route to "gpt-5-mini"', {}],
    ["a: call.output_tokens > 50 -> cap 40 tokens\nb: call.output_tokens > 60 -> cap 30 tokens", {}],
    ["a: call.output_tokens > 50 -> cap 400 tokens", {}],
    ["a: call.output_tokens > 50 -> cap 400 tokens", { max_tokens: undefined }],
    ['a: call.cost > $0 -> route to "gpt-5-mini", cap 40 tokens\nb: when model == "gpt-5-mini" -> warn', {}],
    ['shadow a: call.cost > $0 -> route to "gpt-5-mini"\nb: call.cost > $0 -> deny', {}],
  ])("%s %j", async (policy, fields) => {
    const real = world(policy);
    await decide(real, { body: chat({ model: "gpt-5", ...fields }) });
    const [decided] = real.decided;
    if (decided === undefined) throw new Error("the guard decided nothing");
    const { inputTokens } = decided.call;
    const limit = "max_tokens" in fields ? { outputTokens: DEFAULT_OUTPUT } : { maxTokens: 100 };
    const simulated = await run(policy, { model: "gpt-5", provider: "openai", inputTokens, ...limit });
    expect(simulated.route?.to).toBe(decided.route?.to);
    expect(simulated.cap?.tokens).toBe(decided.cap?.tokens);
    expect(simulated.unshaped.map(({ fired, why }) => [fired.rule.id, why])).toEqual(
      decided.unshaped.map(({ fired, why }) => [fired.rule.id, why]),
    );
    expect(simulated.verdict.kind).toBe(decided.verdict.kind);
    expect(said(simulated.verdict.shadows)).toEqual(said(decided.verdict.shadows));
    const { model, outputTokens, cost } = simulated.judged.call;
    const left = decided.call;
    expect({ model, outputTokens, total: cost.total }).toEqual({
      model: left.model,
      outputTokens: left.outputTokens,
      total: left.cost.total,
    });
  });
});

describe("a call without a model", () => {
  it("has no price to be unknown, and costs what is said", async () => {
    const { judged, verdict } = await run("call.unpriced -> deny", { cost: 20_000_000 });
    expect(judged.call).toMatchObject({ model: "(unknown)", unpriced: false, cost: { total: 20_000_000 } });
    expect(verdict.kind).toBe("allow");
  });

  it("while the ledger is away is judged as the policy says", async () => {
    const policy = 'store.down -> allow\nstore.down when tenant == "acme" -> deny\ncall.cost > $0 -> deny';
    expect((await run(policy, { cost: 1 }, true)).verdict.kind).toBe("allow");
    const denied = await run(policy, { cost: 1, subject: { tenant: "acme" } }, true);
    expect(denied.verdict.decided?.rule.flag).toBe("store.down");
  });
});
