import * as api from "@opentelemetry/api";
import { beforeAll, describe, expect, test } from "vitest";
import type { Action, Condition } from "../../src/policy/plan.ts";
import { decisionAttributes, decisionEvents } from "../../src/telemetry/decision.ts";
import type { Decided } from "../../src/telemetry/telemetry.ts";
import { aCall } from "../support/a-call.ts";
import { decided, deny, ended, fired, only, refused, stage, T0, useContexts, verdict, warn } from "./scene.ts";

beforeAll(useContexts);

const ms = ([seconds, nanos]: api.HrTime): number => seconds * 1000 + nanos / 1e6;

describe("a refused call", () => {
  test("is one CLIENT span with status ERROR that has ended before anyone asks", () => {
    const { telemetry, spans, pass } = stage();
    const arrival = telemetry.arrive();
    pass(7);
    telemetry.begin(arrival, refused());
    const span = only(spans());
    expect(span.name).toBe("chat gpt-5");
    expect(span.kind).toBe(api.SpanKind.CLIENT);
    expect(span.status).toEqual({
      code: api.SpanStatusCode.ERROR,
      message: `tenant "acme" would reach $50.02 of $50.00 this hour`,
    });
    expect(ms(span.startTime)).toBe(T0);
    expect(ms(span.endTime)).toBe(T0 + 7);
    expect(span.instrumentationScope).toMatchObject({ name: "budget-guard", version: "1.2.3" });
  });

  test("names the rule, its own words and the state of the budget at the decision", () => {
    const { telemetry, spans } = stage();
    const stop = fired("hourly", deny);
    const rule = { ...stop.rule, doc: "Nobody needs more than this in an hour." };
    telemetry.begin(
      telemetry.arrive(),
      refused({ verdict: verdict("deny", { decided: { ...stop, rule } }), matched: ["hourly", "loop"] }),
    );
    expect(only(spans()).attributes).toMatchObject({
      "error.type": "budget_exceeded",
      "budget_guard.decision": "deny",
      "budget_guard.verdict": "deny",
      "budget_guard.mode": "enforce",
      "budget_guard.rule.id": "hourly",
      "budget_guard.rule.doc": "Nobody needs more than this in an hour.",
      "budget_guard.rule.source": "policies/starter.budget:3",
      "budget_guard.message": `tenant "acme" would reach $50.02 of $50.00 this hour`,
      "budget_guard.rules.matched": ["hourly", "loop"],
      "budget_guard.policy.id": "policies/starter.budget",
      "budget_guard.policy.hash": "0123456789ab",
      "budget_guard.budget.meter": "tenant.cost.hourly",
      "budget_guard.budget.scope": "tenant=acme",
      "budget_guard.budget.window": "hourly",
      "budget_guard.budget.unit": "USD",
      "budget_guard.budget.limit": 50,
      "budget_guard.budget.used": 49.87,
      "budget_guard.budget.held": 0.1,
      "budget_guard.budget.remaining": 0.03,
      "budget_guard.budget.reset_at": "2026-11-22T11:00:00.000Z",
      "budget_guard.estimate.cost": 0.01,
      "budget_guard.estimate.input_tokens": 1_000,
      "budget_guard.check.duration": 0.002,
      "budget_guard.store": "memory",
      "budget_guard.price.table": "genai-prices 0.1.8",
    });
  });

  test("carries no cost and no usage: nothing was bought", () => {
    const { telemetry, spans } = stage();
    telemetry.begin(telemetry.arrive(), refused());
    const names = Object.keys(only(spans()).attributes);
    expect(names.filter((name) => /usage|llm\.cost|operation\.cost|budget_guard\.cost/.test(name))).toEqual([]);
  });

  test("says the refusal as an event too, for backends that only search events", () => {
    const { telemetry, spans } = stage();
    telemetry.begin(telemetry.arrive(), refused());
    expect(only(spans()).events.map((event) => event.name)).toEqual(["budget_guard.deny"]);
    expect(only(spans()).events[0]?.attributes).toMatchObject({ "budget_guard.rule.id": "hourly" });
  });

  test("keeps the kind of refusal as the verdict while the decision is deny", () => {
    const { telemetry, spans } = stage();
    const pause = fired(
      "loop",
      { kind: "pause", message: null },
      { figures: null, closed: { since: T0, until: null } },
    );
    telemetry.begin(telemetry.arrive(), refused({ verdict: verdict("pause", { decided: pause }) }));
    expect(only(spans()).attributes).toMatchObject({
      "budget_guard.decision": "deny",
      "budget_guard.verdict": "pause",
      "budget_guard.closed.since": "2026-11-22T10:00:00.000Z",
    });
  });

  test("counts tokens as tokens and a scopeless budget as global", () => {
    const { telemetry, spans } = stage();
    const stop = fired("daily", deny);
    const figures = {
      ...fired("daily", deny).figures,
      metric: "output_tokens",
      scope: {},
      limit: 1_000,
      spent: 990,
      held: 10,
    };
    telemetry.begin(
      telemetry.arrive(),
      refused({
        call: aCall({ unpriced: true }),
        verdict: verdict("deny", {
          decided: {
            ...stop,
            figures: { meter: "global.output_tokens.daily", window: "daily", estimate: 5, resetsAt: null, ...figures },
          },
        }),
      }),
    );
    expect(only(spans()).attributes).toMatchObject({
      "budget_guard.budget.unit": "token",
      "budget_guard.budget.scope": "global",
      "budget_guard.budget.limit": 1_000,
      "budget_guard.budget.used": 990,
      "budget_guard.budget.remaining": 0,
      "budget_guard.unpriced": true,
    });
  });

  test("tells a store that is down from a budget that is spent", () => {
    const { telemetry, spans } = stage();
    const stop = fired("down", deny, { figures: null });
    const flagged = { ...stop, rule: { ...stop.rule, flag: "store.down" as const } };
    telemetry.begin(telemetry.arrive(), refused({ verdict: verdict("deny", { decided: flagged }) }));
    expect(only(spans()).attributes["error.type"]).toBe("budget_store_unavailable");
  });
});

describe("a call over a line that does not stop it", () => {
  test("has an event for each warning, every time", () => {
    const { telemetry, spans } = stage();
    const warnings = [fired("80%", warn), fired("95%", warn)];
    for (let call = 0; call < 2; call++) {
      telemetry
        .begin(telemetry.arrive(), decided({ verdict: verdict("warn", { decided: warnings[0] ?? null, warnings }) }))
        .end(ended());
    }
    for (const span of spans()) {
      expect(span.attributes).toMatchObject({ "budget_guard.decision": "warn", "budget_guard.rule.id": "80%" });
      expect(span.events.map((event) => event.attributes?.["budget_guard.rule.id"])).toEqual(["80%", "95%"]);
    }
    expect(spans()).toHaveLength(2);
  });

  test("shows what shadow rules would have refused, and is not marked as an error", () => {
    const { telemetry, spans } = stage();
    const shadows = [fired("strict", deny), fired("soft", warn)];
    telemetry.begin(telemetry.arrive(), decided({ verdict: verdict("allow", { shadows }) })).end(ended());
    const span = only(spans());
    expect(span.attributes).toMatchObject({ "budget_guard.decision": "allow", "budget_guard.would_deny": ["strict"] });
    expect(span.events.map((event) => event.name)).toEqual(["budget_guard.would_deny", "budget_guard.would_warn"]);
    expect(span.status.code).toBe(api.SpanStatusCode.UNSET);
  });

  test("in a shadowed process keeps the verdict apart from what was done", () => {
    const { telemetry, spans } = stage();
    telemetry.begin(telemetry.arrive(), refused({ mode: "shadow", refused: false })).end(ended());
    expect(only(spans()).attributes).toMatchObject({
      "budget_guard.decision": "allow",
      "budget_guard.verdict": "deny",
      "budget_guard.mode": "shadow",
      "budget_guard.would_deny": ["hourly"],
      "gen_ai.usage.cost": 0.0036,
    });
  });

  test("shows the cap that reshaped it, and by which rule", () => {
    const { telemetry, spans } = stage();
    const cap = { tokens: 256, fired: [fired("short", { kind: "cap", tokens: 256 })] };
    telemetry.begin(telemetry.arrive(), decided({ cap })).end(ended());
    expect(only(spans()).attributes).toMatchObject({
      "budget_guard.decision": "cap",
      "budget_guard.cap.tokens": 256,
      "budget_guard.rule.id": "short",
    });
    expect(only(spans()).events.map((event) => event.name)).toEqual(["budget_guard.cap"]);
  });
});

describe("a call that rules changed or delayed", () => {
  const routeTo: Action = { kind: "route", model: "gpt-5-mini" };
  const route = { from: "gpt-5", to: "gpt-5-mini", fired: [fired("cheaper", routeTo)] };
  const cap = { tokens: 256, fired: [fired("short", { kind: "cap", tokens: 256 })] };
  const hold = fired("room", { kind: "hold", ms: 30_000 });
  const backoff = fired("slow", { kind: "backoff", ms: 500 });
  const names = (one: Decided): readonly string[] => decisionEvents(one).map(({ name }) => name);

  test("shows the route, both models and the rule", () => {
    const { telemetry, spans } = stage();
    telemetry.begin(telemetry.arrive(), decided({ route })).end(ended());
    const span = only(spans());
    expect(span.attributes).toMatchObject({
      "budget_guard.decision": "route",
      "budget_guard.verdict": "route",
      "budget_guard.route.from": "gpt-5",
      "budget_guard.route.to": "gpt-5-mini",
      "budget_guard.rule.id": "cheaper",
    });
    expect(span.events.map(({ name }) => name)).toEqual(["budget_guard.route"]);
    expect(span.events[0]?.attributes).toMatchObject({
      "budget_guard.rule.id": "cheaper",
      "budget_guard.route.to": "gpt-5-mini",
    });
  });

  test("shows how long it waited, and for which rule", () => {
    const waiting = decided({
      verdict: verdict("backoff", { decided: backoff, waits: [hold, backoff] }),
      waited: { hold: 1.5, backoff: 0.5 },
    });
    expect(decisionAttributes(waiting)).toMatchObject({
      "budget_guard.decision": "hold",
      "budget_guard.wait.hold": 1.5,
      "budget_guard.wait.backoff": 0.5,
    });
    expect(decisionEvents(waiting)).toMatchObject([
      { name: "budget_guard.hold", attributes: { "budget_guard.rule.id": "room", "budget_guard.wait.hold": 1.5 } },
      {
        name: "budget_guard.backoff",
        attributes: { "budget_guard.rule.id": "slow", "budget_guard.wait.backoff": 0.5 },
      },
    ]);
  });

  test("that waited in vain was refused by the hold, and says the wait once", () => {
    const inVain = refused({
      verdict: verdict("hold", { decided: hold, waits: [hold] }),
      waited: { hold: 30, backoff: 0 },
    });
    expect(decisionAttributes(inVain)).toMatchObject({
      "budget_guard.decision": "deny",
      "budget_guard.verdict": "hold",
      "budget_guard.rule.action": "hold",
      "budget_guard.wait.hold": 30,
    });
    expect(names(inVain)).toEqual(["budget_guard.deny"]);
  });

  test("a wait that a refusal made needless is not said", () => {
    expect(names(refused({ verdict: verdict("deny", { decided: fired("hourly", deny), waits: [backoff] }) }))).toEqual([
      "budget_guard.deny",
    ]);
  });

  test.each([
    ["deny", { refused: true, route, cap }],
    ["route", { route, cap, waited: { hold: 1, backoff: 1 } }],
    ["cap", { cap, waited: { hold: 1, backoff: 1 } }],
    ["hold", { waited: { hold: 1, backoff: 1 } }],
    ["backoff", { waited: { hold: 0, backoff: 1 } }],
    ["warn", {}],
  ])("is named by the most that was done: %s", (name, wishes: Partial<Decided>) => {
    const said = verdict(wishes.refused ? "deny" : "warn", { warnings: [fired("80%", warn)] });
    expect(decisionAttributes(decided({ verdict: said, ...wishes }))["budget_guard.decision"]).toBe(name);
  });

  test("in shadow mode was only allowed, and says what would have been done", () => {
    const shadowed = decided({
      mode: "shadow",
      route,
      cap,
      verdict: verdict("hold", { decided: hold, waits: [hold, backoff] }),
    });
    expect(decisionAttributes(shadowed)).toMatchObject({
      "budget_guard.decision": "allow",
      "budget_guard.verdict": "route",
      "budget_guard.route.to": "gpt-5-mini",
    });
    expect(names(shadowed)).toEqual([
      "budget_guard.would_route",
      "budget_guard.would_cap",
      "budget_guard.would_hold",
      "budget_guard.would_backoff",
    ]);
  });

  test("or that could not be changed says why, once a reason, and by which rules", () => {
    const why = "the request is signed";
    const unshaped = [fired("cheaper", routeTo), ...cap.fired].map((one) => ({ fired: one, why }));
    const signed = decided({ unshaped });
    expect(decisionAttributes(signed)).toMatchObject({
      "budget_guard.decision": "allow",
      "budget_guard.unshaped": ["the request is signed"],
    });
    expect(decisionEvents(signed)).toMatchObject([
      {
        name: "budget_guard.unshaped",
        attributes: { "budget_guard.rule.id": "cheaper", "budget_guard.unshaped.reason": why },
      },
      { name: "budget_guard.unshaped", attributes: { "budget_guard.rule.id": "short" } },
    ]);
  });
});

describe("a named limit", () => {
  const condition: Condition = {
    reading: { kind: "meter", meter: 0 },
    op: ">",
    limit: { kind: "named", limit: 0, millionths: 800_000 },
    text: "margin > 80%",
    budget: "margin",
  };

  test("is shown as its author wrote it, with the amount that it came to", () => {
    const stop = fired("hourly", deny);
    const named = { ...stop, rule: { ...stop.rule, conditions: [condition] } };
    expect(decisionAttributes(refused({ verdict: verdict("deny", { decided: named }) }))).toMatchObject({
      "budget_guard.budget.name": "margin",
      "budget_guard.budget.condition": "margin > 80%",
      "budget_guard.budget.limit": 50,
    });
  });

  test("that is none has no amount: infinite is not a number of any backend", () => {
    const stop = fired("hourly", warn);
    const figures = stop.figures === null ? null : { ...stop.figures, limit: Number.POSITIVE_INFINITY };
    const attributes = decisionAttributes(decided({ verdict: verdict("warn", { decided: { ...stop, figures } }) }));
    expect(attributes["budget_guard.budget.used"]).toBe(49.87);
    expect(Object.keys(attributes)).not.toContain("budget_guard.budget.limit");
    expect(Object.keys(attributes)).not.toContain("budget_guard.budget.remaining");
  });
});

test("gives what the run stands at in calls and dollars, and nothing where nobody counts it", () => {
  expect(decisionAttributes(decided({ run: { calls: 7, cost: 1_250_000_000 } }))).toMatchObject({
    "budget_guard.run.calls": 7,
    "budget_guard.run.cost": 1.25,
  });
  expect(Object.keys(decisionAttributes(decided())).filter((name) => name.startsWith("budget_guard.run."))).toEqual([]);
});
