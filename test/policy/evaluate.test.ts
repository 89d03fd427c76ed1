import { describe, expect, it } from "vitest";
import { NONE } from "../../src/call/call.ts";
import { evaluate } from "../../src/policy/evaluate.ts";
import { indexRules } from "../../src/policy/match.ts";
import { aCall, type CallWishes } from "../support/a-call.ts";
import { HOUR, NOW, planOf, readingsOf, type Wishes } from "./support.ts";

const DOLLAR = 1_000_000_000;

function verdictOf(text: string, readings: Wishes = {}, wishes: CallWishes = {}) {
  const plan = planOf(text);
  const call = aCall(wishes);
  return evaluate(plan, call, indexRules(plan)(call), readingsOf(plan, readings));
}

const saying = (text: string, readings: Wishes = {}, wishes: CallWishes = {}) =>
  verdictOf(text, readings, wishes).decided?.message;

describe("a limit", () => {
  const rule = "tenant.hourly > $50 -> deny";

  it("lets the call go that just fits, and stops the one that would pass it", () => {
    const meter = (spent: number, held: number, add: number) => ({
      meters: { "tenant.cost.hourly": { spent, held, add } },
    });
    expect(verdictOf(rule, meter(49 * DOLLAR, 0, DOLLAR)).kind).toBe("allow");
    expect(verdictOf(rule, meter(49 * DOLLAR, 0, DOLLAR + 1)).kind).toBe("deny");
    expect(verdictOf(rule, meter(40 * DOLLAR, 10 * DOLLAR, 1)).kind).toBe("deny");
    expect(verdictOf("tenant.hourly >= $50 -> deny", meter(49 * DOLLAR, 0, DOLLAR)).kind).toBe("deny");
  });

  it("needs all of its conditions", () => {
    const both = "run.calls > 5 and tenant.daily > $5 -> deny";
    const readings = (calls: number, dollars: number) => ({
      meters: { "run.calls": { spent: calls, add: 1 }, "tenant.cost.daily": { spent: dollars * DOLLAR } },
    });
    expect(verdictOf(both, readings(5, 5)).kind).toBe("allow");
    expect(verdictOf(both, readings(4, 6)).kind).toBe("allow");
    expect(verdictOf(both, readings(5, 6)).kind).toBe("deny");
  });

  it("on a single call looks at its estimate", () => {
    expect(verdictOf("call.cost > $0.01 -> deny").kind).toBe("allow");
    expect(verdictOf("call > $0.009 -> deny").kind).toBe("deny");
    expect(verdictOf("call.tokens > 1499 -> deny").kind).toBe("deny");
    expect(verdictOf("call.input_tokens > 1K -> deny").kind).toBe("allow");
    expect(verdictOf("call.output_tokens >= 500 -> deny").kind).toBe("deny");
    expect(verdictOf("call.retries > 2 -> deny", { attemptNumber: 2 }).kind).toBe("allow");
    expect(verdictOf("call.retries > 2 -> deny", { attemptNumber: 3 }).kind).toBe("deny");
  });

  it("in percent of the calls is exact at its edge", () => {
    const share = (retries: number, calls: number) =>
      verdictOf("feature.retries last 15m > 30% -> deny", {
        meters: {
          "feature.retries.last 15m": { spent: retries },
          "feature.calls.last 15m": { spent: calls - 1, add: 1 },
        },
      }).kind;
    expect(share(30, 100)).toBe("allow");
    expect(share(31, 100)).toBe("deny");
    expect(share(3, 10)).toBe("allow");
    expect(share(0, 1)).toBe("allow");
  });

  it("fires on flags", () => {
    expect(verdictOf("call.unpriced -> deny").kind).toBe("allow");
    expect(verdictOf("call.unpriced -> deny", {}, { unpriced: true }).kind).toBe("deny");
    expect(verdictOf("call.unmetered -> deny").kind).toBe("allow");
    expect(verdictOf("call.unmetered -> deny", {}, { spending: "unmetered" }).kind).toBe("deny");
    expect(verdictOf("store.down -> deny").kind).toBe("allow");
  });
});

describe("strictness", () => {
  it("the strictest decides: allow < warn < deny < deny for < pause", () => {
    const spent = { meters: { "tenant.cost.daily": { spent: 100 * DOLLAR } } };
    const rules = ["warn", "deny", "deny for 5m", "pause"].map(
      (action) => `r-${action[0]}${action.length}: tenant.daily > $5 -> ${action}`,
    );
    for (const [count, kind] of [
      [1, "warn"],
      [2, "deny"],
      [3, "deny for"],
      [4, "pause"],
    ] as const) {
      expect(verdictOf(rules.slice(0, count).join("\n"), spent).kind).toBe(kind);
      expect(verdictOf(rules.slice(0, count).reverse().join("\n"), spent).kind).toBe(kind);
    }
  });

  it("the smallest id names a tie, whatever the order", () => {
    const text = ["b: call.cost > $0 -> deny", "a: call.cost > $0 -> deny", "c: call.cost > $0 -> deny"];
    expect(verdictOf(text.join("\n")).decided?.rule.id).toBe("a");
    expect(verdictOf(text.reverse().join("\n")).decided?.rule.id).toBe("a");
  });

  it("the smallest id names a tie even where the rules come in another order", () => {
    const plan = planOf("b: call.cost > $0 -> deny\na: call.cost > $0 -> deny");
    const verdict = evaluate(plan, aCall(), [...plan.rules].reverse(), readingsOf(plan));
    expect(verdict.decided?.rule.id).toBe("a");
  });

  it("all warnings are said, also beside a refusal", () => {
    const verdict = verdictOf("w: call.cost > $0 -> warn\nx: call.cost > $0 -> warn, deny\ny: call.cost > $0 -> deny");
    expect(verdict.kind).toBe("deny");
    expect(verdict.warnings.map(({ rule }) => rule.id)).toEqual(["w", "x"]);
    expect(verdict.decided?.rule.id).toBe("x");
    expect(verdict.decided?.action.kind).toBe("deny");
  });

  it("shadow rules report and never decide, not even through a gate they closed before", () => {
    const verdict = verdictOf("shadow s: call.cost > $0 and tenant.daily >= $0 -> pause", {
      closed: new Map([["s", { since: NOW, until: null }]]),
    });
    expect(verdict.kind).toBe("allow");
    expect(verdict.decided).toBeNull();
    expect(verdict.shadows.map(({ rule, action }) => [rule.id, action.kind])).toEqual([["s", "pause"]]);
    expect(verdictOf("shadow s: tenant.daily > $9 -> pause").shadows).toEqual([]);
  });
});

describe("a closed gate", () => {
  const breaker = "storm: feature.retries last 15m > 20 -> deny for 10m";
  const closed = new Map([["storm", { since: NOW - 120_000, until: NOW + 480_000 }]]);

  it("stops every call of its scope, also those that retry nothing", () => {
    const verdict = verdictOf(breaker, { closed }, { subject: { feature: "research" } });
    expect(verdict.kind).toBe("deny for");
    expect(verdict.decided).toMatchObject({ figures: null, closed: { since: NOW - 120_000, until: NOW + 480_000 } });
    expect(verdict.decided?.message).toBe(
      'feature "research" is closed for 10 minutes since 14:00 UTC, reopens at 14:10 UTC (rule "storm", p.budget:1).',
    );
  });

  it("means nothing once the rule no longer closes anything", () => {
    expect(verdictOf("storm: feature.retries last 15m > 20 -> deny", { closed }).kind).toBe("allow");
  });

  it("of a pause tells who opens it", () => {
    const gates = new Map([["stop", { since: NOW - HOUR, until: null }]]);
    expect(
      saying("stop: tenant.feature.daily > $5 -> pause", { closed: gates }, { subject: { feature: "o'r x" } }),
    ).toBe(
      `tenant "acme", feature "o'r x" is paused since 13:02 UTC, until someone runs \`budget-guard resume tenant=acme 'feature=o'\\''r x'\` (rule "stop", p.budget:1).`,
    );
    expect(saying("stop: global.daily > $5 -> pause", { closed: gates })).toBe(
      'everything is paused since 13:02 UTC, until someone runs `budget-guard resume global` (rule "stop", p.budget:1).',
    );
  });

  it("closed by hand pauses what it names, and nobody else", () => {
    const byHand = [{ scope: { tenant: "acme" }, since: NOW - HOUR, until: null }];
    const verdict = verdictOf("", { byHand });
    expect(verdict.kind).toBe("pause");
    expect(verdict.decided?.message).toBe(
      'tenant "acme" was paused by hand at 13:02 UTC; `budget-guard resume tenant=acme` opens it.',
    );
    expect(verdictOf("", { byHand }, { subject: { tenant: "globex" } }).kind).toBe("allow");
    expect(verdictOf("", { byHand: [{ scope: {}, since: NOW, until: NOW + HOUR }] }).decided?.message).toBe(
      "everything was paused by hand at 14:02 UTC; `budget-guard resume global` opens it, or wait: it reopens at 15:02 UTC.",
    );
  });
});

describe("the sentence", () => {
  const at = (text: string) => Date.parse(text);

  it("tells rule, amount, limit and reset", () => {
    const message = saying("tenant.hourly > $50 -> deny", {
      meters: {
        "tenant.cost.hourly": {
          spent: 49.87 * DOLLAR,
          held: 0.1 * DOLLAR,
          add: 0.05 * DOLLAR,
          resetsAt: at("2026-11-22T15:00:00Z"),
        },
      },
    });
    expect(message).toBe(
      'tenant "acme" would reach $50.02 of $50.00 this hour (rule "tenant.hourly > $50 -> deny", p.budget:1). Resets at 15:00 UTC.',
    );
  });

  it.each([
    ["tenant.hourly > $0.1 -> deny", "tenant.cost.hourly", 100_000_000, 1, "would reach $0.100000001 of $0.100000000"],
    [
      "tenant.hourly > $0.1 -> deny",
      "tenant.cost.hourly",
      90_000_000,
      12_500_000,
      "would reach $0.102 of $0.100 this hour",
    ],
    ["tenant.hourly > $0.001 -> deny", "tenant.cost.hourly", 600_000_000, 0, "has reached $0.600 of $0.001"],
    ["tenant.hourly > $0.0005 -> deny", "tenant.cost.hourly", 0, 600_000, "would reach $0.0006 of $0.0005"],
    [
      "tenant.hourly > $12_500 -> deny",
      "tenant.cost.hourly",
      12_600 * DOLLAR,
      0,
      "has reached $12,600.00 of $12,500.00",
    ],
    [
      "tenant.hourly >= $5 -> deny",
      "tenant.cost.hourly",
      4 * DOLLAR,
      DOLLAR,
      "would reach its limit of $5.00 this hour",
    ],
  ])("%s never reads like a limit that still holds", (rule, meter, spent, add, part) => {
    expect(saying(rule, { meters: { [meter]: { spent, add } } })).toContain(`tenant "acme" ${part}`);
  });

  it.each([
    ["run.calls > 25 -> deny", "run.calls", 25, 1, 'run "run-1" would reach 26 of 25 calls (rule'],
    [
      "global.daily > $9 -> deny",
      "global.cost.daily",
      9 * DOLLAR,
      DOLLAR,
      "everything would reach $10.00 of $9.00 today (",
    ],
    [
      "user.tokens.weekly > 1M -> deny",
      "user.tokens.weekly",
      1_000_000,
      1_500,
      "user (none) would reach 1,001,500 of 1,000,000 tokens this week (",
    ],
    [
      "tenant.input_tokens.monthly > 5 -> deny",
      "tenant.input_tokens.monthly",
      5,
      1,
      "6 of 5 input tokens this month (",
    ],
    ["tenant.output_tokens.total > 5 -> deny", "tenant.output_tokens.total", 5, 1, "6 of 5 output tokens in total ("],
    [
      "tenant.retries last 90s > 20 -> deny",
      "tenant.retries.last 90s",
      20,
      1,
      "21 of 20 retries in the last 90 seconds (",
    ],
    ["run.repeats > 3 -> deny", "run.repeats", 3, 1, "would reach 4 of 3 repeats ("],
    [
      "provider.errors last 1m > 25 -> deny",
      "provider.errors.last 1m",
      26,
      0,
      'provider "openai" has reached 26 of 25 errors in the last minute (',
    ],
    ["agent.concurrency > 4 -> deny", "agent.concurrency", 4, 1, "agent (none) would reach 5 of 4 calls in flight ("],
  ])("reads well for %s", (rule, meter, spent, add, part) => {
    expect(saying(rule, { meters: { [meter]: { spent, add } } })).toContain(part);
  });

  it.each([
    ["call.cost > $0.0099 -> deny", {}, "this call is estimated at $0.0100, and the limit is $0.0099 ("],
    ["call.cost > $0.0099 -> deny", {}, "p.budget:1). A smaller max_tokens lowers the estimate."],
    ["call.output_tokens > 499 -> deny", {}, "this call is estimated at 500 output tokens, and the limit is 499 ("],
    ["call.unpriced -> deny", { unpriced: true, modelAsSent: "gpt-9" }, 'no price is known for model "gpt-9" ('],
    [
      "call.unmetered -> deny",
      { spending: "unmetered" },
      "this openai call spends money in a way that cannot be counted (",
    ],
    ["when user is missing -> deny", {}, "the policy has a rule for calls where user is missing ("],
  ] as const)("reads well for %s", (rule, wishes, part) => {
    expect(saying(rule, {}, wishes as CallWishes)).toContain(part);
  });

  it("counts retries of one request", () => {
    expect(saying("call.retries > 2 -> deny", { attemptNumber: 3 })).toContain(
      "this is retry 3 of the same request, and at most 2 may be made (",
    );
  });

  it("shows a share with both its counts", () => {
    const message = saying("feature.retries last 15m > 30% -> deny", {
      meters: { "feature.retries.last 15m": { spent: 23, add: 1 }, "feature.calls.last 15m": { spent: 39, add: 1 } },
    });
    expect(message).toContain(
      "feature (none) would reach 24 retries in 40 calls in the last 15 minutes, 60% of at most 30% (",
    );
  });

  it("offers no smaller answer where that would not help", () => {
    const state = { spent: 0, add: 1, resetsAt: null };
    expect(saying("tenant.calls.daily > 0 -> deny", { meters: { "tenant.calls.daily": state } })).toMatch(
      / This call alone is over the limit\.$/,
    );
    expect(saying("call.input_tokens > 1 -> deny")).toMatch(/p\.budget:1\)\.$/);
  });

  it("tells when room returns: today, another day, another year, rolling, or never for this call", () => {
    const resets = (resetsAt: string | null, rule = "tenant.monthly > $5 -> deny", add = DOLLAR) => {
      const meter = rule.includes("last") ? "tenant.cost.last 1h" : "tenant.cost.monthly";
      const state = { spent: 5 * DOLLAR, add, resetsAt: resetsAt === null ? null : at(resetsAt) };
      return saying(rule, { meters: { [meter]: state } })?.replace(/^.*p\.budget:1\)\.\s?/, "");
    };
    expect(resets("2026-11-22T23:30:00Z")).toBe("Resets at 23:30 UTC.");
    expect(resets("2026-12-01T00:00:00Z")).toBe("Resets on 1 December at 00:00 UTC.");
    expect(resets("2027-01-01T00:00:00Z")).toBe("Resets on 1 January 2027 at 00:00 UTC.");
    expect(resets("2026-11-22T14:20:05Z", "tenant last 1h > $5 -> deny")).toBe("Room returns from 14:20:05 UTC.");
    expect(resets(null)).toBe("");
    const alone = "This call alone is over the limit; a smaller max_tokens lowers its estimate.";
    expect(resets("2026-12-01T00:00:00Z", undefined, 6 * DOLLAR)).toBe(alone);
    expect(resets(null, "tenant.monthly > $5 -> pause", 6 * DOLLAR)).toBe(
      `${alone} Paused until someone runs \`budget-guard resume tenant=acme\`.`,
    );
    expect(resets(null, "tenant.monthly > $5 -> deny for 10m", 6 * DOLLAR)).toBe(
      `${alone} Closed for 10 minutes, until 14:12 UTC.`,
    );
    expect(resets(null, "tenant.monthly > $5 -> pause", 5 * DOLLAR)).toMatch(/^Paused until/);
  });

  it.each([
    ["run.calls > 2 -> deny", "run.calls", "A new run starts at zero."],
    [
      "tenant.calls.total > 2 -> deny",
      "tenant.calls.total",
      "A total never resets: only a higher limit in the policy makes room.",
    ],
    ["agent.concurrency > 2 -> deny", "agent.concurrency", "Room returns when one of these calls ends."],
  ])("tells what helps where no time does: %s", (rule, meter, help) => {
    const message = saying(rule, { meters: { [meter]: { spent: 2, add: 1, resetsAt: null } } });
    expect(message).toMatch(/p\.budget:1\)\. /);
    expect(message?.endsWith(`. ${help}`)).toBe(true);
  });

  it("tells what firing has closed", () => {
    const spent = { meters: { "tenant.cost.daily": { spent: 6 * DOLLAR, resetsAt: at("2026-11-23T00:00:00Z") } } };
    expect(saying("tenant.daily > $5 -> deny for 10m", spent)).toMatch(
      /\)\. Closed for 10 minutes, until 14:12 UTC\.$/,
    );
    expect(saying("tenant.daily > $5 -> pause", spent)).toMatch(
      /\)\. Paused until someone runs `budget-guard resume tenant=acme`\.$/,
    );
  });

  it("is the author's own where there is one, placeholders filled, the rule after it", () => {
    const text =
      'dimension plan\nquota: tenant.monthly > $5 -> deny "{tenant} on {plan} ({user}): {spent} of {limit} {window}, back {reset}; {rule}."';
    const readings = {
      meters: { "tenant.cost.monthly": { spent: 5 * DOLLAR, add: DOLLAR, resetsAt: at("2026-12-01T00:00:00Z") } },
    };
    expect(saying(text, readings, { subject: { plan: "pro" } })).toBe(
      'acme on pro ((none)): $5.00 of $5.00 this month, back 1 December 00:00 UTC; quota. (rule "quota", p.budget:2)',
    );
    expect(saying(text, readings)).toContain("acme on (none)");
    expect(saying('tenant.monthly > $5 -> pause "Until {reset}."', readings)).toContain("Until manual resume. (rule");
  });

  it("does not fill a value in twice", () => {
    const message = saying('call.cost > $0 -> deny "{tenant}"', {}, { subject: { tenant: "{run}$&" } });
    expect(message).toBe('{run}$& (rule "call.cost > $0 -> deny", p.budget:1)');
  });
});

describe("the figures", () => {
  it("are those of the first condition, with the limit as an amount", () => {
    const verdict = verdictOf("budget b = $10 of tenant.feature.daily\nb > 50% -> deny", {
      meters: { "tenant.feature.cost.daily": { spent: 4 * DOLLAR, held: DOLLAR, add: DOLLAR, resetsAt: NOW + HOUR } },
    });
    expect(verdict.decided?.figures).toEqual({
      meter: "tenant.feature.cost.daily",
      metric: "cost",
      scope: { tenant: "acme", feature: NONE },
      window: "daily",
      spent: 4 * DOLLAR,
      held: DOLLAR,
      estimate: DOLLAR,
      limit: 5 * DOLLAR,
      resetsAt: NOW + HOUR,
    });
  });

  it("of a breaker reset when the gate reopens, if that is later than the window", () => {
    const fired = (resetsAt: number) =>
      verdictOf("tenant.daily > $5 -> deny for 10m", {
        meters: { "tenant.cost.daily": { spent: 6 * DOLLAR, resetsAt } },
      }).decided?.figures?.resetsAt;
    expect(fired(NOW + 1_000)).toBe(NOW + 600_000);
    expect(fired(NOW + HOUR)).toBe(NOW + HOUR);
  });

  it("of a call's own are its estimate", () => {
    expect(verdictOf("call.output_tokens > 1 -> deny").decided?.figures).toMatchObject({
      meter: "call.output_tokens",
      scope: {},
      window: null,
      spent: 0,
      estimate: 500,
      limit: 1,
    });
  });
});
