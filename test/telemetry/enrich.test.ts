import * as api from "@opentelemetry/api";
import { beforeAll, describe, expect, test } from "vitest";
import { decided, ended, fired, only, refused, type Stage, stage, T0, useContexts, verdict, warn } from "./scene.ts";

beforeAll(useContexts);

/** What an OpenAI instrumentation has on its span when the request leaves. */
const openai = { "gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-5-alias" };

function inside<T>(on: Stage, attributes: api.Attributes, fn: (span: api.Span) => T): T {
  return on.tracer.startActiveSpan("chat gpt-5", { attributes, startTime: T0 - 5 }, fn);
}

describe("where another instrumentation made the span of this inference", () => {
  test.each([
    ["an OpenAI instrumentation", openai],
    ["a legacy completion", { "gen_ai.operation.name": "text_completion" }],
    ["Gemini", { "gen_ai.operation.name": "generate_content" }],
    ["embeddings", { "gen_ai.operation.name": "embeddings" }],
    ["the Vercel AI SDK", { "ai.operationId": "ai.generateText.doGenerate" }],
    ["a stream of the Vercel AI SDK", { "ai.operationId": "ai.streamText.doStream" }],
  ])("%s: our figures go on that span and no second one is made", (_, attributes) => {
    const on = stage();
    inside(on, attributes, (span) => {
      on.telemetry.begin(on.telemetry.arrive(), decided()).end(ended());
      span.end();
    });
    expect(only(on.spans()).attributes).toMatchObject({
      ...attributes,
      "gen_ai.usage.cost": 0.0036,
      "llm.cost.total": 0.0036,
      "budget_guard.cost.output": 0.002,
      "budget_guard.decision": "allow",
      "tenant.id": "acme",
    });
  });

  test.each([
    ["a span of the application", {}],
    ["an agent", { "gen_ai.operation.name": "invoke_agent" }],
    ["the outer span of the Vercel AI SDK", { "ai.operationId": "ai.generateText" }],
  ])("under %s we make our own", (_, attributes) => {
    const on = stage();
    inside(on, attributes, (span) => {
      on.telemetry.begin(on.telemetry.arrive(), decided()).end(ended());
      span.end();
    });
    expect(on.spans().map((span) => span.kind)).toEqual([api.SpanKind.CLIENT, api.SpanKind.INTERNAL]);
    expect(on.spans()[1]?.attributes).not.toHaveProperty("gen_ai.usage.cost");
  });

  test("what it says itself stands, and we add no tokens that it will count too", () => {
    const on = stage();
    inside(on, { ...openai, "tenant.id": "theirs" }, (span) => {
      on.telemetry.begin(on.telemetry.arrive(), decided()).end(ended());
      span.end();
    });
    const { attributes } = only(on.spans());
    expect(attributes["gen_ai.request.model"]).toBe("gpt-5-alias");
    expect(attributes["tenant.id"]).toBe("theirs");
    expect(Object.keys(attributes).filter((name) => name.startsWith("gen_ai.usage."))).toEqual(["gen_ai.usage.cost"]);
  });

  test("a provider's error is left for it to report, for a later attempt may succeed", () => {
    const on = stage();
    inside(on, openai, (span) => {
      const outcome = { kind: "provider-error", status: 500 } as const;
      on.telemetry.begin(on.telemetry.arrive(), decided()).end(ended({ outcome }));
      span.end();
    });
    expect(only(on.spans()).attributes).not.toHaveProperty("error.type");
    expect(only(on.spans()).status.code).toBe(api.SpanStatusCode.UNSET);
  });

  test("the attempts under one span add up to its cost", () => {
    const on = stage();
    inside(on, openai, (span) => {
      on.telemetry.begin(on.telemetry.arrive(), decided()).end(ended({ cost: { input: 1_000_000 }, wasted: true }));
      on.telemetry
        .begin(on.telemetry.arrive(), decided({ attemptNumber: 1 }))
        .end(ended({ cost: { input: 2_000_000 } }));
      span.end();
    });
    expect(only(on.spans()).attributes).toMatchObject({
      "gen_ai.usage.cost": 0.003,
      "budget_guard.cost.input": 0.003,
      "budget_guard.cost.wasted": 0.001,
    });
  });

  test("warnings are events on that span", () => {
    const on = stage();
    inside(on, openai, (span) => {
      const warnings = [fired("80%", warn)];
      on.telemetry.begin(on.telemetry.arrive(), decided({ verdict: verdict("warn", { warnings }) })).end(ended());
      span.end();
    });
    expect(only(on.spans()).events.map((event) => event.name)).toEqual(["budget_guard.warn"]);
  });

  test("spans below stay its children", () => {
    const on = stage();
    inside(on, openai, (span) => {
      const sight = on.telemetry.begin(on.telemetry.arrive(), decided());
      sight.run(() => on.tracer.startSpan("POST").end());
      sight.end(ended());
      span.end();
    });
    const [post, chat] = on.spans();
    expect(post?.parentSpanContext?.spanId).toBe(chat?.spanContext().spanId);
  });

  test("a refusal is one INTERNAL check under it, and it is marked as refused", () => {
    const on = stage();
    inside(on, openai, (span) => {
      on.telemetry.begin(on.telemetry.arrive(), refused());
      span.end();
    });
    const [check, chat] = on.spans();
    expect(on.spans()).toHaveLength(2);
    expect(check?.name).toBe("budget_guard.check hourly");
    expect(check?.kind).toBe(api.SpanKind.INTERNAL);
    expect(check?.status.code).toBe(api.SpanStatusCode.ERROR);
    expect(check?.parentSpanContext?.spanId).toBe(chat?.spanContext().spanId);
    expect(check?.attributes).toMatchObject({ "budget_guard.budget.limit": 50, "error.type": "budget_exceeded" });
    expect(Object.keys(check?.attributes ?? {}).filter((name) => name.startsWith("gen_ai."))).toEqual([]);
    expect(chat?.attributes).toMatchObject({ "error.type": "budget_exceeded", "budget_guard.decision": "deny" });
  });

  test("a span that had ended when the request left does not take our figures: we make our own", () => {
    const on = stage();
    inside(on, openai, (span) => {
      span.end();
      on.telemetry.begin(on.telemetry.arrive(), decided()).end(ended());
    });
    expect(on.spans()[0]?.attributes).not.toHaveProperty("gen_ai.usage.cost");
    expect(on.spans()[1]?.kind).toBe(api.SpanKind.CLIENT);
  });

  test("a bill that comes after it ended is told beside it, without a second inference", () => {
    const on = stage();
    inside(on, openai, (span) => {
      const sight = on.telemetry.begin(on.telemetry.arrive(), decided());
      span.end();
      sight.end(ended());
    });
    const [chat, settle] = on.spans();
    expect(chat?.attributes).toMatchObject({ "budget_guard.decision": "allow" });
    expect(settle?.name).toBe("budget_guard.settle");
    expect(settle?.parentSpanContext?.spanId).toBe(chat?.spanContext().spanId);
    expect(settle?.attributes).toMatchObject({ "budget_guard.cost.output": 0.002, "budget_guard.outcome": "success" });
    expect(Object.keys(settle?.attributes ?? {}).filter((name) => /^(gen_ai|llm|operation)\./.test(name))).toEqual([]);
  });
});
