import { describe, expect, it } from "vitest";
import { limitAmount, mayHold } from "../src/limits.ts";
import type { Filter } from "../src/policy/plan.ts";
import { loadPlan } from "./support/load-plan.ts";

const is = (dimension: string, ...values: readonly string[]): Filter => ({ kind: "in", dimension, values });
const scope = { tenant: "acme", feature: "(none)" };

describe("whether a filter can concern a subject", () => {
  it.each<[string, Filter, boolean | null]>([
    ["a value that it has", is("tenant", "globex", "acme"), true],
    ["a value that it has not", is("tenant", "globex"), false],
    ["a dimension that the meter does not count by", is("model", "gpt-5"), null],
    ["a pattern", { kind: "glob", dimension: "tenant", pattern: "ac*" }, true],
    ["a pattern that fails", { kind: "glob", dimension: "tenant", pattern: "g*" }, false],
    ["a missing value", { kind: "missing", dimension: "feature" }, true],
    ["a value that is there", { kind: "missing", dimension: "tenant" }, false],
    ["not", { kind: "not", of: is("tenant", "acme") }, false],
    ["not, of the unknown", { kind: "not", of: is("model", "gpt-5") }, null],
    ["and, with one false", { kind: "and", of: [is("model", "gpt-5"), is("tenant", "globex")] }, false],
    ["and, with one unknown", { kind: "and", of: [is("model", "gpt-5"), is("tenant", "acme")] }, null],
    ["and, all true", { kind: "and", of: [is("tenant", "acme"), is("feature", "(none)")] }, true],
    ["or, with one true", { kind: "or", of: [is("model", "gpt-5"), is("tenant", "acme")] }, true],
    ["or, with one unknown", { kind: "or", of: [is("model", "gpt-5"), is("tenant", "globex")] }, null],
    ["or, all false", { kind: "or", of: [is("tenant", "globex"), is("feature", "x")] }, false],
  ])("%s", (_, filter, answer) => {
    expect(mayHold(filter, scope)).toBe(answer);
  });
});

describe("a limit as an amount", () => {
  const plan = loadPlan(
    [
      {
        file: "test.budget",
        text: `dimension plan
limit tier by plan { "free": $5, "big": unlimited } else $1
limit quota by tenant from store else tier
budget margin = quota of tenant.monthly
tenant.monthly > quota -> deny
`,
      },
    ],
    () => {},
  );
  const quota = plan.limits.findIndex(({ name }) => name === "quota");
  const nothing = { total: () => 0, kept: new Map<string, number>() };
  const named = { kind: "named", limit: quota, millionths: 1_000_000 } as const;

  it("is itself where it is fixed", () => {
    expect(limitAmount(plan, { kind: "fixed", amount: 7 }, scope, nothing)).toBe(7);
  });

  it("is a share of another meter, rounded down", () => {
    const total = (meter: number): number => (meter === 4 ? 9 : 0);
    const limit = { kind: "share", millionths: 300_000, of: 4 } as const;
    expect(limitAmount(plan, limit, scope, { ...nothing, total })).toBe(2);
  });

  it("is what the store keeps, or a share of that", () => {
    const kept = new Map([["quota|tenant=acme", 80e9]]);
    expect(limitAmount(plan, named, scope, { ...nothing, kept })).toBe(80e9);
    expect(limitAmount(plan, { ...named, millionths: 500_000 }, scope, { ...nothing, kept })).toBe(40e9);
  });

  it("is what the next limit says where the store keeps none", () => {
    expect(limitAmount(plan, named, { tenant: "acme", plan: "free" }, nothing)).toBe(5e9);
    expect(limitAmount(plan, named, { tenant: "acme", plan: "other" }, nothing)).toBe(1e9);
    expect(limitAmount(plan, named, { tenant: "acme", plan: "big" }, nothing)).toBe(Number.POSITIVE_INFINITY);
  });

  it("is what the next limit says where another program has set what is no number, as calls are judged", () => {
    const kept = new Map([["quota|tenant=acme", Number.NaN]]);
    expect(limitAmount(plan, named, { tenant: "acme", plan: "free" }, { ...nothing, kept })).toBe(5e9);
  });

  it("is the dimension that decides where the subject does not tell it", () => {
    expect(limitAmount(plan, named, scope, nothing)).toBe("plan");
    expect(limitAmount(plan, named, {}, nothing)).toBe("tenant");
  });
});
