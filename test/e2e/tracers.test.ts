import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { askingProject, CALL, fixedUsage, meterOf, status } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import { installed } from "../support/installed.ts";
import { type Loopback, loopback } from "../support/loopback.ts";
import { type OtlpSink, otlpSink } from "../support/otlp-sink.ts";
import type { Finished, Project } from "../support/run-app.ts";

/** Asks by four clients, twice, under a span of its own tracer, and ends when it is told that the span has arrived. */
const APP = `
import { once } from "node:events";
import http from "node:http";
import OpenAI from "openai";
import { request } from "undici7";
const url = process.argv[2] + "/v1/chat/completions";
let asked = 0;
const question = () => ({ model: "fixed-model", max_tokens: 100, messages: [{ role: "user", content: "question " + ++asked }] });
const init = () => ({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(question()) });
const openai = new OpenAI({ apiKey: "a-key", baseURL: process.argv[2] + "/v1" });
const calls = {
  fetch: async () => { const answer = await fetch(url, init()); await answer.text(); return answer.status; },
  undici: async () => { const { statusCode, body } = await request(url, init()); await body.text(); return statusCode; },
  http: async () => {
    const { body, ...options } = init();
    const [answer] = await once(http.request(url, options).end(body), "response");
    answer.resume();
    await once(answer, "end");
    return answer.statusCode;
  },
  openai: () => openai.chat.completions.create(question()).then(() => 200, ({ status }) => status),
};
const seen = [];
await globalThis.inSpan("the-app", async () => {
  for (const round of [1, 2]) for (const call of Object.values(calls)) seen.push(await call());
});
console.log(JSON.stringify(seen));
process.stdin.once("data", () => process.exit());
`;

const SENTRY = (load: string): string => `${load};
Sentry.init({ dsn: process.env.SENTRY_DSN, tracesSampleRate: 1 });
globalThis.inSpan = async (name, work) => { await Sentry.startSpan({ name }, work); Sentry.flush(); };
`;
const DATADOG = `
import tracer from "dd-trace";
tracer.init();
if (process.env.DD_TRACE_OTEL_ENABLED === "true") new tracer.TracerProvider().register();
globalThis.inSpan = (name, work) => tracer.trace(name, work);
`;

const GUARD = ["--require", "budget-guard/register"];
const IMPORTED = ["--import", "budget-guard/register"];

interface SetUp {
  readonly flags: readonly string[];
  readonly script?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Its OpenTelemetry is the tracer's own: the guard's spans go there. */
  readonly own?: boolean;
}

const tracers: Readonly<Record<string, Readonly<Record<string, SetUp>>>> = {
  "@sentry/node": {
    "after the guard": { flags: [...GUARD, "--import", "./sentry.mjs"] },
    "after the guard, both by --require": { flags: [...GUARD, "--require", "./sentry.cjs"] },
    "before the guard": { flags: ["--import", "./sentry.mjs", ...IMPORTED] },
    "before the guard, both by --require": { flags: ["--require", "./sentry.cjs", ...GUARD] },
    "in the application's own code": { flags: GUARD, script: "with-sentry.mjs" },
  },
  "dd-trace": {
    "after the guard": { flags: [...GUARD, "--import", "dd-trace/initialize.mjs", "--import", "./datadog.mjs"] },
    "after the guard, both by --require": {
      flags: [...GUARD, "--require", "dd-trace/init", "--import", "./datadog.mjs"],
    },
    "before the guard": {
      flags: ["--import", "dd-trace/initialize.mjs", "--import", "./datadog.mjs", ...IMPORTED],
    },
    "before the guard, both by --require": {
      flags: ["--require", "dd-trace/init", ...GUARD, "--import", "./datadog.mjs"],
    },
    "in the application's own code": { flags: GUARD, script: "with-datadog.mjs" },
    "as the application's OpenTelemetry": {
      flags: [...GUARD, "--import", "./datadog.mjs"],
      env: { DD_TRACE_OTEL_ENABLED: "true" },
      own: true,
    },
  },
};

let provider: FakeProvider;
let backend: Loopback;
let sink: OtlpSink;
let project: Project;
beforeEach(async () => {
  [provider, backend, sink] = await Promise.all([fakeProvider({ usage: fixedUsage }), loopback(), otlpSink()]);
  project = askingProject(provider, {
    policy: "tenant.calls.total > 4 -> deny\ntenant.total > $100 -> deny\n",
    modules: { "@sentry": installed("@sentry"), "dd-trace": installed("dd-trace") },
    files: {
      "app.mjs": APP,
      "sentry.mjs": SENTRY('import * as Sentry from "@sentry/node"'),
      "sentry.cjs": SENTRY('const Sentry = require("@sentry/node")'),
      "datadog.mjs": DATADOG,
      "with-sentry.mjs": 'import "./sentry.mjs";\nawait import("./app.mjs");\n',
      "with-datadog.mjs": 'import "./datadog.mjs";\nawait import("./app.mjs");\n',
    },
    env: {
      SENTRY_DSN: `http://key@127.0.0.1:${backend.port}/1`,
      DD_TRACE_AGENT_URL: backend.url,
      DD_TRACE_FLUSH_INTERVAL: "50",
      DD_TRACE_STARTUP_LOGS: "false",
      DD_INSTRUMENTATION_TELEMETRY_ENABLED: "false",
      DD_REMOTE_CONFIGURATION_ENABLED: "false",
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    },
  });
});
afterEach(async () => {
  await Promise.all([provider.close(), backend[Symbol.asyncDispose](), sink.close()]);
  project.remove();
});

const warnings = ({ stderr }: Finished): string => stderr.replace(/node:\d+/g, "node");
const told = (): string => backend.hits.map(({ body }) => body.toString("latin1")).join("\n");

/** Runs it until its own span has arrived at the tracer's backend. */
async function run(flags: readonly string[], { script = "app.mjs", env = {} }: SetUp): Promise<Finished> {
  const running = project.start({ flags, script, args: [provider.url], env });
  await running.printed("]\n");
  while (!told().includes("the-app")) await backend.arrived(backend.hits.length + 1);
  running.tell("end");
  return running.finished;
}

describe.each(Object.entries(tracers))("%s", (_tracer, setUps) => {
  it.each(Object.entries(setUps))("and the guard see each call once, set up %s", async (_how, setUp) => {
    const alone = await run(
      setUp.flags.filter((flag, at, flags) => !`${flag} ${flags[at + 1]}`.includes("budget-guard")),
      setUp,
    );
    expect(alone.json()).toEqual(Array(8).fill(200));
    provider.forget();
    backend.hits.length = 0;

    const end = await run(setUp.flags, setUp);
    expect(end.json()).toEqual([...Array(4).fill(200), ...Array(4).fill(402)]);
    expect([end.code, warnings(end)]).toEqual([alone.code, warnings(alone)]);
    expect(provider.requests).toHaveLength(4);
    const found = await status(project);
    expect(meterOf(found, "tenant.calls.total")).toEqual({ spent: 4, held: 0 });
    expect(meterOf(found, "tenant.cost.total")).toEqual({ spent: 4 * CALL, held: 0 });

    const decisions = sink.spans().map((span) => span.attributes["budget_guard.decision"]);
    if (setUp.own === true) expect(told().match(/budget_guard\.decision/g)).toHaveLength(8);
    else expect(decisions.toSorted()).toEqual([...Array(4).fill("allow"), ...Array(4).fill("deny")]);
  });
});
