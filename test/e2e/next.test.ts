import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { askingProject, eventually, fixedUsage, meterOf, status } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { installed, installedFolder } from "../support/installed.ts";
import type { Project, Running } from "../support/run-app.ts";
import { CALLS_EACH, nextApp } from "./next-app.ts";

interface Line {
  readonly subject: { readonly tenant: string; readonly run: string };
}

const next = `${installed("next")}/dist/bin/next`;
const ROOM = `tenant.calls.total > 1000 -> deny\nrun.calls > ${CALLS_EACH} -> deny\n`;
const GUARDED = { NODE_OPTIONS: "--require budget-guard/register" };

let provider: FakeProvider;
let project: Project;
let front: Gateway;
let running: Running | null = null;

beforeAll(async () => {
  provider = await fakeProvider({ usage: fixedUsage });
  project = askingProject(provider, {
    under: installedFolder,
    policy: ROOM,
    config: { identity: { incoming: { tenant: "x-tenant-id" } }, audit: { file: "audit.jsonl" } },
    files: nextApp,
    env: { BUDGET_GUARD_TENANT: "", PROVIDER: provider.url, NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production" },
  });
  // Its processes load the guard, too, and call nobody.
  const built = await project.run({ flags: [], script: next, args: ["build"], env: GUARDED });
  if (built.code !== 0) throw new Error(`next build ended with ${built.code}:\n${built.stdout}\n${built.stderr}`);
}, 240_000);
afterAll(async () => {
  await provider.close();
  project.remove();
});
beforeEach(() => {
  provider.forget();
  front = gateway();
  project.write("policies/test.budget", ROOM);
  project.write("audit.jsonl", "");
});
afterEach(async () => {
  front.close();
  running?.process.kill("SIGTERM");
  await running?.finished;
  running = null;
});

async function serve(): Promise<number> {
  const args = ["start", "--hostname", "127.0.0.1", "--port", "0"];
  running = project.start({ flags: [], script: next, args, env: GUARDED });
  await running.printed("Ready in");
  return Number(/127\.0\.0\.1:(\d+)/.exec(running.stdout())?.[1]);
}

/** What was decided, as the audit has it, once it holds that many calls. */
async function audited(calls: number): Promise<readonly Line[]> {
  const lines = () => project.read("audit.jsonl").split("\n").filter(Boolean);
  const found = await eventually(
    async () => lines(),
    ({ length }) => length >= calls,
  );
  return found.map((line) => JSON.parse(line) as Line);
}

describe("a server of Next behind a gateway that names the tenant", () => {
  it("is charged by tenant, and has a run for each request, when many cross on few connections", async () => {
    const port = await serve();
    const tenants = Array.from({ length: 16 }, (_, index) => `tenant-${index}`);
    const answers: string[] = [];
    // A route of the app router, then one of the pages router, on connections that served others before.
    for (const path of ["/ask", "/api/ask"]) {
      answers.push(...(await Promise.all(tenants.map((tenant) => front.ask(port, tenant, path)))));
    }
    expect(answers).toEqual([...tenants, ...tenants].map((tenant) => `${tenant} 200 200 200 200 200`));
    const lines = await audited(tenants.length * 2 * CALLS_EACH);
    const found = await status(project);
    for (const tenant of tenants) {
      expect(meterOf(found, "tenant.calls.total", { tenant })).toEqual({ spent: 2 * CALLS_EACH, held: 0 });
      const runs = lines.filter(({ subject }) => subject.tenant === tenant).map(({ subject }) => subject.run);
      expect([runs.length, new Set(runs).size]).toEqual([2 * CALLS_EACH, 2]);
    }
    expect(provider.requests).toHaveLength(lines.length);
  });

  it("lets no request inherit the tenant of the one before it on its connection", async () => {
    const port = await serve();
    for (const tenant of ["one", null, "two", null]) await front.ask(port, tenant);
    const found = await status(project);
    const calls = ["one", "two", "(none)"].map((tenant) => meterOf(found, "tenant.calls.total", { tenant }).spent);
    expect(calls).toEqual([CALLS_EACH, CALLS_EACH, 2 * CALLS_EACH]);
  });

  it.each(["/ask", "/api/ask"])("has the rest of %s refused where one request calls too often", async (path) => {
    project.write("policies/test.budget", "run.calls > 2 -> deny\n");
    const port = await serve();
    expect(await Promise.all(["a", "b"].map((tenant) => front.ask(port, tenant, path)))).toEqual([
      "a 200 200 402 402 402",
      "b 200 200 402 402 402",
    ]);
    expect(provider.requests).toHaveLength(4);
  });

  it("is charged for what its data cache asked for, not for what it holds", async () => {
    const port = await serve();
    expect(await front.ask(port, "keen", "/cached")).toBe("200 200");
    expect(provider.requests).toHaveLength(1);
    expect(meterOf(await status(project), "tenant.calls.total", { tenant: "keen" }).spent).toBe(1);
  });

  it("is charged by tenant for what it does after its answer", async () => {
    const port = await serve();
    expect(await front.ask(port, "late", "/later")).toBe("soon");
    const [line] = await audited(1);
    expect(line?.subject).toMatchObject({ tenant: "late", run: expect.stringMatching(/^request-/) });
  });
});
