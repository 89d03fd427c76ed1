/**
 * Whole processes whose only set-up is environment variables, against a collector and a provider on loopback.
 * @module
 */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { type OtlpSink, otlpSink } from "../support/otlp-sink.ts";
import { type Project, project, type Running } from "../support/run-app.ts";
import { decided, ended, refused } from "./scene.ts";

export const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** A folder of `@opentelemetry` packages of another major version to run all of this with: `.../node_modules/@opentelemetry`. */
const otherSdk = process.env.BUDGET_GUARD_TEST_OTEL;

/** Spans as `names` shows them. */
export const CHAT = "budget-guard: chat gpt-5";
export const POST = "@opentelemetry/instrumentation-undici: POST";

/** What every app begins with. The guard is not in these processes: they refuse and call by hand. */
const head = `
const { createTelemetry } = await import(process.env.BUDGET_GUARD_TEST_TELEMETRY + "/otel.js");
const { createLog } = await import(process.env.BUDGET_GUARD_TEST_TELEMETRY + "/log.js");
const { refused, decided, ended } = JSON.parse(process.env.BUDGET_GUARD_TEST_DATA);
const provider = process.env.BUDGET_GUARD_TEST_PROVIDER;
const telemetry = createTelemetry({
  config: { root: process.cwd(), otel: process.env.BUDGET_GUARD_OTEL ?? "auto", baggage: [], telemetry: { cost: ["gen_ai"] }, mode: "enforce", audit: process.env.BUDGET_GUARD_TEST_AUDIT ? { file: process.env.BUDGET_GUARD_TEST_AUDIT } : null },
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

export interface StartWishes {
  readonly env?: Readonly<Record<string, string>>;
  /** No `@opentelemetry` package is installed. */
  readonly bare?: boolean;
}

export interface Theatre {
  /** The telemetry alone as a built package, with nothing installed beside it: its peers are the application's. */
  readonly built: string;
  /** Of requests that reached the provider. */
  readonly traceparents: readonly (string | undefined)[];
  /** The collector of this test. */
  sink(): OtlpSink;
  /** Scope and name of every span that the collector got. */
  names(): readonly string[];
  /** Starts a process that can `refuse()`, `await call()` and `await traced()`. */
  start(body: string, wishes?: StartWishes): Running;
}

/** Registers what the tests of a file need around them. */
export function useTheatre(): Theatre {
  const built = mkdtempSync(join(tmpdir(), "budget-guard-built-"));
  const traceparents: (string | undefined)[] = [];
  const provider = createServer((request, response) => {
    traceparents.push(request.headers.traceparent?.toString());
    request.resume().on("end", () => response.end("{}"));
  });
  let sink: OtlpSink;
  let app: Project;

  beforeAll(() => build(built));
  beforeAll(() => new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve)));
  afterAll(() => new Promise<void>((resolve) => provider.close(() => resolve())));
  afterAll(() => rmSync(built, { recursive: true }));
  beforeEach(async () => {
    traceparents.length = 0;
    sink = await otlpSink();
  });
  afterEach(async () => {
    app.remove();
    await sink.close();
  });

  return {
    built,
    traceparents,
    sink: () => sink,
    names: () => sink.spans().map((span) => `${span.scope}: ${span.name}`),
    start: (body, { env = {}, bare = false } = {}) => {
      const replaced = bare || otherSdk !== undefined;
      app = project({ files: { "app.mjs": head + body }, without: replaced ? ["@opentelemetry"] : [] });
      if (!bare && otherSdk !== undefined) symlinkSync(otherSdk, join(app.folder, "node_modules", "@opentelemetry"));
      return app.start({
        flags: [],
        env: {
          ...sink.env,
          OTEL_SERVICE_NAME: "an-app",
          BUDGET_GUARD_TEST_TELEMETRY: pathToFileURL(join(built, "dist", "telemetry")).href,
          BUDGET_GUARD_TEST_DATA: JSON.stringify({ refused: refused(), decided: decided(), ended: ended() }),
          BUDGET_GUARD_TEST_PROVIDER: `http://127.0.0.1:${(provider.address() as AddressInfo).port}`,
          ...env,
        },
      });
    },
  };
}

async function build(folder: string): Promise<void> {
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const entries = ["otel", "log", "emit"].map((name) => [`telemetry/${name}`, `src/telemetry/${name}.ts`]);
  const external = [/^node:/, /^@opentelemetry\//];
  const bundle = await rolldown({ cwd: repository, input: Object.fromEntries(entries), platform: "node", external });
  await bundle.write({ dir: join(folder, "dist"), format: "esm" });
  await bundle.close();
}
