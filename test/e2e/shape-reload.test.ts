import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import { type OtlpSink, otlpSink } from "../support/otlp-sink.ts";
import { type Project, project } from "../support/run-app.ts";

let provider: FakeProvider;
let sink: OtlpSink;
let at: Project;
beforeEach(async () => {
  sink = await otlpSink();
  provider = await fakeProvider();
  // An application with an SDK of its own: spans and metrics leave as they are made.
  at = project({
    policy: "tenant.calls.total > 100 -> deny\n",
    files: {
      "app.mjs": `
        import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
        import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
        import { NodeSDK } from "@opentelemetry/sdk-node";
        import { PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
        import { SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
        const reader = new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter(), exportIntervalMillis: 200, exportTimeoutMillis: 200 });
        new NodeSDK({ spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter())], metricReaders: [reader] }).start();
        const ask = async () => {
          const body = JSON.stringify({ model: "gpt-5-mini", max_tokens: 10, messages: [{ role: "user", content: "hi" }] });
          const headers = { "content-type": "application/json" };
          await (await fetch(process.argv[2] + "/v1/chat/completions", { method: "POST", headers, body })).text();
        };
        void ask().then(() => console.log("ready"));
        process.stdin.on("data", () => void ask()).on("end", () => process.exit(0));`,
    },
    env: { BUDGET_GUARD_STORE: "memory:", BUDGET_GUARD_HOSTS: `${provider.host}=openai` },
  });
});
afterEach(async () => {
  await Promise.all([provider.close(), sink.close()]);
  at.remove();
});

describe("a policy that changes in a running process", () => {
  it("and is broken leaves an ERROR span and a count; once it is mended, the new one is counted and named", async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, OTEL_TRACES_EXPORTER: "none", OTEL_METRICS_EXPORTER: "none" };
    const running = at.start({ args: [provider.url], env });
    await running.printed("ready");
    const hashes = () => [
      ...new Set(
        [...sink.received().matchAll(/"budget_guard\.policy\.hash","value":\{"stringValue":"(\w+)"/g)].map(
          ([, hash]) => hash,
        ),
      ),
    ];
    const [first] = await eventually(
      async () => hashes(),
      (found) => found.length > 0,
    );

    at.write("policies/test.budget", "tenant.calls.totl > 100 -> deny\n");
    const broken = () => sink.spans().filter(({ name }) => name === "budget_guard.policy.reload");
    const [span] = await eventually(
      async () => broken(),
      (found) => found.length > 0,
    );
    expect(span).toMatchObject({
      status: 2,
      kind: 1,
      parentSpanId: null,
      attributes: {
        "budget_guard.policy.hash": first,
        "budget_guard.policy.rules": 1,
        "budget_guard.policy.diagnostics": 1,
        "error.type": "policy_invalid",
      },
    });
    expect(span?.events.map(({ name }) => name)).toEqual(["budget_guard.policy.reload"]);
    await eventually(
      async () => sink.received(),
      (text) => /"name":"budget_guard\.policy\.reloads".*?"stringValue":"kept"/.test(text),
    );

    at.write("policies/test.budget", "tenant.calls.total > 200 -> deny\n");
    await eventually(
      async () => sink.received(),
      (text) => /"name":"budget_guard\.policy\.reloads".*"stringValue":"reloaded"/.test(text),
    );
    await eventually(
      async () => hashes(),
      (found) => found.length === 2,
    );
    expect(broken()).toHaveLength(1);
    running.process.stdin?.end();
    const end = await running.finished;
    expect(end.stderr).toContain(`the last good one (${first}) stays in force`);
  });
});
