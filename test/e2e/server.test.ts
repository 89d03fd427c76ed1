import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { askingProject, fixedUsage, meterOf, status } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import type { Project } from "../support/run-app.ts";

let provider: FakeProvider;
let project: Project;

/** A server that asks a provider for each request it serves, then ends. It knows nothing of budgets. */
const server = (url: string) => `
  import { createServer } from "node:http";
  const server = createServer(async (request, response) => {
    await new Promise((resolve) => setImmediate(resolve));
    const answer = await fetch("${url}/v1/chat/completions", { method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "fixed-model", max_tokens: 100, messages: [{ role: "user", content: request.url }] }) });
    response.writeHead(answer.status).end(await answer.text());
  });
  server.listen(0, "127.0.0.1", () => console.log("port " + server.address().port + "."));
  process.stdin.once("data", () => { server.close(); server.closeAllConnections(); process.stdin.destroy(); });`;

beforeEach(async () => {
  provider = await fakeProvider({ usage: fixedUsage });
  project = askingProject(provider, {
    policy: "tenant.calls.total > 2 -> deny\n",
    config: { identity: { incoming: { tenant: "X-Tenant-Id" } } },
    files: { "app.mjs": server(provider.url) },
    env: { BUDGET_GUARD_TENANT: "" },
  });
});
afterEach(async () => {
  await provider.close();
  project.remove();
});

describe("a server behind a gateway that names the tenant", () => {
  it("has a budget for each tenant without a line of code, also when requests cross", async () => {
    const running = project.start();
    await running.printed(".");
    const port = /port (\d+)/.exec(running.stdout())?.[1];
    const ask = async (tenant: string, index: number): Promise<string> => {
      const response = await fetch(`http://127.0.0.1:${port}/${tenant}${index}`, {
        headers: { "x-tenant-id": tenant },
      });
      await response.text();
      return `${tenant} ${response.status}`;
    };
    const seen = await Promise.all([1, 2, 3, 4].flatMap((index) => [ask("acme", index), ask("globex", index)]));
    running.tell("end");
    const end = await running.finished;
    expect(end.code, end.stderr).toBe(0);
    expect(seen.sort()).toEqual([
      ...["acme 200", "acme 200", "acme 402", "acme 402"],
      ...["globex 200", "globex 200", "globex 402", "globex 402"],
    ]);
    const found = await status(project);
    for (const tenant of ["acme", "globex"]) expect(meterOf(found, "tenant.calls.total", { tenant }).spent).toBe(2);
  });

  it("gives each request it serves a run of its own where nobody names one", async () => {
    project.write("policies/test.budget", "run.calls > 1 -> deny\n");
    const running = project.start();
    await running.printed(".");
    const port = /port (\d+)/.exec(running.stdout())?.[1];
    for (const path of ["a", "b"]) {
      expect((await fetch(`http://127.0.0.1:${port}/${path}`)).status).toBe(200);
    }
    running.tell("end");
    expect((await running.finished).code).toBe(0);
  });
});
