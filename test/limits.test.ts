import { describe, expect, it } from "vitest";
import { limitAmount, mayHold } from "../src/limits.ts";
import type { Filter } from "../src/policy/plan.ts";

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
  it("is itself where it is fixed", () => {
    expect(limitAmount({ kind: "fixed", amount: 7 }, () => 0)).toBe(7);
  });

  it("is a share of another meter, rounded down", () => {
    expect(limitAmount({ kind: "share", millionths: 300_000, of: 4 }, (meter) => (meter === 4 ? 9 : 0))).toBe(2);
  });
});
