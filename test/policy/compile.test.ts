import { describe, expect, it } from "vitest";
import { compile } from "../../src/policy/compile.ts";
import type { Plan } from "../../src/policy/plan.ts";
import { planOf } from "./support.ts";

const onlyRule = (text: string) => planOf(text).rules[0];
const meterIds = (plan: Plan) => plan.meters.map(({ id }) => id);
const limitOf = (text: string) => onlyRule(text)?.conditions[0]?.limit;

describe("meters", () => {
  it("are named canonically, whatever the order and spelling of the path", () => {
    expect(meterIds(planOf("feature.tenant.tokens.daily > 1M -> deny"))).toEqual(["tenant.feature.tokens.daily"]);
    expect(meterIds(planOf("tenant last 60m > $5 -> deny"))).toEqual(["tenant.cost.last 1h"]);
    expect(meterIds(planOf("run > $5 -> deny"))).toEqual(["run.cost"]);
    expect(meterIds(planOf("tenant.concurrency > 5 -> deny"))).toEqual(["tenant.concurrency"]);
    expect(meterIds(planOf("global.total > $5 -> deny"))).toEqual(["global.cost.total"]);
    expect(meterIds(planOf("dimension zone, area\nzone.run.area.tenant > $5 -> deny"))).toEqual([
      "tenant.run.area.zone.cost",
    ]);
  });

  it("are distinct: two rules on one meter share it", () => {
    expect(meterIds(planOf("tenant.daily > $5 -> warn\ntenant.cost.daily > $9 -> deny"))).toEqual([
      "tenant.cost.daily",
    ]);
  });

  it("include what budgets and shares of calls are measured on", () => {
    expect(meterIds(planOf("budget b = $5 of tenant.daily\nglobal.retries.daily > 30% -> deny"))).toEqual([
      "global.calls.daily",
      "global.retries.daily",
      "tenant.cost.daily",
    ]);
  });

  it("do not depend on the filter", () => {
    expect(meterIds(planOf('tenant.daily > $5 when model == "gpt-5" -> deny'))).toEqual(["tenant.cost.daily"]);
  });

  it("of a run live as long as the run, unless the rule names a window", () => {
    expect(planOf("run.calls > 5 -> deny").meters[0]?.window).toEqual({ kind: "run" });
    expect(planOf("run.calls.daily > 5 -> deny").meters[0]?.window).toEqual({ kind: "daily", timezone: "UTC" });
    expect(planOf("tenant.run.cost > $5 -> deny").meters[0]?.window).toEqual({ kind: "run" });
  });
});

describe("limits", () => {
  it("are exact nano-dollars", () => {
    expect(limitOf("tenant.daily > $0.1 -> deny")).toEqual({ kind: "fixed", amount: 100_000_000 });
    expect(limitOf("tenant.daily > $4.5K -> deny")).toEqual({ kind: "fixed", amount: 4_500_000_000_000 });
    expect(limitOf("tenant.daily > $1_000.000000001 -> deny")).toEqual({ kind: "fixed", amount: 1_000_000_000_001 });
  });

  it("of counts and tokens are integers", () => {
    expect(limitOf("tenant.tokens.daily > 1.5M tokens -> deny")).toEqual({ kind: "fixed", amount: 1_500_000 });
    expect(limitOf("run.calls > 20 -> deny")).toEqual({ kind: "fixed", amount: 20 });
  });

  it("of a rate are scaled to the window", () => {
    expect(limitOf("tenant last 5m > $600/h -> deny")).toEqual({ kind: "fixed", amount: 50_000_000_000 });
    expect(limitOf("tenant last 2h > $600/h -> deny")).toEqual({ kind: "fixed", amount: 1_200_000_000_000 });
  });

  it("of a budget are fixed when the policy is read", () => {
    const budget = "budget research = $4.5K of feature.monthly\n";
    expect(limitOf(`${budget}research > 95% -> deny`)).toEqual({ kind: "fixed", amount: 4_275_000_000_000 });
    expect(limitOf(`${budget}feature last 1h > 2% of research -> deny`)).toEqual({
      kind: "fixed",
      amount: 90_000_000_000,
    });
  });

  it("that fall between two counts compare as the fraction would", () => {
    const budget = "budget b = 5 of tenant.calls.daily\n";
    expect(limitOf(`${budget}b > 50% -> deny`)).toEqual({ kind: "fixed", amount: 2 });
    expect(limitOf(`${budget}b >= 50% -> deny`)).toEqual({ kind: "fixed", amount: 3 });
  });

  it("of retries in percent are a share of the calls of the same scope and window", () => {
    const plan = planOf("tenant.feature.errors last 5m > 12.5% -> deny");
    const condition = plan.rules[0]?.conditions[0];
    expect(condition?.limit).toMatchObject({ kind: "share", millionths: 125_000 });
    const of = condition?.limit.kind === "share" ? condition.limit.of : -1;
    expect(plan.meters[of]?.id).toBe("tenant.feature.calls.last 5m");
  });
});

describe("rules", () => {
  it("are known by their label, else by their canonical text", () => {
    expect(onlyRule("loop:   run.calls>5   ->deny")).toMatchObject({ id: "loop", text: "loop: run.calls > 5 -> deny" });
    expect(onlyRule("run.calls   >5\n  -> deny")?.id).toBe("run.calls > 5 -> deny");
  });

  it("keep their id when their message is reworded", () => {
    const rule = onlyRule('run.calls > 5 -> deny "Too many."');
    expect(rule?.id).toBe("run.calls > 5 -> deny");
    expect(rule?.text).toBe('run.calls > 5 -> deny "Too many."');
  });

  it("carry the budget's own filter as well as theirs", () => {
    const rule = onlyRule('budget b = $5 of feature.daily when feature == "x"\nb > 100% when tenant == "acme" -> deny');
    expect(rule?.filter).toEqual({
      kind: "and",
      of: [
        { kind: "in", dimension: "tenant", values: ["acme"] },
        { kind: "in", dimension: "feature", values: ["x"] },
      ],
    });
    expect(rule?.conditions[0]?.budget).toBe("b");
  });

  it("close the scopes of their first subject that lives on", () => {
    expect(onlyRule("call.cost > $1 and tenant.feature.daily > $5 -> pause")?.closes).toEqual(["tenant", "feature"]);
    expect(onlyRule("global.daily > $5 -> pause")?.closes).toEqual([]);
    expect(onlyRule("tenant.daily > $5 -> deny")?.closes).toEqual([]);
  });

  it("say where they stand and what is written above them", () => {
    expect(onlyRule("\n## Why.\nrun.calls > 5 -> deny")).toMatchObject({ file: "p.budget", line: 3, doc: "Why." });
  });

  it("that are written twice are one", () => {
    const { plan } = compile([
      { file: "a.budget", text: "run.calls > 5 -> warn" },
      { file: "b.budget", text: "run.calls > 5 -> warn" },
    ]);
    expect(plan?.rules.map(({ file }) => file)).toEqual(["a.budget"]);
  });
});

describe("files", () => {
  it("share their names: a budget of one is watched in another", () => {
    const { plan } = compile([
      { file: "a.budget", text: "b > 100% -> deny" },
      { file: "b.budget", text: "budget b = $5 of zone.daily" },
      { file: "c.budget", text: "dimension zone" },
    ]);
    expect(plan?.rules[0]?.closes).toEqual([]);
    expect(plan?.dimensions).toEqual(["zone"]);
    expect(plan?.budgets).toEqual([{ name: "b", limit: { kind: "fixed", amount: 5_000_000_000 }, meter: 0 }]);
  });

  it("cannot define one name twice", () => {
    const { plan, diagnostics } = compile([
      { file: "a.budget", text: "cap: run.calls > 5 -> deny" },
      { file: "b.budget", text: "budget cap = $5 of tenant.daily" },
    ]);
    expect(plan).toBeNull();
    expect(diagnostics).toMatchObject([
      { code: "duplicate-name", file: "b.budget", note: "first defined at a.budget:1" },
    ]);
  });

  it("make no plan when any of them has an error", () => {
    const { plan } = compile([
      { file: "a.budget", text: "run.calls > 5 -> deny" },
      { file: "b.budget", text: "run.calls > 5 ->" },
    ]);
    expect(plan).toBeNull();
  });

  it("give 12 hex digits that change with the text and not with the order", () => {
    const a = { file: "a.budget", text: "run.calls > 5 -> deny" };
    const b = { file: "b.budget", text: "run.calls > 6 -> warn" };
    const hash = compile([a, b]).plan?.hash;
    expect(hash).toMatch(/^[0-9a-f]{12}$/);
    expect(compile([b, a]).plan?.hash).toBe(hash);
    expect(compile([a]).plan?.hash).not.toBe(hash);
  });

  it("may be empty", () => {
    expect(compile([]).plan).toMatchObject({ meters: [], rules: [] });
  });
});

it("the plan is frozen through and through", () => {
  const plan = planOf(
    'budget b = $5 of tenant.daily\nb > 50% when not (feature in ["x", "y"] or user is missing) -> warn "x", pause\nrun.errors > 5% -> deny',
  );
  const thaw: string[] = [];
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null) return;
    if (!Object.isFrozen(value)) thaw.push(path);
    for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`);
  };
  visit(plan, "plan");
  expect(thaw).toEqual([]);
});

it("compiles 10,000 rules in good time", () => {
  const text = Array.from({ length: 10_000 }, (_, i) => `tenant.daily > $5 when tenant == "t${i}" -> deny`).join("\n");
  const started = performance.now();
  expect(planOf(text).rules).toHaveLength(10_000);
  expect(performance.now() - started).toBeLessThan(8_000);
});

it("refuses a dimension whose name a plain object cannot hold", () => {
  const { plan, diagnostics } = compile([{ file: "p.budget", text: "dimension __proto__\n" }]);
  expect(plan).toBeNull();
  expect(diagnostics.map(({ code }) => code)).toEqual(["reserved-name"]);
});
