import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { askingProject, fixedUsage, meterOf, status } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import type { Project, Running } from "../support/run-app.ts";

const frameworks = ["http", "express", "fastify", "koa", "hono"] as const;
/** Calls that each incoming request makes: after an await, in a timer, at the end of a stream, over a shared agent. */
const CALLS = 4;

interface Line {
  readonly subject: { readonly tenant: string; readonly run: string };
}

let provider: FakeProvider;
let project: Project;
let front: Gateway;

beforeEach(async () => {
  provider = await fakeProvider({ usage: fixedUsage });
  front = gateway();
  project = askingProject(provider, {
    policy: `tenant.calls.total > 1000 -> deny\nrun.calls > ${CALLS} -> deny\n`,
    config: { identity: { incoming: { tenant: "x-tenant-id" } }, audit: { file: "audit.jsonl" } },
    files: { "server.mjs": readFileSync(new URL("frameworks-app.mjs", import.meta.url), "utf8") },
    env: { BUDGET_GUARD_TENANT: "" },
  });
});
afterEach(async () => {
  front.close();
  await provider.close();
  project.remove();
});

async function serve(framework: string): Promise<{ readonly running: Running; readonly port: number }> {
  const running = project.start({ script: "server.mjs", args: [framework, provider.url] });
  await running.printed(".");
  return { running, port: Number(/port (\d+)/.exec(running.stdout())?.[1]) };
}

async function end({ running }: { readonly running: Running }): Promise<readonly Line[]> {
  running.tell("end");
  const { code, stderr } = await running.finished;
  expect(code, stderr).toBe(0);
  const lines = project.read("audit.jsonl").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Line);
}

describe.each(frameworks)("a server of %s behind a gateway that names the tenant", (framework) => {
  it("is charged by tenant, and has a run for each request, when many cross on few connections", async () => {
    const serving = await serve(framework);
    const tenants = Array.from({ length: 24 }, (_, index) => `tenant-${index}`);
    const answers = await Promise.all(tenants.map((tenant) => front.ask(serving.port, tenant)));
    // Again, on connections that served others before.
    answers.push(...(await Promise.all(tenants.map((tenant) => front.ask(serving.port, tenant)))));
    expect(answers).toEqual([...tenants, ...tenants].map((tenant) => `${tenant} 200 200 200 200`));
    const lines = await end(serving);

    const found = await status(project);
    for (const tenant of tenants) {
      expect(meterOf(found, "tenant.calls.total", { tenant })).toEqual({ spent: 2 * CALLS, held: 0 });
      const runs = lines.filter(({ subject }) => subject.tenant === tenant).map(({ subject }) => subject.run);
      expect([runs.length, new Set(runs).size]).toEqual([2 * CALLS, 2]);
      expect(runs.every((run) => run.startsWith("request-"))).toBe(true);
    }
    expect(lines).toHaveLength(tenants.length * 2 * CALLS);
    expect(new Set(lines.map(({ subject }) => subject.run)).size).toBe(tenants.length * 2);
  });

  it("lets no request inherit the tenant of the one before it on its connection", async () => {
    const serving = await serve(framework);
    for (const tenant of ["acme", null, "globex", null]) await front.ask(serving.port, tenant);
    await end(serving);
    const found = await status(project);
    const calls = ["acme", "globex", "(none)"].map((tenant) => meterOf(found, "tenant.calls.total", { tenant }).spent);
    expect(calls).toEqual([CALLS, CALLS, 2 * CALLS]);
  });
});

describe("identity of the incoming request", () => {
  it("ends with a refusal where one request makes more calls than a run may", async () => {
    project.write("policies/test.budget", "run.calls > 2 -> deny\n");
    const serving = await serve("express");
    expect(await Promise.all(["a", "b"].map((tenant) => front.ask(serving.port, tenant)))).toEqual([
      "a 200 200 402 402",
      "b 200 200 402 402",
    ]);
    await end(serving);
  });
});
