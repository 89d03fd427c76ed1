import { describe, expect, it } from "vitest";
import { compile } from "../../src/policy/compile.ts";

/** Lines of the rules that can never fire. */
function unreachable(...lines: string[]): number[] {
  const text = lines.join("\n");
  const { diagnostics } = compile([{ file: "p.budget", text }]);
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return diagnostics
    .filter(({ code }) => code === "unreachable")
    .map(({ span }) => text.slice(0, span.start).split("\n").length);
}

describe("a rule that can never fire", () => {
  it.each([
    ["an hour above its day", "tenant.daily > $20 -> deny", "tenant.hourly > $50 -> deny"],
    ["a tenant above everybody", "global.daily > $20 -> deny", "tenant.daily > $50 -> deny"],
    ["a pair above one of it", "tenant.daily > $20 -> deny", "tenant.feature.daily > $20 -> deny"],
    ["a call above its run", "run.cost > $2 -> deny", "call.cost > $5 -> deny"],
    ["a shorter window of the same kind", "tenant last 1h > $5 -> deny", "tenant last 5m > $5 -> deny"],
    ["some tokens above all tokens", "run.tokens > 5K -> deny", "run.input_tokens > 6K -> deny"],
    ["retries above calls", "run.calls > 5 -> deny", "run.retries > 5 -> deny"],
    ["what is at the limit of a rule that fires there", "tenant.daily >= $5 -> deny", "tenant.daily > $5 -> deny"],
    ["a warning behind a refusal", "tenant.daily > $5 -> deny", "tenant.daily > $6 -> warn"],
    [
      "a narrower filter",
      'tenant.daily > $5 when feature in ["a", "b"] -> deny',
      'tenant.daily > $6 when feature == "a" -> deny',
    ],
    [
      "a filter beside an exclusion",
      'tenant.daily > $5 when feature != "a" -> deny',
      'tenant.daily > $6 when feature == "b" -> deny',
    ],
    ["a larger share", "run.errors > 20% -> deny", "run.errors > 30% -> deny"],
    ["one more condition", "tenant.daily > $5 -> deny", "tenant.daily > $6 and run.calls > 3 -> deny"],
    [
      "any rule with a filter that is refused outright",
      "when user is missing -> deny",
      "run > $5 when user is missing -> deny",
    ],
    ["the same rule under another label", "a: run > $5 -> deny", "b: run > $5 -> deny"],
  ])("%s", (_, first, second) => {
    expect(unreachable(first, second)).toEqual([2]);
    expect(unreachable(second, first)).toEqual([first.startsWith("a:") ? 2 : 1]);
  });

  it.each([
    ["a day below its hour's limit", "tenant.hourly > $5 -> deny", "tenant.daily > $50 -> deny"],
    ["a lower limit", "tenant.daily > $20 -> deny", "tenant.hourly > $5 -> deny"],
    ["a calendar window beside a rolling one", "tenant last 1h > $5 -> deny", "tenant.hourly > $6 -> deny"],
    ["a week beside a month", "tenant.monthly > $5 -> deny", "tenant.weekly > $6 -> deny"],
    [
      "a wider filter",
      'tenant.daily > $5 when feature == "a" -> deny',
      'tenant.daily > $6 when feature in ["a", "b"] -> deny',
    ],
    ["another metric", "run.calls > 5 -> deny", "run.cost > $9 -> deny"],
    ["what a shadow rule would stop", "shadow tenant.daily > $5 -> deny", "tenant.daily > $6 -> deny"],
    ["what is only warned about", "tenant.daily > $5 -> warn", "tenant.daily > $6 -> deny"],
    ["a cap, which runs first", "call.output_tokens > 2K -> deny", "call.output_tokens > 3K -> cap 1K"],
    ["a rule with fewer conditions", "tenant.daily > $5 and run.calls > 3 -> deny", "tenant.daily > $6 -> deny"],
    ["what to do without a store", 'when tenant == "a" -> deny', 'store.down when tenant == "a" -> deny'],
  ])("is not %s", (_, first, second) => {
    expect(unreachable(first, second)).toEqual([]);
  });
});

describe("a filter that no call can match", () => {
  const never = (text: string) =>
    compile([{ file: "p.budget", text }]).diagnostics.some(({ code }) => code === "never-matches");

  it("needs two values of one dimension, also one of them in the budget it watches", () => {
    expect(never('run > $5 when feature == "a" and feature == "b" -> deny')).toBe(true);
    expect(never('run > $5 when feature == "a" and feature != "a" -> deny')).toBe(true);
    expect(never('budget b = $5 of feature.daily when feature == "a"\nb > 100% when feature == "b" -> deny')).toBe(
      true,
    );
    expect(never('run > $5 when feature == "a" or feature == "b" -> deny')).toBe(false);
    expect(never('run > $5 when feature in ["a", "b"] and feature == "b" -> deny')).toBe(false);
  });
});

describe("a stricter rule at the same limit", () => {
  it("fires together with the milder one, and decides", () => {
    expect(unreachable("tenant.daily > $5 -> deny for 1h", "tenant.feature.daily > $5 -> pause")).toEqual([]);
    expect(unreachable("tenant.daily > $5 -> deny", "x: tenant.daily > $5 -> pause")).toEqual([1]);
    expect(unreachable("tenant.daily > $5 -> deny", "tenant.daily > $9 -> pause")).toEqual([2]);
    expect(unreachable("tenant.daily > $5 -> pause", "tenant.feature.daily > $5 -> deny")).toEqual([2]);
  });
});

describe("rules on named limits", () => {
  const limits = 'limit q by tenant { "a": $5 } else $1\nlimit p by tenant { "a": $5 } else $1';

  it("are compared where the limit is the same", () => {
    expect(
      unreachable(limits, "tenant.daily > q -> deny", "tenant.hourly > q -> deny", "tenant.hourly > p -> warn"),
    ).toEqual([4]);
    expect(
      unreachable(
        limits,
        "budget b = q of tenant.daily",
        "b > 80% -> deny",
        "b > 90% -> warn",
        "tenant.daily > p -> deny",
      ),
    ).toEqual([5]);
    expect(
      unreachable(
        limits,
        "budget b = q of tenant.daily",
        "b > 80% -> warn",
        "b > 90% -> deny",
        "tenant.daily > p -> deny",
      ),
    ).toEqual([]);
  });

  it("are not compared with fixed amounts", () => {
    expect(
      unreachable(limits, "tenant.daily > $1 -> deny", "tenant.daily > q -> deny", "tenant.daily > p -> deny"),
    ).toEqual([]);
  });
});

it("a route is no rule that never fires: it comes before the refusal", () => {
  expect(unreachable("tenant.daily > $5 -> deny", 'tenant.daily > $6 -> route to "gpt-5-mini"')).toEqual([]);
});
