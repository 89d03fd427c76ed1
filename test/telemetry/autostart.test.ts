/** Whole processes whose only set-up is environment variables, against a collector on loopback. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type OtlpSink, otlpSink } from "../support/otlp-sink.ts";
import { type Project, project } from "../support/run-app.ts";
import { decided, ended, refused } from "./scene.ts";

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** A folder of `@opentelemetry` packages of another major version to run all of this with: `.../node_modules/@opentelemetry`. */
const otherSdk = process.env.BUDGET_GUARD_TEST_OTEL;

/** What every app begins with. `decide` refuses nothing by itself: the guard is not in these processes. */
const head = `
const { createTelemetry } = await import(process.env.BUDGET_GUARD_TEST_TELEMETRY + "/otel.js");
const { createLog } = await import(process.env.BUDGET_GUARD_TEST_TELEMETRY + "/log.js");
const { refused, decided, ended } = JSON.parse(process.env.BUDGET_GUARD_TEST_DATA);
const provider = process.env.BUDGET_GUARD_TEST_PROVIDER;
const telemetry = createTelemetry({
  config: { root: process.cwd(), otel: process.env.BUDGET_GUARD_OTEL ?? "auto", baggage: [], telemetry: { cost: ["gen_ai"] } },
  log: createLog(process.env.BUDGET_GUARD_LOG ?? "warn"),
  clock: Date.now,
  version: "1.2.3",
});
const refuse = () => { telemetry.begin(telemetry.arrive(), refused); };
const call = async (path = "/v1/chat/completions") => {
  const sight = telemetry.begin(telemetry.arrive(), decided);
  const response = await sight.run(() => fetch(provider + path, { method: "POST", body: "a prompt" }));
  await response.text();
  sight.end({ ...ended, firstByteAt: null, endedAt: Date.now() });
};
/** Resolves once someone has registered a tracer provider. */
const traced = async () => {
  while (globalThis[Symbol.for("opentelemetry.js.api.1")]?.trace === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
`;

/** The telemetry alone as a built package, with nothing installed beside it: its peers are the application's. */
const built = mkdtempSync(join(tmpdir(), "budget-guard-built-"));
const entries = ["otel", "log", "emit"].map((name) => [`telemetry/${name}`, `src/telemetry/${name}.ts`]);

beforeAll(async () => {
  writeFileSync(join(built, "package.json"), '{ "type": "module" }');
  const external = [/^node:/, /^@opentelemetry\//];
  const bundle = await rolldown({ cwd: repository, input: Object.fromEntries(entries), platform: "node", external });
  await bundle.write({ dir: join(built, "dist"), format: "esm" });
  await bundle.close();
});
afterAll(() => rmSync(built, { recursive: true }));

let sink: OtlpSink;
let app: Project;
const headers: (string | undefined)[] = [];
const provider = createServer((request, response) => {
  headers.push(request.headers.traceparent?.toString());
  request.resume().on("end", () => response.end("{}"));
});

beforeAll(() => new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve)));
afterAll(() => new Promise<void>((resolve) => provider.close(() => resolve())));

beforeEach(async () => {
  headers.length = 0;
  sink = await otlpSink();
});
afterEach(async () => {
  app.remove();
  await sink.close();
});

function variables(): Record<string, string> {
  return {
    ...sink.env,
    OTEL_SERVICE_NAME: "an-app",
    BUDGET_GUARD_TEST_TELEMETRY: pathToFileURL(join(built, "dist", "telemetry")).href,
    BUDGET_GUARD_TEST_DATA: JSON.stringify({ refused: refused(), decided: decided(), ended: ended() }),
    BUDGET_GUARD_TEST_PROVIDER: `http://127.0.0.1:${(provider.address() as AddressInfo).port}`,
  };
}

function start(body: string, env: Readonly<Record<string, string>> = {}) {
  const files = { "app.mjs": head + body };
  app = project(otherSdk === undefined ? { files } : { files, without: ["@opentelemetry"] });
  if (otherSdk !== undefined) symlinkSync(otherSdk, join(app.folder, "node_modules", "@opentelemetry"));
  return app.start({ flags: [], env: { ...variables(), ...env } });
}

const names = () => sink.spans().map((span) => `${span.scope}: ${span.name}`);
const CHAT = "budget-guard: chat gpt-5";
const POST = "@opentelemetry/instrumentation-undici: POST";

describe("a refusal in a process without an SDK reaches the collector", () => {
  test("when the process ends by itself", async () => {
    const before = Date.now();
    const { code, stderr } = await start(`refuse(); console.log(Date.now());`).finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(names()).toEqual([CHAT]);
    const [span] = sink.spans();
    expect(span).toMatchObject({ kind: 3, status: 2, parentSpanId: null });
    expect(span?.attributes).toMatchObject({
      "error.type": "budget_exceeded",
      "budget_guard.rule.id": "hourly",
      "budget_guard.budget.limit": 50,
    });
    expect(span?.events.map((event) => event.name)).toEqual(["budget_guard.deny"]);
    expect(span?.startedAt).toBeGreaterThanOrEqual(before);
    expect(sink.received()).toContain('"an-app"');
  });

  test("with its original time, not that of the SDK's start", async () => {
    const { stdout } = await start(`refuse(); console.log(Date.now());`).finished;
    expect(Math.abs(Number(stdout) - (sink.spans()[0]?.startedAt ?? 0))).toBeLessThan(100);
  });

  test("when nobody catches the error", async () => {
    const { code, stderr } = await start(`refuse(); throw new Error("402 refused");`).finished;
    expect(code).toBe(1);
    expect(stderr).toContain("402 refused");
    expect(names()).toEqual([CHAT]);
    expect(sink.spans()[0]?.status).toBe(2);
  });

  test("when the application calls process.exit", async () => {
    const { code } = await start(`refuse(); process.exit(3);`).finished;
    expect(code).toBe(3);
    expect(names()).toEqual([CHAT]);
  });

  test.each(["SIGTERM", "SIGINT"] as const)("when %s ends it, which it still does", async (signal) => {
    const running = start(`refuse(); setInterval(() => {}, 1000); console.log("ready");`);
    await running.printed("ready");
    running.process.kill(signal);
    expect(await running.finished).toMatchObject({ code: null, signal });
    expect(names()).toEqual([CHAT]);
  });

  test("and an application that handles SIGTERM ends as it wishes", async () => {
    const running = start(`
      refuse();
      const alive = setInterval(() => {}, 1000);
      process.on("SIGTERM", () => { console.log("goodbye"); setTimeout(() => clearInterval(alive), 1000); process.exitCode = 7; });
      console.log("ready");`);
    await running.printed("ready");
    running.process.kill("SIGTERM");
    expect(await running.finished).toMatchObject({ code: 7, signal: null, stdout: "ready\ngoodbye\n" });
    expect(names()).toEqual([CHAT]);
  });

  test("when flush is awaited", async () => {
    const running = start(`refuse(); await telemetry.flush(); process.kill(process.pid, "SIGKILL");`);
    expect(await running.finished).toMatchObject({ signal: "SIGKILL" });
    expect(names()).toEqual([CHAT]);
  });
});

describe("calls", () => {
  test("that are over before the SDK is up get their span with usage and cost", async () => {
    const { code, stderr } = await start(`await call();`).finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(names()).toEqual([CHAT]);
    expect(sink.spans()[0]?.attributes).toMatchObject({
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
    const [span] = sink.spans();
    expect(span?.attributes).toMatchObject({ "gen_ai.usage.cost": 0.0036 });
    expect((span?.endedAt ?? 0) - (span?.startedAt ?? 0)).toBeGreaterThan(500);
  });

  test("have the HTTP request as a child once it is up, and the provider gets the trace", async () => {
    await start(`refuse(); await traced(); await call();`).finished;
    expect(names().toSorted()).toEqual([POST, CHAT, CHAT].toSorted());
    const post = sink.spans().find((span) => span.name === "POST");
    const chat = sink.spans().find((span) => span.spanId === post?.parentSpanId);
    expect(chat?.name).toBe("chat gpt-5");
    expect(headers).toEqual([`00-${post?.traceId}-${post?.spanId}-01`]);
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
    expect(sink.spans().at(-1)).toMatchObject({ traceId: agent.traceId, parentSpanId: agent.spanId });
    expect(names()).toEqual([CHAT, CHAT]);
  });

  test("delivered once are not told again at the end", async () => {
    await start(`refuse(); await traced(); await telemetry.flush(); process.exit(0);`).finished;
    expect(names()).toEqual([CHAT]);
  });

  test("never show a credential that the address carries", async () => {
    await start(`refuse(); await traced(); await call("/v1beta/m:generateContent?alt=sse&key=SECRET-KEY");`).finished;
    const post = sink.spans().find((span) => span.name === "POST");
    expect(post?.attributes["url.full"]).toMatch(/generateContent\?alt=sse&key=REDACTED$/);
    expect(sink.received()).not.toContain("SECRET-KEY");
    expect(sink.received()).not.toContain("a prompt");
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
      env,
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
    expect(sink.received()).toContain('"theirs"');
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
    expect(sink.received()).toContain('"theirs"');
    expect(sink.received()).not.toContain('"an-app"');
  });

  test("and its own late registration before any further call is still used", async () => {
    await start(`
      refuse();
      const { NodeSDK } = await import("@opentelemetry/sdk-node");
      new NodeSDK({ serviceName: "theirs" }).start();`).finished;
    expect(names()).toEqual([CHAT]);
    expect(sink.received()).toContain('"theirs"');
  });
});

describe("what is missing", () => {
  test("an endpoint without any SDK is one line that says what to install", async () => {
    app = project({ files: { "app.mjs": `${head}refuse(); await call(); refuse();` }, without: ["@opentelemetry"] });
    const { code, stderr } = await app.run({ flags: [], env: variables() });
    expect(code).toBe(0);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).toContain("OTEL_EXPORTER_OTLP_ENDPOINT is set");
    expect(stderr).toContain("npm install @opentelemetry/sdk-node @opentelemetry/instrumentation-undici");
  });

  test("no API at all is no traces, and a line for those who ask", async () => {
    const registered = `globalThis[Symbol.for("opentelemetry.js.api.1")] = { version: "1.9.1", trace: { getTracer() {} } };`;
    const files = { "app.mjs": `${head}${registered} refuse(); await call(); refuse();` };
    app = project({ files, without: ["@opentelemetry"] });
    const { code, stderr } = await app.run({ flags: [], env: { ...variables(), BUDGET_GUARD_LOG: "info" } });
    expect(code).toBe(0);
    expect(stderr.trimEnd().split("\n")).toEqual([expect.stringContaining("npm install @opentelemetry/api")]);
  });

  test("an API beside us that is newer than the application's is blind, so the application's own is taken", async () => {
    const newer = join(built, "node_modules", "@opentelemetry", "api");
    cpSync(join(repository, "node_modules", "@opentelemetry", "api"), newer, { recursive: true });
    const version = join(newer, "build", "src", "version.js");
    writeFileSync(version, readFileSync(version, "utf8").replace(/VERSION = '[^']*'/, "VERSION = '1.99.0'"));
    const running = start(
      `const { NodeSDK } = await import("@opentelemetry/sdk-node");
      const sdk = new NodeSDK();
      sdk.start();
      refuse();
      await sdk.shutdown();`,
    );
    const { code, stderr } = await running.finished;
    rmSync(join(built, "node_modules"), { recursive: true });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(names()).toEqual([CHAT]);
  });

  test("a collector that does not answer delays the end by seconds at most and changes nothing else", async () => {
    const began = Date.now();
    const { code, stderr } = await start(`refuse();`, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" }).finished;
    expect(code).toBe(0);
    expect(stderr.trimEnd().split("\n")).toEqual([expect.stringContaining("spans could not be delivered")]);
    expect(Date.now() - began).toBeLessThan(8_000);
  });

  test("a second instrumentation of undici is not made where somebody traces it already", async () => {
    await start(`
      const { subscribe } = await import("node:diagnostics_channel");
      subscribe("undici:request:create", () => {});
      refuse(); await traced(); await call();`).finished;
    expect(names()).toEqual([CHAT, CHAT]);
  });
});
