import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Redis as Client } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asked, askingProject, fixedUsage, startAsking } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import { type OtlpSink, otlpSink } from "../support/otlp-sink.ts";
import { startRedis } from "../support/redis.ts";
import type { Project } from "../support/run-app.ts";

/** Planted where secrets live; each must stay where it was planted. */
const canaries = {
  system: "canary-system-prompt",
  prompt: "canary-prompt-text",
  completion: "canary-completion-text",
  error: "canary-provider-error",
  key: "canary-api-key",
  header: "canary-header-value",
  tool: "canary-tool-description",
  query: "canary-query-secret",
};

let provider: FakeProvider;
let sink: OtlpSink;
let project: Project;
beforeEach(async () => {
  sink = await otlpSink();
  provider = await fakeProvider((request) =>
    request.index % 2 === 0
      ? { usage: fixedUsage, pieces: [canaries.completion] }
      : { error: { status: 400, message: canaries.error } },
  );
  project = askingProject(provider, {
    policy: "tenant.total > $0.02 -> deny\ntenant.total > $0.01 -> warn\ncall.output_tokens > 90 -> cap 100 tokens\n",
    env: {
      BUDGET_GUARD_LOG: "debug",
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    },
  });
});
afterEach(async () => {
  await Promise.all([provider.close(), sink.close()]);
  project.remove();
});

const call = (stream: boolean) => ({
  path: `/v1/chat/completions?token=${canaries.query}`,
  headers: { authorization: `Bearer ${canaries.key}`, "x-api-key": canaries.key, "x-note": canaries.header },
  body: {
    model: "fixed-model",
    max_tokens: 100,
    stream,
    messages: [
      { role: "system", content: canaries.system },
      { role: "user", content: canaries.prompt },
    ],
    tools: [{ type: "function", function: { name: "look", description: canaries.tool, parameters: {} } }],
  },
});
/** Allowed, failed by the provider, allowed, failed, refused. */
const calls = [call(false), call(false), call(true), call(true), call(false), call(false)];

function expectClean(where: string, text: string): void {
  for (const canary of Object.values(canaries)) expect(text.includes(canary), `${canary} in ${where}`).toBe(false);
}

/** Every file the guard made in the project, as text. */
function written(folder: string, seen: string[] = []): string[] {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === "node_modules" || entry.isSymbolicLink()) continue;
    if (entry.isDirectory()) written(join(folder, entry.name), seen);
    else seen.push(readFileSync(join(folder, entry.name), "latin1"));
  }
  return seen;
}

describe("prompts, completions, keys and headers", () => {
  it("are neither on disk, nor on stderr at debug, nor on a span", async () => {
    const end = await startAsking(project, provider, { calls }).finished;
    expect(end.stdout).toContain("budget_exceeded");
    expect(end.stdout).toContain(canaries.completion);
    expect(end.stderr.length).toBeGreaterThan(200);
    expectClean("stderr", end.stderr);
    const files = written(project.folder);
    // The app, its settings, its policy, and at least the ledger.
    expect(files.length).toBeGreaterThanOrEqual(5);
    expectClean("a file", files.join("\n"));
    expect(sink.spans().length).toBeGreaterThanOrEqual(5);
    expectClean("a span", JSON.stringify(sink.spans()));
    for (const verb of [["status", "--json"], ["status"]]) expectClean("status", (await project.cli(...verb)).stdout);
  });

  it("are not in Redis", async () => {
    const redis = await startRedis();
    await asked(project, provider, { calls }, { env: { BUDGET_GUARD_STORE: redis.url } });
    const client = new Client(redis.url);
    const keys = await client.keys("*");
    expect(keys.length).toBeGreaterThan(0);
    // DUMP may compress long values; a canary is short enough to stay readable, and the type's own read proves it.
    for (const key of keys) {
      const kind = await client.type(key);
      const value =
        kind === "hash"
          ? JSON.stringify(await client.hgetall(key))
          : kind === "zset"
            ? (await client.zrange(key, "0", "-1")).join("\n")
            : ((await client.get(key)) ?? "");
      expectClean("Redis", `${key}\n${value}`);
    }
    await client.quit();
    await redis.stop();
  });

  it("include the store's password, also where the store cannot be reached", async () => {
    const env = { BUDGET_GUARD_STORE: `redis://canary-user:${canaries.key}@127.0.0.1:1/0` };
    const end = await startAsking(project, provider, { calls: calls.slice(0, 1) }, { env }).finished;
    expect(end.stderr).toContain("127.0.0.1:1");
    expectClean("stderr", end.stderr);
    expectClean("a span", sink.received());
    const status = await project.start({
      flags: [],
      script: "node_modules/budget-guard/dist/cli/main.js",
      args: ["status"],
      env,
    }).finished;
    expect(status.code).toBe(3);
    expect(status.stderr).toContain("127.0.0.1:1");
    expectClean("status", status.stdout + status.stderr);
  });
});
