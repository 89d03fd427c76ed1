import { describe, expect, it } from "vitest";
import type { Bill, Call, Outcome } from "../src/call/call.ts";
import { indexRules } from "../src/policy/match.ts";
import type { Plan } from "../src/policy/plan.ts";
import { type Ask, askFor, chargesFor, fingerprintKey, held, isFailure, isPlausible } from "../src/request.ts";
import { aCall, aCost } from "./support/a-call.ts";
import { loadPlan } from "./support/load-plan.ts";

const plan = (...rules: readonly string[]): Plan =>
  loadPlan([{ file: "policies/test.budget", text: rules.join("\n") }], () => {});

const ask = (of: Plan, call: Call, enforce = true): Ask => askFor(of, call, indexRules(of)(call), 60_000, enforce);

const aBill = (cost = aCost({ input: 3, output: 4 }), used: Partial<Bill["usage"]> = {}): Bill => ({
  usage: {
    inputTokens: 10,
    outputTokens: 20,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    cacheWriteHourTokens: 0,
    reasoningTokens: 0,
    inputAudioTokens: 0,
    outputAudioTokens: 0,
    webSearches: 0,
    reportedCost: null,
    ...used,
  },
  cost,
  source: "local",
  unpriced: false,
  model: "gpt-5",
  responseId: null,
  finishReasons: [],
  serviceTier: null,
});

const success: Outcome = { kind: "success", status: 200 };

describe("what the store is asked", () => {
  it("is every meter of the plan by the call's own values, whoever is judged", () => {
    const of = plan('tenant.daily > $1 when tenant == "other" -> deny', "tenant.feature.tokens.hourly > 5 -> warn");
    const { request } = ask(of, aCall({ subject: { tenant: "a|b", feature: "f" } }));
    expect(request.meters.map(({ key, add }) => [key, add])).toEqual([
      ["tenant.cost.daily|a%7Cb", 10_000_000],
      ["tenant.feature.tokens.hourly|a%7Cb|f", 1_500],
    ]);
    expect(request.stops).toEqual([]);
  });

  it("is a stop for each rule that can stop this call, with all its tests", () => {
    const of = plan(
      "tenant.daily > $1 and run.calls >= 5 -> deny",
      "tenant.retries last 15m > 30% -> deny for 5m",
      "call.retries > 2 -> deny",
      "shadow tenant.daily > $0 -> pause",
      "tenant.daily > $0.5 -> warn",
      "store.down -> deny",
    );
    const { request, gates } = ask(of, aCall());
    const index = (id: string): number => of.meters.findIndex((meter) => meter.id === id);
    expect(request.stops).toHaveLength(3);
    expect(request.stops).toContainEqual({
      tests: [
        { kind: "fixed", meter: index("tenant.cost.daily"), limit: 1e9, orEqual: false },
        { kind: "fixed", meter: index("run.calls"), limit: 5, orEqual: true },
      ],
      closes: null,
    });
    expect(request.stops).toContainEqual({ tests: [{ kind: "attempt", limit: 2, orEqual: false }], closes: null });
    const breaker = request.stops.find(({ closes }) => closes !== null);
    expect(breaker).toMatchObject({ closes: { ms: 300_000 }, tests: [{ kind: "share", millionths: 300_000 }] });
    const gate = gates[breaker?.closes?.gate ?? -1];
    expect(gate).toMatchObject({ kind: "rule", key: "tenant.retries last 15m > 30% -> deny for 5m|tenant=acme" });
  });

  it("leaves out rules that the call itself shows not to fire, and keeps those that it shows to fire", () => {
    const of = plan(
      "call.cost > $0.02 -> deny",
      "call.cost > $0.005 and tenant.calls.daily > 3 -> deny",
      "call.unpriced -> deny",
      "call.unmetered -> deny",
      "call.output_tokens >= 500 -> deny",
    );
    const { request } = ask(of, aCall());
    expect(request.stops.map(({ tests }) => tests.length).sort()).toEqual([0, 1]);
    expect(ask(of, aCall({ unpriced: true })).request.stops).toHaveLength(3);
    expect(ask(of, aCall({ spending: "unmetered", cost: 0, outputTokens: 0 })).request.stops).toHaveLength(1);
  });

  it("is every gate that a person may have closed: all, each scope, and the combinations of rules, each once", () => {
    const of = plan(
      "tenant.feature.daily > $1 -> deny",
      "tenant.feature.hourly > $1 -> pause",
      "dimension plan",
      'tenant.daily > $1 when plan == "pro" -> warn',
    );
    const call = aCall({ subject: { tenant: "a,b", feature: "f", plan: "pro" } });
    const keys = ask(of, call).request.gates.map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
    for (const key of [
      "|",
      "|tenant=a%2Cb",
      "|feature=f",
      "|agent=(none)",
      "|run=run-1",
      "|model=gpt-5",
      "|plan=pro",
    ]) {
      expect(keys).toContain(key);
    }
    expect(keys.filter((key) => key.startsWith("|tenant=a%2Cb,feature"))).toEqual(["|tenant=a%2Cb,feature=f"]);
    expect(keys.at(-1)).toBe("tenant.feature.hourly > $1 -> pause|tenant=a%2Cb,feature=f");
  });

  it("reads and holds but stops nothing in shadow mode", () => {
    const { request } = ask(plan("tenant.daily > $0 -> pause"), aCall(), false);
    expect([request.stops, request.gates]).toEqual([[], []]);
    expect(request.meters).toHaveLength(1);
  });
});

describe("a hold", () => {
  it("is the whole estimate, of which the request itself is surely spent", () => {
    const call = aCall({ cost: { input: 5, cacheWrite: 2, output: 7, reasoning: 1 } });
    expect(held("cost", call)).toEqual({ add: 15, floor: 7 });
    expect(held("tokens", call)).toEqual({ add: 1_500, floor: 1_000 });
    expect(held("input_tokens", call)).toEqual({ add: 1_000, floor: 1_000 });
    expect(held("output_tokens", call)).toEqual({ add: 500, floor: 0 });
    expect(held("calls", call)).toEqual({ add: 1, floor: 1 });
    expect(held("concurrency", call)).toEqual({ add: 1, floor: 0 });
    expect(held("errors", call)).toEqual({ add: 0, floor: 0 });
    expect(held("retries", call)).toEqual({ add: "retry", floor: 1 });
    expect(held("repeats", call)).toEqual({ add: "repeat", floor: 1 });
  });

  it("is bounded to what a ledger can add up, however much is asked for", () => {
    const call = aCall({ cost: { input: 1e24, output: 1e24 }, inputTokens: 1e18, outputTokens: 1e300 });
    for (const metric of ["cost", "tokens", "input_tokens", "output_tokens"] as const) {
      const { add, floor } = held(metric, call);
      expect(Number.isSafeInteger(add) && Number.isSafeInteger(floor)).toBe(true);
      expect(add).toBe(1e15);
    }
  });
});

describe("charges", () => {
  const of = plan(
    "tenant.daily > $1 -> deny",
    "tenant.tokens.daily > 1 -> warn",
    "tenant.output_tokens.daily > 1 -> warn",
    "run.calls > 1 -> warn",
    "run.retries > 1 -> warn",
    "run.repeats > 1 -> warn",
    "agent.errors last 5m > 1 -> warn",
    "tenant.concurrency > 1 -> warn",
  );
  const amounts = (outcome: Outcome): Record<string, unknown> =>
    Object.fromEntries(
      chargesFor(of, aCall(), aBill(), outcome).map(({ amount }, index) => [of.meters[index]?.metric, amount]),
    );

  it("are what the bill says, on every meter", () => {
    expect(amounts(success)).toEqual({
      cost: 7,
      tokens: 30,
      output_tokens: 20,
      calls: 1,
      retries: "retry",
      repeats: "repeat",
      errors: 0,
      concurrency: 0,
    });
  });

  it("hold an error against whoever the provider let down, not against a caller who hung up", () => {
    expect(amounts({ kind: "provider-error", status: 500 }).errors).toBe(1);
    expect(amounts({ kind: "timeout", status: null }).errors).toBe(1);
    expect(amounts({ kind: "network-error", code: "ECONNRESET" }).errors).toBe(1);
    expect(amounts({ kind: "aborted", status: 200 }).errors).toBe(0);
    expect(isFailure({ kind: "aborted", status: null })).toBe(false);
  });
});

describe("a bill", () => {
  it("is plausible where a ledger can add it up", () => {
    expect(isPlausible(aBill())).toBe(true);
    expect(isPlausible(aBill(aCost({ input: 1e16 })))).toBe(false);
    expect(isPlausible(aBill(aCost(), { inputTokens: 1e300 }))).toBe(false);
    expect(isPlausible(aBill(aCost(), { outputTokens: Number.NaN }))).toBe(false);
    expect(isPlausible(aBill(aCost({ tools: -5 })))).toBe(false);
  });
});

describe("a fingerprint", () => {
  it("belongs to its run", () => {
    expect(fingerprintKey(aCall({ subject: { run: "r" }, fingerprint: "ff" }))).toBe("r|ff");
    expect(fingerprintKey(aCall({ fingerprint: null }))).toBeNull();
  });
});

describe("a limit that has a name", () => {
  const limits = [
    "dimension plan",
    'limit tier by plan { "pro": $0.30, "free": $0.02, "endless": unlimited } else $0.10',
    "limit quota by tenant from store else tier",
    "limit pace by user from store else unlimited",
    "budget margin = quota of tenant.monthly",
  ];
  const of = (subject: Record<string, string>, ...rules: readonly string[]): Ask =>
    ask(plan(...limits, ...rules), aCall({ subject }));

  it("is a fixed one where no store keeps it", () => {
    const rule = "tenant.daily > tier -> deny";
    const tests = (value: string) => of({ plan: value }, rule).request.stops.map(({ tests }) => tests);
    expect(tests("pro")).toMatchObject([[{ kind: "fixed", limit: 300_000_000, orEqual: false }]]);
    expect(tests("none such")).toMatchObject([[{ kind: "fixed", limit: 100_000_000 }]]);
    // The rule cannot fire.
    expect(tests("endless")).toEqual([]);
    expect(of({ plan: "pro" }, rule).request.limits).toEqual([]);
  });

  it("is asked of the store in the same request, each once, with what counts where it keeps none", () => {
    const { request } = of(
      { tenant: "acme", plan: "free", user: "ann" },
      "a: tenant.daily >= quota -> deny",
      "b: margin > 80% -> hold 10s",
      "c: user.calls.daily > pace -> deny",
      "d: tenant.hourly > quota -> warn",
    );
    expect(request.limits).toEqual(["quota|tenant=acme", "pace|user=ann"]);
    expect(request.stops.map(({ tests }) => tests[0])).toMatchObject([
      { kind: "kept", limits: [0], otherwise: 20_000_000, millionths: 1_000_000, orEqual: true },
      { kind: "kept", limits: [0], otherwise: 20_000_000, millionths: 800_000, orEqual: false },
      { kind: "kept", limits: [1], otherwise: null, millionths: 1_000_000 },
    ]);
  });

  it("is asked for by rules that only warn, or are in the shadow, too", () => {
    expect(of({ tenant: "acme" }, "tenant.daily > quota -> warn").request.limits).toEqual(["quota|tenant=acme"]);
    expect(of({ tenant: "acme" }, "shadow tenant.daily > quota -> deny").request.limits).toHaveLength(1);
  });

  it("is compared with the call's own figures, here where it is known and there where the store keeps it", () => {
    // The call costs $0.01.
    const own = (value: string) => of({ plan: value }, "call.cost > tier -> deny").request.stops;
    expect(own("pro")).toEqual([]);
    expect(
      ask(plan(...limits, "call.cost >= tier -> deny"), aCall({ subject: { plan: "free" } })).request.stops,
    ).toEqual([]);
    const dear = ask(plan('limit small by tenant { "acme": $0.001 } else $1', "call.cost > small -> deny"), aCall());
    expect(dear.request.stops).toEqual([{ tests: [], closes: null }]);
    expect(of({ tenant: "acme" }, "call.cost > quota -> deny").request.stops[0]?.tests).toMatchObject([
      { kind: "kept", left: { kind: "amount", amount: 10_000_000 }, limits: [0] },
    ]);
    expect(of({ user: "ann" }, "call.retries > pace -> deny").request.stops[0]?.tests).toMatchObject([
      { kind: "kept", left: { kind: "attempt" }, otherwise: null },
    ]);
  });

  it("is asked anew for each subject", () => {
    const one = plan(...limits, "tenant.daily > tier -> deny");
    const limit = (value: string) =>
      askFor(one, aCall({ subject: { plan: value } }), one.rules, 60_000, true).request.stops[0]?.tests;
    expect(limit("pro")).not.toEqual(limit("free"));
  });
});

describe("a call that may have to wait", () => {
  it("is stopped by a hold, which closes nothing", () => {
    const { request, gates } = ask(plan("tenant.concurrency > 4 -> hold 10s"), aCall());
    expect(request.stops).toEqual([{ tests: [{ kind: "fixed", meter: 0, limit: 4, orEqual: false }], closes: null }]);
    expect(gates.every(({ kind }) => kind === "hand")).toBe(true);
  });

  it("is not stopped by a backoff", () => {
    expect(ask(plan("call.retries > 0 -> backoff 1s"), aCall()).request.stops).toEqual([]);
  });

  it("is stopped in any case where it yields to others", () => {
    const of = plan("tenant.concurrency > 4 -> hold 10s");
    const { request } = askFor(of, aCall(), of.rules, 60_000, true, true);
    expect(request.stops.at(-1)).toEqual({ tests: [], closes: null });
    expect(askFor(of, aCall(), of.rules, 60_000, false, true).request.stops).toEqual([]);
  });
});

describe("runs", () => {
  it("are the store's to tell apart: one call adds its run, and names it", () => {
    const of = plan("tenant.runs last 5m > 8 -> deny");
    const { request } = ask(of, aCall({ subject: { run: "r-7" } }));
    expect(request.run).toBe("r-7");
    expect(request.meters).toMatchObject([{ add: "run", floor: 0 }]);
    expect(chargesFor(of, aCall(), aBill(), success)).toMatchObject([{ amount: "run" }]);
  });
});

describe("a policy that changed while the call was out", () => {
  it("has the call charged on what either of them counts, each meter once", () => {
    const before = plan("tenant.daily > $1 -> deny", "run.calls > 5 -> deny");
    const now = plan("tenant.daily > $2 -> deny", "tenant.tokens.hourly > 5M -> deny");
    const charges = chargesFor(before, aCall({ subject: { tenant: "acme", run: "r" } }), aBill(), success, now);
    expect(charges.map(({ key, amount }) => [key, amount])).toEqual([
      ["run.calls|r", 1],
      ["tenant.cost.daily|acme", 7],
      ["tenant.tokens.hourly|acme", 30],
    ]);
  });
});
