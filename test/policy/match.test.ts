import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { globs, indexRules } from "../../src/policy/match.ts";
import { aCall, type CallWishes } from "../support/a-call.ts";
import { planOf } from "./support.ts";

function matches(filter: string, wishes: CallWishes = {}): boolean {
  const plan = planOf(`dimension plan\ntenant.daily > $5 when ${filter} -> deny`);
  return indexRules(plan)(aCall(wishes)).length === 1;
}

describe("a filter", () => {
  it.each([
    ['tenant == "acme"', true],
    ['tenant == "Acme"', false],
    ['tenant != "acme"', false],
    ['tenant != "globex"', true],
    ['tenant in ["globex", "acme"]', true],
    ['tenant in ["globex"]', false],
    ['not tenant == "globex"', true],
    ['tenant == "acme" and model == "gpt-5"', true],
    ['tenant == "acme" and model == "gpt-4"', false],
    ['tenant == "globex" or model == "gpt-5"', true],
    ['tenant == "globex" or tenant == "acme"', true],
    ['tenant == "globex" or tenant == "initech"', false],
    ['not (tenant == "acme" or model == "gpt-4")', false],
    ["user is missing", true],
    ["tenant is missing", false],
    ["plan is missing", true],
    ['plan == "pro"', false],
    ['user != "bob"', true],
    ['user == "(none)"', true],
    ['run matches "run-*"', true],
  ])("%s holds: %s", (filter, expected) => {
    expect(matches(filter)).toBe(expected);
  });

  it("on the model compares its canonical name; a pattern also sees the name as sent", () => {
    const call = { model: "gpt-5", modelAsSent: "openai/gpt-5-2025-08-07" };
    expect(matches('model == "gpt-5"', call)).toBe(true);
    expect(matches('model == "openai/gpt-5-2025-08-07"', call)).toBe(false);
    expect(matches('model matches "gpt-*"', call)).toBe(true);
    expect(matches('model matches "*-2025-*"', call)).toBe(true);
    expect(matches('model matches "claude*"', call)).toBe(false);
  });

  it("sees declared dimensions", () => {
    expect(matches('plan == "pro"', { subject: { plan: "pro" } })).toBe(true);
  });
});

describe("a pattern", () => {
  it.each([
    ["*", "", true],
    ["*", "anything", true],
    ["", "", true],
    ["", "a", false],
    ["abc", "abc", true],
    ["abc", "abcd", false],
    ["a*c", "abc", true],
    ["a*c", "ac", true],
    ["a*a", "a", false],
    ["*b*", "abc", true],
    ["*-mini*", "gpt-5-mini", true],
    ["a*b*c", "axbxc", true],
    ["a*b*c", "acb", false],
    ["a.c", "abc", false],
    ["a**c", "abc", true],
    ["*aab", "aaab", true],
  ])("%s on %s: %s", (pattern, value, expected) => {
    expect(globs(pattern, value)).toBe(expected);
  });

  it("agrees with a regular expression", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 8 });
    fc.assert(
      fc.property(letters, letters, (pattern, value) => {
        const expression = new RegExp(`^${pattern.replaceAll("*", "[^]*")}$`);
        expect(globs(pattern, value)).toBe(expression.test(value));
      }),
      { numRuns: 2_000 },
    );
  });

  it("is quick on what makes regular expressions slow", () => {
    const started = performance.now();
    expect(globs(`${"a*".repeat(200)}b`, "a".repeat(5_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe("the index", () => {
  it("gives the rules in plan order", () => {
    const plan = planOf(
      'c: run > $5 -> deny\na: run > $5 when tenant == "acme" -> deny\nb: run > $5 when model == "gpt-5" -> deny',
    );
    expect(indexRules(plan)(aCall()).map(({ id }) => id)).toEqual(["a", "b", "c"]);
  });

  it("finds one rule of 10,000 without looking at the others", () => {
    const many = (count: number) =>
      indexRules(
        planOf(Array.from({ length: count }, (_, i) => `tenant.daily > $5 when tenant == "t${i}" -> deny`).join("\n")),
      );
    const [few, lots] = [many(10), many(10_000)];
    const call = aCall({ subject: { tenant: "t7" } });
    const time = (match: typeof few): number => {
      const started = performance.now();
      for (let i = 0; i < 20_000; i++) match(call);
      return performance.now() - started;
    };
    for (const match of [few, lots]) expect(match(call)).toHaveLength(1);
    const ratios = Array.from({ length: 7 }, () => {
      time(few);
      return time(lots) / time(few);
    }).sort((a, b) => a - b);
    // A scan would be some 1,000 times slower; the bound leaves room for a busy machine. `npm run bench` tells the ratio.
    expect(ratios[3]).toBeLessThan(100);
  });
});
