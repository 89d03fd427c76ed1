import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { globs, indexRules } from "../../src/policy/match.ts";
import type { Filter } from "../../src/policy/plan.ts";
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
    expect(globs(`${"a*".repeat(200)}b`, "a".repeat(5_000))).toBe(false);
  });
});

describe("the index", () => {
  it("gives the rules in plan order", () => {
    const plan = planOf(
      'c: run > $5 -> deny\na: run > $5 when tenant == "acme" -> deny\nb: run > $5 when model == "gpt-5" -> deny',
    );
    expect(indexRules(plan)(aCall()).map(({ id }) => id)).toEqual(["a", "b", "c"]);
  });

  const is = (values: readonly string[]): Filter => ({ kind: "in", dimension: "tenant", values });
  const like = (pattern: string, dimension = "tenant"): Filter => ({ kind: "glob", dimension, pattern });

  it.each<[string, (i: number) => Filter]>([
    ["a value", (i) => is([`t${i}`])],
    ["one of several values", (i) => is([`t${i}`, `u${i}`, `v${i}`])],
    ["a prefix", (i) => like(`t${i}*7`)],
    ["values of which one is asked", (i) => ({ kind: "or", of: [is([`t${i}`]), like(`w${i}-*`)] })],
    [
      "a value beside other parts",
      (i) => ({ kind: "and", of: [is([`t${i}`]), { kind: "not", of: like("*-mini", "model") }] }),
    ],
  ])("finds the rule of %s among 10,000 without looking at the others", (_, filter) => {
    const plan = planOf("tenant.daily > $5 -> deny");
    const [one] = plan.rules;
    if (one === undefined) throw new Error("no rule");
    const rules = Array.from({ length: 10_000 }, (_, i) => ({ ...one, id: `r${i}`, filter: filter(i) }));
    const match = indexRules({ ...plan, rules });
    const call = aCall({ subject: { tenant: "t77" } });
    let looks = 0;
    const subject = new Proxy(call.subject, {
      get(target, name: string) {
        looks += 1;
        return target[name];
      },
    });
    const found = match({ subject, modelAsSent: call.modelAsSent }).map(({ id }) => id);
    expect(found).toContain(filter(77).kind === "glob" ? "r7" : "r77");
    expect(found).toHaveLength(1);
    expect(looks).toBeLessThan(10);
    expect(match(aCall({ subject: { tenant: "nobody" } }))).toHaveLength(0);
  });

  it("finds a rule on the model by its name as sent, and once where two of its values fit", () => {
    const ids = (filter: string, wishes: CallWishes) =>
      indexRules(planOf(`a: run > $5 when ${filter} -> deny\nb: run > $5 -> deny`))(aCall(wishes)).map(({ id }) => id);
    const sent = { model: "gpt-5", modelAsSent: "azure/gpt-5-2025-08-07" };
    expect(ids('model matches "azure/*"', sent)).toEqual(["a", "b"]);
    expect(ids('model matches "azure/*" or model matches "gpt-*"', sent)).toEqual(["a", "b"]);
    expect(ids('model matches "azure/gpt-5-2025-08-07"', sent)).toEqual(["a", "b"]);
    expect(ids('model == "azure/gpt-5-2025-08-07"', sent)).toEqual(["b"]);
    expect(ids('model matches "az*" or model matches "azure*"', sent)).toEqual(["a", "b"]);
  });

  it("tells calls of one subject apart by the name of the model as sent", () => {
    const match = indexRules(planOf('run > $5 when model matches "*-2025-*" -> deny'));
    const { subject } = aCall();
    expect(match({ subject, modelAsSent: "gpt-5-2025-08-07" })).toHaveLength(1);
    expect(match({ subject, modelAsSent: "gpt-5" })).toHaveLength(0);
    expect(match({ subject, modelAsSent: "gpt-5-2025-08-07" })).toHaveLength(1);
  });
});
