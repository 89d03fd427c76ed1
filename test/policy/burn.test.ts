import { describe, expect, it } from "vitest";
import { type Burn, burnOf } from "../../src/policy/burn.ts";
import { idleRules } from "../../src/policy/burn-bounds.ts";
import type { PricedModel } from "../../src/policy/burn-call.ts";
import { certainty } from "../../src/policy/burn-filter.ts";
import { gapsOf } from "../../src/policy/burn-gaps.ts";
import { moneyWithin } from "../../src/policy/burn-money.ts";
import { boundRows } from "../../src/policy/burn-table.ts";
import { populationsOf, verdictOf } from "../../src/policy/burn-verdict.ts";
import type { Rule } from "../../src/policy/plan.ts";
import { planOf } from "./support.ts";

const DOLLAR = 1e9;

/** USD per million tokens. */
const model = (name: string, input: number, output: number, context = 200_000): PricedModel => ({
  provider: "anthropic",
  model: name,
  sent: name,
  context,
  cost: (i, o) => i * input * 1_000 + o * output * 1_000,
});

const opus = model("claude-opus-4-7", 5, 25);
const haiku = model("claude-haiku-4-5", 1, 5);
const sonnet = model("claude-sonnet-4-6", 3, 15);
const all = [haiku, opus, sonnet];

const burn = (text: string, models = all, concurrency: number | null = null): Burn =>
  burnOf(planOf(text), {}, { models, concurrency });

const dollars = (nano: number | undefined): number | undefined => (nano === undefined ? undefined : nano / DOLLAR);

/** The settings of the article's incident, each as a rule. */
const article = [
  "run.calls > 400 -> deny",
  "call.input_tokens > 12K -> deny",
  "call.output_tokens > 3K -> deny",
  "call.retries > 2 -> deny",
].join("\n");

describe("Max_Burn", () => {
  it("is the article's $648 (it rounds to $660) with the article's own settings, as its formula counts", () => {
    const { product, call } = burn(article, [opus], 4);
    // 12K x $5/M + 3K x $25/M = $0.135; 400 x $0.135 x 3 x 4
    expect(dollars(call?.cost.nano)).toBe(0.135);
    expect(dollars(product ?? 0)).toBe(648);
  });

  it("is a third of that here, because run.calls counts every attempt", () => {
    // 400 x $0.135 x 4
    expect(dollars(burn(article, [opus], 4).total?.nano)).toBe(216);
  });

  it("takes the dearest model that may be asked for", () => {
    expect(burn(article, all, 1).call?.model.model).toBe("claude-opus-4-7");
    const denied = burn(`${article}\nwhen model matches "claude-opus-*" -> deny`, all, 1);
    expect(denied.call?.model.model).toBe("claude-sonnet-4-6");
    // 12K x $3/M + 3K x $15/M = $0.081
    expect(dollars(denied.total?.nano)).toBe(400 * 0.081);
  });

  it("leaves a model in that only some calls are denied", () => {
    const some = burn(`${article}\nwhen model matches "claude-opus-*" and tenant == "acme" -> deny`, all, 1);
    expect(some.call?.model.model).toBe("claude-opus-4-7");
  });

  it("does not believe shadow rules", () => {
    expect(burn("shadow run.calls > 400 -> deny", [opus], 4).total).toBeNull();
    expect(burn("run.calls > 400 -> warn", [opus], 4).total).toBeNull();
  });

  it("does not believe a rule that needs two conditions", () => {
    expect(burn("run.calls > 400 and run.cost > $5 -> deny", [opus], 4).total).toBeNull();
  });

  it("believes a filtered rule for the calls that surely match alone", () => {
    const plan = planOf('run.cost > $5 when feature == "research" -> deny');
    const of = (population: Record<string, string>) => burnOf(plan, population, { models: [opus], concurrency: 2 });
    expect(of({}).total).toBeNull();
    expect(of({ feature: "chat" }).total).toBeNull();
    expect(dollars(of({ feature: "research" }).total?.nano)).toBe(10);
  });

  it("never grows when a rule is added", () => {
    const lines = [
      "run.cost > $7 -> deny",
      "run.calls > 30 -> deny",
      "call.cost > $0.20 -> deny",
      "call.input_tokens > 4K -> deny",
      "call.retries > 2 -> deny",
      "global.concurrency > 3 -> deny",
      "global.daily > $40 -> deny",
      "global.total > $3 -> pause",
      'when model matches "claude-opus-*" -> deny',
    ];
    let text = "";
    let before = Number.POSITIVE_INFINITY;
    const seen: number[] = [];
    for (const line of lines) {
      text += `${line}\n`;
      const now = burn(text).total?.nano ?? Number.POSITIVE_INFINITY;
      expect(now).toBeLessThanOrEqual(before);
      before = now;
      seen.push(now);
    }
    expect(new Set(seen).size).toBe(3);
  });

  it("shares the context between prompt and answer, whichever division costs more", () => {
    // all 200K as answer: 200K x $25/M; and with answers of 1K: 199K x $5/M + 1K x $25/M
    expect(dollars(burn("run.calls > 1 -> deny", [opus], 1).total?.nano)).toBe(5);
    expect(dollars(burn("run.calls > 1 -> deny\ncall.output_tokens > 1K -> deny", [opus], 1).total?.nano)).toBe(1.02);
  });

  it("takes `>=` as one less", () => {
    expect(dollars(burn("run.calls >= 11 -> deny\ncall.cost > $1 -> deny", [opus], 1).total?.nano)).toBe(10);
  });

  it("caps the answer, not below what a call asks for in vain", () => {
    const capped = burn(
      "call.output_tokens > 4K -> cap 2K tokens\ncall.input_tokens > 1K -> deny\nrun.calls > 1 -> deny",
    );
    expect(capped.call?.output.tokens).toBe(4_000);
  });
});

describe("bounds that hold for each of many", () => {
  it("are no bound on all of it together", () => {
    const { total, each } = burn("tenant.hourly > $50 -> deny");
    expect(total).toBeNull();
    expect(each).toMatchObject([{ scopes: ["tenant"], nano: 36_500 * DOLLAR }]);
  });

  it("are one where the population names the one", () => {
    const plan = planOf("tenant.hourly > $50 -> deny");
    const { total } = burnOf(plan, { tenant: "acme" }, { models: all, concurrency: null });
    expect(dollars(total?.nano)).toBe(36_500);
  });

  it("are one under a bound on everything", () => {
    const { total } = burn("tenant.hourly > $50 -> deny\nglobal.monthly > $900 -> deny");
    expect(dollars(total?.nano)).toBe(900);
  });
});

describe("retries", () => {
  const storm = "feature.retries last 15m > 30% and feature.retries last 15m > 20 -> deny for 10m";

  it("are limited by a share of all calls, though not what they cost", () => {
    const { retries, total } = burn(storm);
    expect(retries).toMatchObject({ millionths: 300_000 });
    expect(total).toBeNull();
  });

  it("are limited by the smallest share, and by a number where there is none", () => {
    expect(burn(`run.retries > 50% -> deny\n${storm}`).retries).toMatchObject({ millionths: 300_000 });
    expect(burn("feature.retries.daily > 200 -> pause").retries).toMatchObject({ millionths: null });
    expect(burn("feature.retries.daily > 200 -> warn").retries).toBeNull();
    expect(burn('run.retries > 50% when tenant == "a" -> deny').retries).toBeNull();
  });
});

describe("a run", () => {
  it("is not bounded by what each of its agents may burn, unless there is but one", () => {
    const plan = planOf("agent.run > $5 -> deny\nagent.run.calls > 5 -> deny");
    const of = (population: Record<string, string>) => burnOf(plan, population, { models: all, concurrency: 1 });
    expect(of({})).toMatchObject({ run: null, iterations: null, total: null });
    expect(of({ agent: "critic" })).toMatchObject({ total: { nano: 5 * DOLLAR }, iterations: { amount: 5 } });
  });
});

describe("concurrency", () => {
  it("within one run says nothing of how many runs there are", () => {
    const { parallel, each } = burn("run.concurrency > 3 -> deny\nrun.cost > $5 -> deny");
    expect(parallel).toBeNull();
    expect(each).toEqual([]);
  });
});

describe("money over time", () => {
  const HOUR = 3_600_000;

  it("comes anew with every window that begins", () => {
    expect(moneyWithin(50, { kind: "hourly", timezone: "UTC" }, 24 * HOUR)).toBe(1_200);
    expect(moneyWithin(50, { kind: "hourly", timezone: "UTC" }, 730 * HOUR)).toBe(36_500);
    expect(moneyWithin(100, { kind: "daily", timezone: "UTC" }, 264 * HOUR)).toBe(1_100);
    expect(moneyWithin(100, { kind: "last", ms: 600_000 }, HOUR)).toBe(600);
  });

  it("may all go within the first hour of a window", () => {
    expect(moneyWithin(100, { kind: "monthly", timezone: "UTC" }, HOUR)).toBe(100);
    expect(moneyWithin(100, { kind: "total" }, 730 * HOUR)).toBe(100);
  });

  it("goes on after a refusal that reopens, and below a pause that it never runs into", () => {
    expect(dollars(burn("global last 1h > $90 -> pause").total?.nano)).toBe(90 * 730);
    expect(dollars(burn("global.total > $90 -> pause").total?.nano)).toBe(90);
    expect(dollars(burn("global last 1h > $90 -> deny for 10m").total?.nano)).toBe(90 * 730);
  });

  it("follows from calls and tokens at the largest call", () => {
    // 100 calls a day of $0.50 at most, 31 days
    expect(dollars(burn("global.calls.daily > 100 -> deny\ncall.cost > $0.50 -> deny").total?.nano)).toBe(1_550);
    // 1M tokens a month at $25/M
    expect(dollars(burn("global.tokens.monthly > 1M tokens -> deny").total?.nano)).toBe(25);
  });

  it("follows from tokens by the dearest of them, where every model's largest call costs the same or more", () => {
    const text = "tenant.tokens.daily > 1M tokens -> deny\ncall.cost > $0.50 -> deny";
    const rowsOf = (models: readonly PricedModel[]) => {
      const plan = planOf(text);
      return boundRows(plan, burnOf(plan, {}, { models, concurrency: null })).map(({ nano }) => dollars(nano));
    };
    // 1M tokens at $25/M: in small calls, each of less than $0.50
    expect(rowsOf([haiku, opus])).toEqual([25]);
    // One call to the small model costs at most $1.20, and one to the long one $5
    expect(burn("", [model("long", 5, 5, 1_000_000), model("small", 40, 40, 30_000)]).call?.model.model).toBe("long");
    const small = "tenant.tokens.daily > 1M tokens -> deny";
    const plan = planOf(small);
    const both = [model("long", 5, 5, 1_000_000), model("small", 40, 40, 30_000)];
    expect(dollars(boundRows(plan, burnOf(plan, {}, { models: both, concurrency: null }))[0]?.nano)).toBe(40);
  });

  it("stands in one row for each rule, with the calls that it does not bound", () => {
    const plan = planOf('day: global.daily > $10 when feature == "chat" -> deny\nrun.cost > $2 -> deny');
    const rows = boundRows(plan, burnOf(plan, {}, { models: all, concurrency: null }));
    expect(rows).toMatchObject([
      { rule: { id: "day" }, only: 'feature == "chat"', hold: "rate", nano: 10 * DOLLAR, window: "daily" },
      { hold: "run", within: null, nano: 2 * DOLLAR, window: null },
    ]);
    expect(rows[0]?.within).toEqual({
      hour: 10 * DOLLAR,
      day: 10 * DOLLAR,
      elevenDays: 110 * DOLLAR,
      month: 310 * DOLLAR,
    });
  });
});

describe("the verdict", () => {
  const of = (text: string, dollars: number | null) =>
    verdictOf(burn(text), dollars === null ? null : { nano: dollars * DOLLAR, source: "" });

  it.each([
    [10_001, "genuine"],
    [10_000, "enforced"],
    [1_000, "enforced"],
    [999, "too loose"],
    [100, "too loose"],
    [99, "a prayer"],
  ] as const)("of 100 dollars in a month of %d is %s", (budget, verdict) => {
    expect(of("global.total > $100 -> deny", budget)).toBe(verdict);
  });

  it("needs a budget where there is a bound, and none where there is not", () => {
    expect(of("global.total > $100 -> deny", null)).toBeNull();
    expect(of("run.repeats > 3 -> deny", null)).toBe("unbounded");
  });

  it("is measured by the policy's own budget", () => {
    const plan = planOf("budget month = $18K of global.monthly\nmonth > 95% -> deny");
    expect(populationsOf(plan)).toEqual([
      { population: {}, budget: { nano: 18_000 * DOLLAR, source: "budget month" } },
    ]);
    expect(populationsOf(planOf("global.monthly > $9K -> deny"))).toMatchObject([{ budget: { nano: 9_000 * DOLLAR } }]);
    expect(populationsOf(planOf("tenant.monthly > $9K -> deny"))).toEqual([{ population: {}, budget: null }]);
  });

  it("is asked for each kind of calls with a budget of its own", () => {
    const plan = planOf('budget r = $6K of feature.monthly when feature == "research"\nr > 95% -> pause');
    expect(populationsOf(plan)).toEqual([
      { population: {}, budget: null },
      { population: { feature: "research" }, budget: { nano: 6_000 * DOLLAR, source: "budget r" } },
    ]);
  });
});

describe("what no rule bounds", () => {
  const gaps = (text: string, models = all) => {
    const plan = planOf(text);
    return gapsOf(plan, burnOf(plan, {}, { models, concurrency: null }), null, models.length === 1);
  };

  it("is every factor of an empty policy", () => {
    expect(gaps("run.errors > 3 -> deny").map(({ factor }) => factor)).toEqual([
      "iterations",
      "input tokens",
      "output tokens",
      "model rate",
      "retries",
      "concurrency",
      "month",
    ]);
  });

  it("is nothing once the lines that it names are written, but for a wait in place of a refusal", () => {
    const lines = gaps("run.errors > 3 -> deny").map(({ line }) => line.replace("hold 20s", "deny"));
    expect(gaps(lines.join("\n"))).toEqual([]);
    expect(burn(lines.join("\n")).total).not.toBeNull();
  });

  it("is no model rate where one model is in use", () => {
    expect(gaps("run.errors > 3 -> deny", [opus]).map(({ factor }) => factor)).not.toContain("model rate");
  });
});

describe("rules that bound no money", () => {
  it.each([
    ["shadow tenant.daily > $5 -> deny", "shadow"],
    ["tenant.daily > $5 -> warn", "warns"],
    ["run.repeats > 3 -> deny", "asked again"],
    ["feature.retries last 15m > 30% -> deny", "retries, not first"],
    ["run.errors > 3 -> deny", "after errors"],
    ["run.calls > 3 and run.cost > $1 -> deny", "all its conditions"],
  ])("%s", (text, why) => {
    expect(idleRules(planOf(text))).toEqual([{ rule: expect.anything(), why: expect.stringContaining(why) }]);
  });

  it("are not those that do", () => {
    expect(idleRules(planOf(`${article}\ntenant.daily > $5 -> pause\nstore.down -> deny`))).toEqual([]);
  });
});

describe("a filter before any call is known", () => {
  const filter = (text: string): Rule["filter"] => planOf(`when ${text} -> deny`).rules[0]?.filter ?? null;

  it.each([
    ['feature == "a"', "yes", "no", "maybe"],
    ['feature != "a"', "no", "yes", "maybe"],
    ['feature == "a" and tenant == "x"', "maybe", "no", "maybe"],
    ['feature == "a" or tenant == "x"', "yes", "maybe", "maybe"],
    ['not (feature matches "a*" or feature == "c")', "no", "yes", "maybe"],
    ["feature is missing", "no", "no", "maybe"],
  ] as const)("%s", (text, ofA, ofB, ofAny) => {
    expect(certainty(filter(text), { feature: "a" })).toBe(ofA);
    expect(certainty(filter(text), { feature: "b" })).toBe(ofB);
    expect(certainty(filter(text), {})).toBe(ofAny);
  });
});
