import { once } from "node:events";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Loopback, loopback } from "../support/loopback.ts";
import { type Project, project } from "../support/run-app.ts";

/** The application's own tracing, as its `--import ./tracing.mjs`. */
const TRACING = `
import { UndiciInstrumentation } from "@opentelemetry/instrumentation-undici";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
globalThis.spans = new InMemorySpanExporter();
new NodeSDK({
  spanProcessors: [new SimpleSpanProcessor(globalThis.spans)],
  instrumentations: [new UndiciInstrumentation()],
}).start();
`;

const APP = `
import { trace } from "@opentelemetry/api";
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import { request } from "undici7";
const [origin, h2] = process.argv.slice(2);
const path = "/v1/chat/completions";
const init = {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ model: "gpt-4o-mini", max_tokens: 5, messages: [{ role: "user", content: "hi" }] }),
};
const calls = {
  fetch: async () => (await fetch(origin + path, init)).status,
  undici: async () => (await request(origin + path, init)).statusCode,
  http: async () => {
    const asked = http.request(origin + path, init).end(init.body);
    const [response] = await once(asked, "response");
    response.resume();
    return response.statusCode;
  },
  http2: async () => {
    const session = http2.connect(h2);
    const stream = session.request({ ":method": "POST", ":path": path, ...init.headers }).end(init.body);
    const [headers] = await once(stream, "response");
    stream.resume();
    await once(stream, "close");
    session.close();
    return headers[":status"];
  },
};
const statuses = [];
const tracer = trace.getTracer("app");
await tracer.startActiveSpan("app", async (root) => {
  for (const round of [1, 2]) {
    for (const [name, call] of Object.entries(calls)) {
      await tracer.startActiveSpan("app " + name, async (span) => {
        statuses.push([name, await call()]);
        span.end();
      });
    }
  }
  root.end();
});
const spans = globalThis.spans?.getFinishedSpans() ?? [];
const of = (scope) => spans.filter((span) => span.instrumentationScope.name === scope);
const undici = of("@opentelemetry/instrumentation-undici");
const known = new Set(spans.map((span) => span.spanContext().traceId));
console.log(JSON.stringify({ statuses, undici: undici.length, app: of("app").length, traces: known.size }));
process.exit();
`;

const GUARD = ["--require", "budget-guard/register"];
const TRACED = ["--import", "./tracing.mjs"];

describe("the application's own OpenTelemetry", () => {
  let at: Project;
  let server: Loopback;
  const streams = http2.createServer((request, response) => {
    request.resume().on("end", () => response.end("{}"));
  });
  beforeAll(async () => {
    server = await loopback();
    streams.listen(0, "127.0.0.1");
    await once(streams, "listening");
    const second = `127.0.0.1:${(streams.address() as AddressInfo).port}`;
    at = project({
      policy: "run.calls > 4 -> deny\n",
      files: { "tracing.mjs": TRACING, "app.mjs": APP },
      env: {
        BUDGET_GUARD_STORE: "memory:",
        BUDGET_GUARD_LOG: "error",
        BUDGET_GUARD_HOSTS: `127.0.0.1:${server.port}=openai,${second}=openai`,
      },
    });
  });
  afterAll(async () => {
    streams.close();
    at.remove();
    await server[Symbol.asyncDispose]();
  });

  it.each(
    Object.entries({
      "set up after the guard": [...GUARD, ...TRACED],
      "set up before the guard": [...TRACED, "--import", "budget-guard/register"],
      "set up after the guard by --import": ["--import", "budget-guard/register", ...TRACED],
    }),
  )("and the guard see each call once, %s", async (_order, flags) => {
    const before = server.hits.length;
    const { port } = streams.address() as AddressInfo;
    const end = await at.run({ flags, args: [server.url, `http://127.0.0.1:${port}`] });
    const told = end.json<{ statuses: [string, number][]; undici: number; app: number; traces: number }>();
    const names = ["fetch", "undici", "http", "http2"];
    expect(told.statuses).toEqual([...names.map((name) => [name, 200]), ...names.map((name) => [name, 402])]);
    // What is refused is never sent: undici's own span begins when a request goes to its connection.
    expect([told.undici, told.app, told.traces]).toEqual([2, 9, 1]);
    expect([server.hits.length - before, end.stderr]).toEqual([3, ""]);
  });
});
