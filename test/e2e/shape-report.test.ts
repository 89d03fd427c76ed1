import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AuditLine, readAuditLine } from "../../src/telemetry/audit-line.ts";
import {
  type AskedCall,
  asked,
  askingProject,
  CALL,
  fixedCall,
  fixedPrice,
  fixedUsage,
  startAsking,
  statuses,
} from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import { type OtlpSink, otlpSink } from "../support/otlp-sink.ts";
import type { Project } from "../support/run-app.ts";

let provider: FakeProvider;
let sink: OtlpSink;
let project: Project;
beforeEach(async () => {
  sink = await otlpSink();
  provider = await fakeProvider({ usage: fixedUsage });
  project = askingProject(provider, {
    config: {
      prices: { ...fixedPrice, "cheap-model": { input: 0, output: 12.5 } },
      audit: { file: ".budget-guard/audit.jsonl" },
    },
    env: { ...sink.env },
  });
});
afterEach(async () => {
  await Promise.all([provider.close(), sink.close()]);
  project.remove();
});

const policy = (text: string): void => project.write("policies/test.budget", text);
const ROUTE = 'cheaper: call.cost > $0 -> route to "cheap-model", cap 40 tokens\n';

function audit(): readonly AuditLine[] {
  return readFileSync(join(project.folder, ".budget-guard/audit.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((text) => {
      const reading = readAuditLine(text);
      if (reading.kind !== "line") throw new Error(`${reading.why}: ${text}`);
      return reading.line;
    });
}

const chats = () => sink.spans().filter(({ scope }) => scope === "budget-guard");

describe("a routed call", () => {
  it("is seen as one on its span and in the audit log, by the model and the price that it had in the end", async () => {
    policy(`## The month is nearly spent.\n${ROUTE}`);
    await asked(project, provider, { calls: [fixedCall()] });
    const [span] = chats();
    expect(span?.name).toBe("chat cheap-model");
    expect(span?.attributes).toMatchObject({
      "budget_guard.decision": "route",
      "budget_guard.route.from": "fixed-model",
      "budget_guard.route.to": "cheap-model",
      "budget_guard.cap.tokens": 40,
      "budget_guard.rule.id": "cheaper",
      "budget_guard.rule.doc": "The month is nearly spent.",
      "gen_ai.request.model": "cheap-model",
      "gen_ai.request.max_tokens": 40,
      "gen_ai.usage.cost": CALL / 10,
    });
    expect(span?.events.map(({ name }) => name)).toEqual(["budget_guard.route", "budget_guard.cap"]);
    expect(audit()).toMatchObject([
      {
        model: { asked: "cheap-model", answered: "cheap-model" },
        subject: { model: "cheap-model", tenant: "acme" },
        route: { from: "fixed-model", to: "cheap-model" },
        cap: 40,
        decision: "route",
        estimate: { outputTokens: 40 },
        bill: { cost: { total: CALL / 10 } },
      },
    ]);
  });

  it("is judged by the rules of its new model", async () => {
    policy(
      `${ROUTE}dear: model.total > $0 when model == "fixed-model" -> deny\ncheap: model.calls.total > 1 when model == "cheap-model" -> deny\n`,
    );
    expect(statuses(await asked(project, provider, { calls: [fixedCall(), fixedCall()] }))).toEqual([200, 402]);
    expect(audit().map(({ rule, outcome }) => [rule?.id, outcome])).toEqual([
      ["cheaper", "success"],
      ["cheap", "refused"],
    ]);
  });

  it("may be a retry: what failed before goes to another model", async () => {
    policy('again: call.retries > 0 -> route to "cheap-model"\n');
    provider.behave(({ index }) => (index === 0 ? { error: { status: 500 } } : { usage: fixedUsage }));
    const identity = { run: "job-7" };
    const calls = [fixedCall("once more", { identity }), fixedCall("once more", { identity })];
    expect(statuses(await asked(project, provider, { calls }))).toEqual([500, 200]);
    expect(provider.requests.map(({ json }) => json?.model)).toEqual(["fixed-model", "cheap-model"]);
  });

  it("in shadow mode leaves as it came, and says what would have been done", async () => {
    policy(ROUTE);
    await asked(project, provider, { calls: [fixedCall("hi")] }, { env: { BUDGET_GUARD_MODE: "shadow" } });
    expect(provider.requests[0]?.body.toString()).toBe(JSON.stringify(fixedCall("hi").body));
    const [span] = chats();
    expect(span?.attributes).toMatchObject({
      "budget_guard.decision": "allow",
      "budget_guard.verdict": "route",
      "budget_guard.route.to": "cheap-model",
      "gen_ai.usage.cost": CALL,
    });
    expect(span?.events.map(({ name }) => name)).toEqual(["budget_guard.would_route", "budget_guard.would_cap"]);
  });
});

describe("a call that a rule made wait", () => {
  it("before a retry says how long on its span and in the audit log, and by which rule", async () => {
    policy("slow: call.retries > 0 -> backoff 200ms\n");
    provider.behave(({ index }) => (index === 0 ? { error: { status: 500 } } : { usage: fixedUsage }));
    const call = fixedCall("once more", { identity: { run: "job-7" } });
    expect(statuses(await asked(project, provider, { calls: [call, call] }))).toEqual([500, 200]);
    const span = chats().find(({ attributes }) => attributes["budget_guard.decision"] === "backoff");
    expect(span?.attributes).toMatchObject({ "budget_guard.rule.id": "slow", "budget_guard.wait.backoff": 0.2 });
    expect(span?.events.map(({ name }) => name)).toEqual(["budget_guard.backoff"]);
    expect(Number(span?.attributes["budget_guard.check.duration"])).toBeLessThan(0.2);
    expect(audit()[1]).toMatchObject({ decision: "backoff", waited: { hold: 0, backoff: 0.2 }, rule: { id: "slow" } });
  });

  it("for room that came says how long, and one that waited in vain was refused by the hold", async () => {
    policy(
      'tenant.concurrency > 1 -> hold 20s\nfull: feature.calls last 1h > 1 when feature == "full" -> hold 300ms\n',
    );
    let free = (): void => {};
    const freed = new Promise<void>((resolve) => {
      free = resolve;
    });
    provider.behave(({ index }) =>
      index === 0 ? { usage: fixedUsage, beforeHead: () => freed } : { usage: fixedUsage },
    );
    const running = startAsking(project, provider, { calls: [fixedCall(), fixedCall()], parallel: true });
    await provider.arrived(1);
    // Long enough for the other call to be judged, and it waits until it is let through.
    setTimeout(free, 1_000);
    expect((await running.finished).code).toBe(0);
    const held = audit().find(({ decision }) => decision === "hold");
    expect(held?.waited?.hold).toBeGreaterThan(0);
    expect(chats().some(({ attributes }) => Number(attributes["budget_guard.wait.hold"]) > 0)).toBe(true);

    const full = (): AskedCall => fixedCall(undefined, { identity: { feature: "full" } });
    expect(statuses(await asked(project, provider, { calls: [full(), full()] }))).toEqual([200, 402]);
    const vain = audit().find(({ outcome }) => outcome === "refused");
    expect(vain).toMatchObject({ decision: "deny", verdict: "hold", rule: { id: "full", action: "hold" } });
    expect(vain?.seconds).toBeGreaterThanOrEqual(0.3);
  });
});

describe("a request that must not be changed", () => {
  const digest = (body: string): string => `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;
  const text = JSON.stringify(fixedCall("hi").body);

  it.each<readonly [string, AskedCall, string]>([
    [
      "signed by AWS",
      { headers: { authorization: "AWS4-HMAC-SHA256 Credential=x, Signature=y" } },
      "the request is signed",
    ],
    ["with a digest", { headers: { "content-digest": digest(text) } }, "the request carries a content-digest"],
    [
      "to a deployment of Azure",
      { path: "/openai/deployments/fixed/chat/completions?api-version=1" },
      "the model is a deployment in the address",
    ],
  ])("%s leaves byte for byte, and its span and one line on stderr say why", async (_what, call, why) => {
    policy('call.cost > $0 -> route to "cheap-model"\n');
    const end = await startAsking(project, provider, {
      calls: [
        { body: text, ...call },
        { body: text, ...call },
      ],
    }).finished;
    expect(provider.requests.map(({ body }) => body.toString())).toEqual([text, text]);
    for (const span of chats()) {
      expect(span.attributes).toMatchObject({ "budget_guard.decision": "allow", "budget_guard.unshaped": [why] });
      expect(span.events.map(({ name }) => name)).toEqual(["budget_guard.unshaped"]);
    }
    expect(chats()).toHaveLength(2);
    expect(end.stderr.split("\n").filter((line) => line.includes(why))).toHaveLength(1);
    expect(audit()[0]?.unshaped).toEqual([{ rule: 'call.cost > $0 -> route to "cheap-model"', why }]);
  });

  it("because it is compressed leaves byte for byte", async () => {
    policy(ROUTE);
    project.write(
      "zipped.mjs",
      `import { readdirSync, readFileSync, writeFileSync } from "node:fs";
       void fetch(process.argv[2] + "/v1/chat/completions", { method: "POST", body: readFileSync("body.gz"),
         headers: { "content-type": "application/json", "content-encoding": "gzip" } }).then((answer) => answer.text());`,
    );
    const zipped = gzipSync(text);
    writeFileSync(join(project.folder, "body.gz"), zipped);
    expect((await project.run({ script: "zipped.mjs", args: [provider.url] })).code).toBe(0);
    expect(provider.requests[0]?.body.equals(zipped)).toBe(true);
    expect(chats()[0]?.attributes["budget_guard.unshaped"]).toEqual(["the body is compressed"]);
  });
});

describe("a body that is too large to be collected", () => {
  it.each([
    [
      "fetch",
      'fetch(url, { method: "POST", headers, body: Readable.toWeb(Readable.from(pieces())), duplex: "half" }).then((answer) => answer.text())',
    ],
    [
      "node:http",
      `new Promise((resolve) => {
         const request = http.request(url, { method: "POST", headers }, (answer) => answer.resume().on("end", resolve));
         Readable.from(pieces()).pipe(request);
       })`,
    ],
  ])("passes through %s whole and unchanged, and its span says so", async (_client, send) => {
    policy(`${ROUTE}when feature == "large" -> route to "cheap-model"\n`);
    project.write(
      "large.mjs",
      `import http from "node:http";
       import { Readable } from "node:stream";
       const url = process.argv[2] + "/v1/chat/completions";
       const headers = { "content-type": "application/json", "x-budget-feature": "large" };
       const pieces = function* () {
         yield '{"model":"fixed-model","max_tokens":100,"messages":[{"role":"user","content":"';
         for (let count = 0; count < 144; count += 1) yield "a".repeat(65_536);
         yield '"}]}';
       };
       void ${send};`,
    );
    const end = await project.run({ script: "large.mjs", args: [provider.url] });
    expect(end.code).toBe(0);
    const [request] = provider.requests;
    expect(request?.json).toMatchObject({ model: "fixed-model", max_tokens: 100 });
    expect(request?.body.length).toBeGreaterThan(9 * 1024 * 1024);
    expect(chats()[0]?.attributes["budget_guard.unshaped"]).toEqual(["the body is too large, or does not end"]);
  });
});

describe("the key scope", () => {
  const keyed = (key: string): AskedCall => fixedCall(undefined, { headers: { authorization: `Bearer ${key}` } });

  it("counts each API key by itself, under a name that tells nothing of it", async () => {
    policy("key.calls.total > 1 -> deny\n");
    const calls = [keyed("sk-canary-one"), keyed("sk-canary-two"), keyed("sk-canary-one")];
    expect(statuses(await asked(project, provider, { calls }, { env: { BUDGET_GUARD_LOG: "debug" } }))).toEqual([
      200, 200, 402,
    ]);
    const name = `key-${createHash("sha256").update("sk-canary-one").digest("hex").slice(0, 12)}`;
    expect(audit()[2]).toMatchObject({ outcome: "refused", subject: { key: name }, figures: { scope: { key: name } } });
    expect(chats()[0]?.attributes["budget_guard.key"]).toBe(name);
    const status = await project.cli("status", "--json");
    expect(status.stdout).toContain(name);
    const ledger =
      readFileSync(join(project.folder, ".budget-guard/audit.jsonl"), "utf8") + status.stdout + sink.received();
    expect(ledger).not.toContain("canary");
  });

  it("is not computed where no rule looks at it", async () => {
    policy("tenant.calls.total > 9 -> deny\n");
    await asked(project, provider, { calls: [keyed("sk-canary-one")] });
    expect(audit()[0]?.subject).not.toHaveProperty("key");
    expect(chats()[0]?.attributes).not.toHaveProperty("budget_guard.key");
  });
});

describe("prompts, completions, keys and headers", () => {
  const words = ["system", "prompt", "tool", "query", "header", "key", "completion", "error"];
  const canary = (word: string): string => `canary-${word}-text`;

  it("are in no file, on no span and in no line on stderr, though the call was routed, refused and written down", async () => {
    policy(`${ROUTE}over: key.calls.total > 3 -> deny "{key} is used up."\nsoon: key.calls.total > 1 -> warn\n`);
    provider.behave(({ index }) =>
      index === 1 ? { error: { status: 400, message: canary("error") } } : { pieces: [canary("completion")] },
    );
    const call: AskedCall = {
      path: `/v1/chat/completions?token=${canary("query")}`,
      headers: { authorization: `Bearer ${canary("key")}`, "x-note": canary("header") },
      body: {
        model: "fixed-model",
        max_tokens: 100,
        messages: [
          { role: "system", content: canary("system") },
          { role: "user", content: canary("prompt") },
        ],
        tools: [{ type: "function", function: { name: "look", description: canary("tool"), parameters: {} } }],
      },
    };
    const end = await startAsking(
      project,
      provider,
      { calls: [call, call, call, call] },
      { env: { BUDGET_GUARD_LOG: "debug" } },
    ).finished;
    expect(end.stdout).toContain("budget_exceeded");
    expect(audit()).toHaveLength(4);
    const files = readdirSync(join(project.folder, ".budget-guard")).map((name) =>
      readFileSync(join(project.folder, ".budget-guard", name), "latin1"),
    );
    expect(files.length).toBeGreaterThanOrEqual(2);
    for (const word of words) {
      for (const where of [...files, end.stderr, sink.received()]) expect(where, word).not.toContain(canary(word));
    }
  });
});

describe("metrics", () => {
  const names = [
    "budget_guard.decisions",
    "budget_guard.cost",
    "budget_guard.cost.prevented",
    "budget_guard.check.duration",
    "budget_guard.info",
    "gen_ai.client.operation.duration",
    "gen_ai.client.operation.cost",
    "gen_ai.client.token.usage",
  ];
  const ask = `const ask = async () => {
    const body = JSON.stringify({ model: "fixed-model", max_tokens: 100, messages: [{ role: "user", content: "hi" }] });
    const headers = { "content-type": "application/json" };
    await (await fetch(process.argv[2] + "/v1/chat/completions", { method: "POST", headers, body })).text();
  };`;

  it("go to the meter provider of the application, each once", async () => {
    policy("tenant.calls.total > 1 -> deny\n");
    project.write(
      "measured.mjs",
      `import { metrics } from "@opentelemetry/api";
       import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
       import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
       ${ask}
       void (async () => {
         const reader = new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter(), exportIntervalMillis: 3600000 });
         const provider = new MeterProvider({ readers: [reader] });
         metrics.setGlobalMeterProvider(provider);
         await ask();
         await ask();
         await provider.shutdown();
       })();`,
    );
    const env = { BUDGET_GUARD_OTEL: "api", OTEL_EXPORTER_OTLP_ENDPOINT: sink.url };
    const end = await project.run({ script: "measured.mjs", args: [provider.url], env });
    expect([end.code, end.stderr]).toEqual([0, ""]);
    for (const name of names) expect(sink.received().split(`"name":"${name}"`), name).toHaveLength(2);
  });

  it("go to an SDK that the guard started, from then on, and leave before the process does", async () => {
    policy("tenant.calls.total > 2 -> deny\n");
    project.write(
      "started.mjs",
      `import { flush } from "budget-guard";
       ${ask}
       void (async () => {
         await ask();
         await flush();
         await ask();
         await ask();
       })();`,
    );
    const env = { OTEL_METRICS_EXPORTER: "otlp" };
    expect((await project.run({ script: "started.mjs", args: [provider.url], env })).code).toBe(0);
    for (const name of names) expect(sink.received(), name).toContain(`"name":"${name}"`);
  });
});

describe("the audit log of several processes", () => {
  it("has one line for each call, whole, refused ones among them", async () => {
    policy("run.calls > 3 -> deny\n");
    const runs = ["a", "b", "c"].map((run) => {
      const calls = Array.from({ length: 5 }, () => fixedCall(undefined, { identity: { run } }));
      return asked(project, provider, { calls, parallel: true }, { env: { BUDGET_GUARD_STORE: "memory:" } });
    });
    const results = (await Promise.all(runs)).map((one) => statuses(one).sort());
    expect(results).toEqual(Array.from({ length: 3 }, () => [200, 200, 200, 402, 402]));
    const found = audit();
    expect(found).toHaveLength(15);
    expect(new Set(found.map(({ attempt }) => attempt)).size).toBe(15);
    for (const run of ["a", "b", "c"]) {
      const outcomes = found.filter(({ subject }) => subject.run === run).map(({ outcome }) => outcome);
      expect(outcomes.sort()).toEqual(["refused", "refused", "success", "success", "success"]);
    }
  });
});
