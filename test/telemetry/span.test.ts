import * as api from "@opentelemetry/api";
import { AlwaysOffSampler } from "@opentelemetry/sdk-trace-node";
import { beforeAll, describe, expect, test } from "vitest";
import { decided, ended, refused, stage, T0, useContexts } from "./scene.ts";

beforeAll(useContexts);

const _ms = ([seconds, nanos]: api.HrTime): number => seconds * 1000 + nanos / 1e6;

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
