import * as api from "@opentelemetry/api";
import { AlwaysOffSampler } from "@opentelemetry/sdk-trace-node";
import { beforeAll, describe, expect, test } from "vitest";
import { NONE } from "../../src/call/call.ts";
import { aCall, aCost } from "../support/a-call.ts";
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

describe("an allowed call", () => {
  test("is one span from its arrival to the last byte, with usage by the conventions", () => {
    const { telemetry, spans } = stage();
    const sight = telemetry.begin(telemetry.arrive(), decided());
    expect(spans()).toEqual([]);
    sight.end(ended());
    const span = only(spans());
    expect([ms(span.startTime), ms(span.endTime)]).toEqual([T0, T0 + 1_500]);
    expect(span.status.code).toBe(api.SpanStatusCode.UNSET);
    expect(span.attributes).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "gpt-5",
      "gen_ai.request.max_tokens": 500,
      "gen_ai.response.model": "gpt-5",
      "gen_ai.response.id": "chatcmpl-1",
      "gen_ai.response.finish_reasons": ["stop"],
      "gen_ai.usage.input_tokens": 1_200,
      "gen_ai.usage.output_tokens": 300,
      "gen_ai.usage.cache_read.input_tokens": 800,
      "gen_ai.usage.reasoning.output_tokens": 100,
      "server.address": "api.openai.com",
      "server.port": 443,
      "http.response.status_code": 200,
      "budget_guard.decision": "allow",
      "budget_guard.outcome": "success",
    });
  });

  test("shows its cost in parts that sum to the total, under every name that backends read", () => {
    const { telemetry, spans } = stage();
    telemetry.begin(telemetry.arrive(), decided()).end(ended({ wasted: true }));
    const { attributes } = only(spans());
    const parts = ["input", "output", "cache_read", "cache_write", "reasoning", "tools"];
    const sum = parts.reduce((total, part) => total + Number(attributes[`budget_guard.cost.${part}`] ?? 0), 0);
    expect(sum).toBeCloseTo(0.0036, 12);
    expect(attributes).toMatchObject({
      "gen_ai.usage.cost": 0.0036,
      "operation.cost": 0.0036,
      "llm.cost.total": 0.0036,
      "llm.cost.prompt": 0.0006,
      "llm.cost.completion": 0.003,
      "llm.cost.prompt_details.cache_read": 0.0001,
      "llm.cost.completion_details.reasoning": 0.001,
      "budget_guard.cost.source": "local",
      "budget_guard.cost.wasted": 0.0036,
    });
  });

  test("uses only the cost names that the configuration asks for", () => {
    const { telemetry, spans } = stage({ cost: ["logfire"] });
    telemetry.begin(telemetry.arrive(), decided()).end(ended());
    const { attributes } = only(spans());
    expect(attributes["operation.cost"]).toBe(0.0036);
    expect(Object.keys(attributes).filter((name) => /^(llm\.cost|gen_ai\.usage\.cost)/.test(name))).toEqual([]);
  });

  test("never uses the names that Langfuse counts twice", () => {
    const { telemetry, spans } = stage();
    telemetry
      .begin(telemetry.arrive(), decided())
      .end(ended({ bill: { usage: { ...ended().bill.usage, cacheWriteTokens: 5, cacheWriteHourTokens: 6 } } }));
    const { attributes } = only(spans());
    expect(attributes["gen_ai.usage.cache_creation.input_tokens"]).toBe(11);
    expect(Object.keys(attributes).filter((name) => /cost\.amount|usage\.cache_write/.test(name))).toEqual([]);
  });

  test("marks a price that is a guess, and still shows what is charged", () => {
    const { telemetry, spans } = stage();
    telemetry
      .begin(telemetry.arrive(), decided({ call: aCall({ unpriced: true }) }))
      .end(ended({ bill: { unpriced: true, source: "estimate" } }));
    expect(only(spans()).attributes).toMatchObject({
      "budget_guard.unpriced": true,
      "budget_guard.cost.source": "estimate",
      "gen_ai.usage.cost": 0.0036,
    });
  });

  test("that cannot be counted has no cost, rather than a cost of zero", () => {
    const { telemetry, spans } = stage();
    telemetry
      .begin(telemetry.arrive(), decided({ call: aCall({ spending: "unmetered", operation: "other", cost: 0 }) }))
      .end(ended({ bill: { cost: aCost() } }));
    const { attributes } = only(spans());
    expect(attributes["budget_guard.unmetered"]).toBe(true);
    expect(Object.keys(attributes).filter((name) => name.includes("cost"))).toEqual(["budget_guard.cost.source"]);
  });

  test("names whose call it is, and leaves out what nobody named", () => {
    const { telemetry, spans } = stage();
    const subject = { tenant: "acme", feature: "research", agent: "Analyzer", user: NONE, plan: "pro" };
    telemetry.begin(telemetry.arrive(), decided({ call: aCall({ subject, runSource: "process" }) })).end(ended());
    const { attributes } = only(spans());
    expect(attributes).toMatchObject({
      "tenant.id": "acme",
      "budget_guard.feature": "research",
      "gen_ai.agent.name": "Analyzer",
      "budget_guard.run.id": "run-1",
      "budget_guard.run.source": "process",
      "budget_guard.dimension.plan": "pro",
    });
    expect(Object.values(attributes)).not.toContain(NONE);
    expect(attributes).not.toHaveProperty("user.id");
  });

  test("shows retries, degraded stores and the time to the first byte of a stream", () => {
    const { telemetry, spans } = stage();
    telemetry
      .begin(
        telemetry.arrive(),
        decided({ call: aCall({ stream: true }), attemptNumber: 2, store: { kind: "redis", degraded: true } }),
      )
      .end(ended());
    expect(only(spans()).attributes).toMatchObject({
      "gen_ai.request.stream": true,
      "gen_ai.response.time_to_first_chunk": 0.3,
      "http.request.resend_count": 2,
      "budget_guard.store": "redis",
      "budget_guard.store.degraded": true,
    });
  });

  test.each([
    [{ kind: "provider-error", status: 429 } as const, "429", api.SpanStatusCode.ERROR],
    [{ kind: "network-error", code: "ECONNREFUSED" } as const, "ECONNREFUSED", api.SpanStatusCode.ERROR],
    [{ kind: "timeout", status: null } as const, "timeout", api.SpanStatusCode.ERROR],
    [{ kind: "aborted", status: 200 } as const, undefined, api.SpanStatusCode.UNSET],
  ])("that ends as %j has error.type %s", (outcome, type, code) => {
    const { telemetry, spans } = stage();
    telemetry.begin(telemetry.arrive(), decided()).end(ended({ outcome }));
    expect(only(spans()).attributes["error.type"]).toBe(type);
    expect(only(spans()).attributes["budget_guard.outcome"]).toBe(outcome.kind);
    expect(only(spans()).status.code).toBe(code);
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

describe("the conventions' names", () => {
  test.each([
    ["responses", "openai", "chat gpt-5", "openai"],
    ["messages", "anthropic", "chat gpt-5", "anthropic"],
    ["completions", "mistral", "text_completion gpt-5", "mistral_ai"],
    ["embeddings", "azure", "embeddings gpt-5", "azure.ai.openai"],
  ] as const)("%s of %s is the span %s of %s", (operation, provider, name, conventional) => {
    const { telemetry, spans } = stage();
    telemetry.begin(telemetry.arrive(), refused({ call: aCall({ operation, provider }) }));
    const span = only(spans());
    expect(span.name).toBe(name);
    expect(span.attributes["gen_ai.operation.name"]).toBe(name.split(" ")[0]);
    expect(span.attributes["gen_ai.provider.name"]).toBe(conventional);
  });
});

describe("in the caller's trace", () => {
  test("our span is a child of the caller's, and spans made in run are children of ours", () => {
    const { telemetry, spans, tracer } = stage();
    tracer.startActiveSpan("agent", (agent) => {
      const arrival = telemetry.arrive();
      expect(arrival.traceId).toBe(agent.spanContext().traceId);
      const sight = telemetry.begin(arrival, decided());
      sight.run(() => tracer.startSpan("POST").end());
      sight.end(ended());
      agent.end();
    });
    const [post, chat, agent] = spans();
    expect([post?.name, chat?.name, agent?.name]).toEqual(["POST", "chat gpt-5", "agent"]);
    expect(post?.parentSpanContext?.spanId).toBe(chat?.spanContext().spanId);
    expect(chat?.parentSpanContext?.spanId).toBe(agent?.spanContext().spanId);
  });

  test("the context is that of the arrival, whatever is active when the decision falls", () => {
    const { telemetry, spans, tracer } = stage();
    const arrival = tracer.startActiveSpan("agent", (agent) => {
      agent.end();
      return telemetry.arrive();
    });
    telemetry.begin(arrival, refused());
    const [agent, chat] = spans();
    expect(chat?.parentSpanContext?.spanId).toBe(agent?.spanContext().spanId);
  });

  test("outside any trace there is no trace id, and only allow-listed baggage is read", () => {
    const { telemetry } = stage({ baggage: ["tenant.id"] });
    const baggage = api.propagation.createBaggage({ "tenant.id": { value: "acme" }, secret: { value: "x" } });
    const arrival = api.context.with(api.propagation.setBaggage(api.ROOT_CONTEXT, baggage), () => telemetry.arrive());
    expect(arrival).toMatchObject({ at: T0, traceId: null, baggage: { "tenant.id": "acme" } });
    expect(arrival.baggage).not.toHaveProperty("secret");
  });

  test("run returns what the request returns and throws what it throws", () => {
    const { telemetry } = stage();
    const sight = telemetry.begin(telemetry.arrive(), decided());
    expect(sight.run(() => 42)).toBe(42);
    expect(() =>
      sight.run(() => {
        throw new RangeError("theirs");
      }),
    ).toThrow(RangeError);
  });
});

describe("where nobody records", () => {
  test("a span processor that throws is reported once and fails no call", () => {
    const broken = () => {
      throw new Error("theirs is broken");
    };
    const processor = { onStart: broken, onEnd: () => {}, forceFlush: async () => {}, shutdown: async () => {} };
    const { telemetry, lines } = stage({ processor });
    for (let call = 0; call < 2; call++) {
      const sight = telemetry.begin(telemetry.arrive(), decided());
      expect(sight.run(() => 42)).toBe(42);
      expect(() => sight.end(ended())).not.toThrow();
    }
    expect(lines).toEqual(["budget-guard: a span could not be started: Error: theirs is broken\n"]);
  });

  test("an unsampled call makes no span but keeps its trace for what is below", () => {
    const { telemetry, spans, tracer } = stage({ sampler: new AlwaysOffSampler() });
    const sight = telemetry.begin(telemetry.arrive(), decided());
    const inner = sight.run(() => tracer.startSpan("POST").spanContext().traceId);
    const again = sight.run(() => api.trace.getSpanContext(api.context.active())?.traceId);
    expect(again).toBe(inner);
    sight.end(ended());
    expect(spans()).toEqual([]);
  });

  test("off means that OpenTelemetry is not even asked", () => {
    const { telemetry, spans, tracer } = stage({ otel: "off" });
    tracer.startActiveSpan("agent", (agent) => {
      expect(telemetry.arrive().traceId).toBeNull();
      telemetry.begin(telemetry.arrive(), refused());
      agent.end();
    });
    expect(spans().map((span) => span.name)).toEqual(["agent"]);
  });

  test("a sampler sees the decision at the start, so that it can keep refusals", () => {
    const seen: unknown[] = [];
    const sampler = {
      shouldSample: (...args: Parameters<AlwaysOffSampler["shouldSample"]> | unknown[]) => {
        seen.push((args[4] as api.Attributes)["budget_guard.decision"]);
        return new AlwaysOffSampler().shouldSample();
      },
      toString: () => "recording sampler",
    };
    const { telemetry } = stage({ sampler });
    telemetry.begin(telemetry.arrive(), refused());
    telemetry.begin(telemetry.arrive(), decided());
    expect(seen).toEqual(["deny", "allow"]);
  });
});
