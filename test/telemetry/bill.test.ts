import * as api from "@opentelemetry/api";
import { beforeAll, describe, expect, test } from "vitest";
import { NONE } from "../../src/call/call.ts";
import { aCall, aCost } from "../support/a-call.ts";
import { decided, ended, only, stage, T0, useContexts } from "./scene.ts";

beforeAll(useContexts);

const ms = ([seconds, nanos]: api.HrTime): number => seconds * 1000 + nanos / 1e6;

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
    [{ kind: "provider-error", status: 200 } as const, "error_in_answer", api.SpanStatusCode.ERROR],
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
