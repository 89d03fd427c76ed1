import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asked, askingProject, fixedCall, fixedUsage, startAsking, times } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import { type OtlpSink, otlpSink } from "../support/otlp-sink.ts";
import type { Project } from "../support/run-app.ts";

let provider: FakeProvider;
let sink: OtlpSink;
let project: Project;
beforeEach(async () => {
  [provider, sink] = await Promise.all([fakeProvider({ usage: fixedUsage }), otlpSink()]);
  project = askingProject(provider, {
    policy: "## One call is enough for anyone.\nonce: tenant.total > $0.02 -> deny\n",
    env: {
      BUDGET_GUARD_FEATURE: "research",
      BUDGET_GUARD_RUN: "job-1",
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_SERVICE_NAME: "an-app",
    },
  });
});
afterEach(async () => {
  await Promise.all([provider.close(), sink.close()]);
  project.remove();
});

const guardSpans = () => sink.spans().filter((span) => "budget_guard.decision" in span.attributes);

describe("a process whose only set-up is the flag and variables", () => {
  it("exports a span for the call that went, with what it cost, and one for the call that was refused", async () => {
    await asked(project, provider, { calls: times(2) });
    const [allowed, denied] = guardSpans();
    expect(allowed).toMatchObject({
      name: "chat fixed-model",
      attributes: {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "fixed-model",
        "gen_ai.request.max_tokens": 100,
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 100,
        "gen_ai.usage.cost": 0.0125,
        "budget_guard.cost.output": 0.0125,
        "budget_guard.decision": "allow",
        "budget_guard.feature": "research",
        "budget_guard.run.id": "job-1",
        "tenant.id": "acme",
        "server.port": provider.port,
      },
    });
    expect(denied).toMatchObject({
      name: "chat fixed-model",
      attributes: {
        "budget_guard.decision": "deny",
        "budget_guard.rule.id": "once",
        "budget_guard.budget.limit": 0.02,
        "budget_guard.budget.used": 0.0125,
        "budget_guard.estimate.cost": 0.0125,
        "error.type": "budget_exceeded",
      },
    });
    expect(denied?.attributes).not.toHaveProperty("gen_ai.usage.cost");
    expect(guardSpans()).toHaveLength(2);
  });

  it("exports the refusal even of a process that ends right after it", async () => {
    project.write("policies/test.budget", "tenant.calls.total > 0 -> deny\n");
    await asked(project, provider, { calls: [fixedCall()] });
    expect(guardSpans().map((span) => span.attributes["budget_guard.decision"])).toEqual(["deny"]);
  });

  it("starts nothing under BUDGET_GUARD_OTEL=off or api", async () => {
    for (const BUDGET_GUARD_OTEL of ["off", "api"]) {
      await asked(project, provider, { calls: [fixedCall()] }, { env: { BUDGET_GUARD_OTEL } });
    }
    expect(sink.spans()).toEqual([]);
  });

  it("says in one line what to install where the endpoint is set and no SDK can be found", async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: "" };
    const quiet = await startAsking(project, provider, { calls: [fixedCall()] }, { env }).finished;
    expect(quiet.stderr).toBe("");
  });
});

describe("an application with an SDK of its own", () => {
  it("gets the guard's spans through it, under the span that was active", async () => {
    project.write(
      "app.mjs",
      `import { trace } from "@opentelemetry/api";
      import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
      const exporter = new InMemorySpanExporter();
      const sdk = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
      sdk.register();
      await trace.getTracer("app").startActiveSpan("a task", async (span) => {
        for (const content of ["one", "two"]) await (await fetch("${provider.url}/v1/chat/completions", { method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ model: "fixed-model", max_tokens: 100, messages: [{ role: "user", content }] }) })).text();
        span.end();
      });
      await new Promise((resolve) => setImmediate(resolve));
      await sdk.forceFlush();
      const spans = exporter.getFinishedSpans();
      const task = spans.find((span) => span.name === "a task");
      console.log(JSON.stringify(spans.filter((span) => span !== task).map((span) => ({ name: span.name,
        child: span.parentSpanContext?.spanId === task.spanContext().spanId, decision: span.attributes["budget_guard.decision"],
        error: span.status.code === 2 }))));`,
    );
    const end = await project.run();
    expect(end.json()).toEqual([
      { name: "chat fixed-model", child: true, decision: "allow", error: false },
      { name: "chat fixed-model", child: true, decision: "deny", error: true },
    ]);
    expect(sink.spans()).toEqual([]);
  });
});
