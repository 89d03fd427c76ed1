import { describe, expect, test } from "vitest";
import { CHAT, POST, useTheatre } from "./theatre.ts";

const { names, sink, start, traceparents } = useTheatre();

describe("calls", () => {
  test("that are over before the SDK is up get their span with usage and cost", async () => {
    const { code, stderr } = await start(`await call();`).finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(names()).toEqual([CHAT]);
    expect(sink().spans()[0]?.attributes).toMatchObject({
      "gen_ai.usage.cost": 0.0036,
      "budget_guard.decision": "allow",
    });
  });

  test("that are under way when it comes up are ended on the span they got", async () => {
    await start(`
      const sight = telemetry.begin(telemetry.arrive(), decided);
      await traced();
      sight.end({ ...ended, endedAt: Date.now() });`).finished;
    expect(names()).toEqual([CHAT]);
    const [span] = sink().spans();
    expect(span?.attributes).toMatchObject({ "gen_ai.usage.cost": 0.0036 });
    expect((span?.endedAt ?? 0) - (span?.startedAt ?? 0)).toBeGreaterThan(500);
  });

  test("have the HTTP request as a child once it is up, and the provider gets the trace", async () => {
    await start(`refuse(); await traced(); await call();`).finished;
    expect(names().toSorted()).toEqual([POST, CHAT, CHAT].toSorted());
    const post = sink()
      .spans()
      .find((span) => span.name === "POST");
    const chat = sink()
      .spans()
      .find((span) => span.spanId === post?.parentSpanId);
    expect(chat?.name).toBe("chat gpt-5");
    expect(traceparents).toEqual([`00-${post?.traceId}-${post?.spanId}-01`]);
  });

  test("under a span of the application are its children, also when the very last one is told by another process", async () => {
    const end = await start(`
      refuse();
      await traced();
      const { createRequire } = await import("node:module");
      const api = createRequire(process.cwd() + "/app.mjs")("@opentelemetry/api");
      api.trace.getTracer("app").startActiveSpan("agent", (span) => {
        console.log(JSON.stringify(span.spanContext()));
        refuse();
        process.exit(0);
      });`).finished;
    const agent = end.json<{ traceId: string; spanId: string }>();
    expect(end.code).toBe(0);
    expect(sink().spans().at(-1)).toMatchObject({ traceId: agent.traceId, parentSpanId: agent.spanId });
    expect(names()).toEqual([CHAT, CHAT]);
  });

  test("delivered once are not told again at the end", async () => {
    await start(`refuse(); await traced(); await telemetry.flush(); process.exit(0);`).finished;
    expect(names()).toEqual([CHAT]);
  });

  test("never show a credential that the address carries", async () => {
    await start(`refuse(); await traced(); await call("/v1beta/m:generateContent?alt=sse&key=SECRET-KEY");`).finished;
    const post = sink()
      .spans()
      .find((span) => span.name === "POST");
    expect(post?.attributes["url.full"]).toMatch(/generateContent\?alt=sse&key=REDACTED$/);
    expect(sink().received()).not.toContain("SECRET-KEY");
    expect(sink().received()).not.toContain("a prompt");
  });
});

describe("nothing is started", () => {
  test.each([
    ["no endpoint is set", { OTEL_EXPORTER_OTLP_ENDPOINT: "" }],
    ["the SDK is disabled", { OTEL_SDK_DISABLED: "true" }],
    ["there is no traces exporter", { OTEL_TRACES_EXPORTER: "none" }],
    ["only the API is wished for", { BUDGET_GUARD_OTEL: "api" }],
    ["telemetry is off", { BUDGET_GUARD_OTEL: "off" }],
  ])("where %s", async (_, env) => {
    const { code, stdout, stderr } = await start(
      `refuse(); await call(); await telemetry.flush();
       console.log(String(globalThis[Symbol.for("opentelemetry.js.api.1")]), process.listenerCount("SIGTERM"));`,
      { env },
    ).finished;
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "undefined 0\n", stderr: "" });
    expect(names()).toEqual([]);
  });

  test("where the application has an SDK: our spans go there", async () => {
    const { code, stdout, stderr } = await start(`
      const { NodeSDK } = await import("@opentelemetry/sdk-node");
      const sdk = new NodeSDK({ serviceName: "theirs" });
      sdk.start();
      refuse();
      console.log(process.listenerCount("SIGTERM"));
      await sdk.shutdown();`).finished;
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "0\n", stderr: "" });
    expect(names()).toEqual([CHAT]);
    expect(sink().received()).toContain('"theirs"');
  });

  test("where the application registers its own soon after the first call: the held spans go there", async () => {
    const { code, stdout, stderr } = await start(`
      refuse();
      const { NodeSDK } = await import("@opentelemetry/sdk-node");
      const sdk = new NodeSDK({ serviceName: "theirs" });
      sdk.start();
      await call();
      await sdk.shutdown();
      console.log(process.listenerCount("SIGTERM"));`).finished;
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "0\n", stderr: "" });
    expect(names()).toEqual([CHAT, CHAT]);
    expect(sink().received()).toContain('"theirs"');
    expect(sink().received()).not.toContain('"an-app"');
  });

  test.each([
    ["at once", ""],
    ["after a second of work", "const until = Date.now() + 1100; while (Date.now() < until) {}"],
  ])("and its own late registration before any further call is still used, %s", async (_when, busy) => {
    await start(`
      refuse();
      const { NodeSDK } = await import("@opentelemetry/sdk-node");
      ${busy}
      new NodeSDK({ serviceName: "theirs" }).start();`).finished;
    expect(names()).toEqual([CHAT]);
    expect(sink().received()).toContain('"theirs"');
  });
});
