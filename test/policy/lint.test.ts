import { describe, expect, it } from "vitest";
import { compile } from "../../src/policy/compile.ts";

const codes = (text: string) => compile([{ file: "p.budget", text }]).diagnostics.map(({ code }) => code);

describe("what is allowed and probably not meant", () => {
  it("is not said of a budget that is shed by feature: there the whole is meant", () => {
    expect(codes('budget day = $600 of global.daily\nday > 70% when feature == "x" -> deny')).toEqual([]);
    expect(codes('global.daily > $600 when feature == "x" -> deny')).toEqual(["gate"]);
    expect(codes('feature.daily > $600 when feature == "x" -> deny')).toEqual([]);
  });

  it("is not a warning said beside a refusal, but a refusal beside a refusal", () => {
    expect(codes("tenant.daily > $5 -> deny, warn")).toEqual([]);
    expect(codes("tenant.daily > $5 -> deny, pause")).toEqual(["unreachable"]);
  });

  it("is a budget that is only watched, also through a shadow rule", () => {
    const budget = "budget b = $5 of tenant.daily\n";
    expect(codes(`${budget}b > 80% -> warn`)).toEqual(["unused-budget"]);
    expect(codes(`${budget}shadow b > 80% -> deny`)).toEqual(["unused-budget"]);
    expect(codes(`${budget}tenant last 1h > 10% of b -> deny`)).toEqual([]);
  });

  it("is not said while the policy has errors", () => {
    expect(codes("budget b = $5 of tenant.daily\ntenant.daily > 5 -> deny")).toEqual(["unit"]);
  });
});

describe("what a rule routes to", () => {
  const known: Readonly<Record<string, { readonly provider: string; readonly price: number }>> = {
    "gpt-5": { provider: "openai", price: 10 },
    "gpt-5-mini": { provider: "openai", price: 2 },
    "gpt-5-nano": { provider: "openai", price: 1 },
    "claude-haiku-4-5": { provider: "anthropic", price: 6 },
    "claude-opus-4-7": { provider: "anthropic", price: 30 },
  };
  const models = { names: Object.keys(known), find: (model: string) => known[model] ?? null };
  const ceiling = "global.daily > $100 -> deny\n";
  const said = (rule: string) =>
    compile([{ file: "p.budget", text: `${ceiling}${rule}` }], { models }).diagnostics.map(({ code }) => code);

  it("has a price", () => {
    expect(said('tenant.daily > $5 -> route to "gpt-5-mini"')).toEqual([]);
    expect(said('tenant.daily > $5 -> route to "gpt-5-minni"')).toEqual(["unpriced"]);
    expect(codes(`${ceiling}tenant.daily > $5 -> route to "gpt-5-minni"`)).toEqual([]);
  });

  it("is cheaper than what the filter names", () => {
    expect(said('when model == "gpt-5" -> route to "gpt-5-mini"')).toEqual([]);
    expect(said('when model in ["gpt-5", "gpt-5-nano"] -> route to "gpt-5-mini"')).toEqual(["unpriced"]);
    expect(said('when model matches "gpt-5-m*" -> route to "gpt-5"')).toEqual(["unpriced"]);
    // A pattern may take in an old and cheap model beside those that are meant.
    expect(said('when model matches "gpt-5*" -> route to "gpt-5-mini"')).toEqual([]);
    expect(said('when model == "gpt-5-mini" -> route to "gpt-5-mini"')).toEqual([]);
  });

  it("lives where the filter says that the calls go", () => {
    expect(said('when provider == "anthropic" -> route to "gpt-5-mini"')).toEqual(["action"]);
    expect(said('when model matches "claude-*" -> route to "gpt-5-mini"')).toEqual(["action"]);
    expect(said('when provider in ["openai", "anthropic"] -> route to "gpt-5-mini"')).toEqual([]);
    expect(said('when provider == "openrouter" -> route to "gpt-5-mini"')).toEqual([]);
    expect(said('when provider != "anthropic" -> route to "gpt-5-mini"')).toEqual([]);
    expect(said('when model in ["claude-opus-4-7", "house-model"] -> route to "gpt-5-mini"')).toEqual([]);
  });
});

describe("a hold", () => {
  it("enforces a budget: what finds no room in time is refused", () => {
    expect(codes("budget b = $5 of tenant.hourly\nb > 80% -> hold 10s")).toEqual([]);
  });

  it("on a window that frees at its end is worth a note, and on a short one is not", () => {
    expect(codes("tenant.daily > $5 -> hold 10s")).toEqual(["long-hold"]);
    expect(codes("tenant last 1d > $5 -> hold 10s")).toEqual(["long-hold"]);
    expect(codes("tenant last 1h > $5 -> hold 10s")).toEqual([]);
    expect(codes("tenant.daily > $5 and tenant.concurrency > 4 -> hold 10s")).toEqual([]);
  });

  it("beside a refusal never waits", () => {
    expect(codes("tenant last 1h > $5 -> hold 10s, deny")).toEqual(["unreachable"]);
    expect(codes("tenant last 1h > $5 -> deny, hold 10s")).toEqual(["unreachable"]);
    expect(codes("tenant last 1h > $5 -> backoff 1s, hold 10s")).toEqual([]);
  });

  it("is possible where any condition frees", () => {
    expect(codes("call.cost > $1 and tenant last 1h > $5 -> hold 10s")).toEqual([]);
    expect(codes("call.cost > $1 and tenant.total > $5 -> hold 10s")).toEqual(["action"]);
  });
});

describe("what is said once", () => {
  it("is what holds for more than 200 rules of a file", () => {
    const rules = (count: number): string => "tenant.daily > 5 -> deny\n".repeat(count);
    expect(codes(rules(200))).toHaveLength(200);
    expect(codes(rules(500))).toHaveLength(201);
    expect(codes(rules(500)).at(-1)).toBe("more");
  });
});
