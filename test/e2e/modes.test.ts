import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asked, askingProject, fixedUsage, meterOf, startAsking, status, statuses, times } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import type { Project } from "../support/run-app.ts";

let provider: FakeProvider;
let project: Project;

beforeEach(async () => {
  provider = await fakeProvider({ usage: fixedUsage });
  project = askingProject(provider, { policy: "tenant.total > $0.02 -> deny\n" });
});
afterEach(async () => {
  await provider.close();
  project.remove();
});

describe("modes", () => {
  it("throws a BudgetExceededError with its figures under BUDGET_GUARD_REFUSAL=throw", async () => {
    project.write(
      "app.mjs",
      `import { BudgetExceededError } from "budget-guard";
      const ask = () => fetch("${provider.url}/v1/chat/completions", { method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: "fixed-model", max_tokens: 100, messages: [{ role: "user", content: "hi" }] }) });
      await (await ask()).text();
      try {
        await ask();
      } catch (error) {
        const ours = error instanceof BudgetExceededError ? error : error.cause;
        console.log(JSON.stringify({ is: ours instanceof BudgetExceededError, code: ours.code, status: ours.status,
          message: ours.message, detail: ours.detail }));
      }`,
    );
    const end = await project.run({ env: { BUDGET_GUARD_REFUSAL: "throw" } });
    expect(end.code, end.stderr).toBe(0);
    expect(end.json()).toMatchObject({
      is: true,
      code: "BUDGET_EXCEEDED",
      status: 402,
      message: expect.stringContaining('tenant "acme" would reach $0.0'),
      detail: { rule: "tenant.total > $0.02 -> deny", spent: 0.0125, limit: 0.02, unit: "USD", resets_at: null },
    });
    expect(provider.requests).toHaveLength(1);
  });

  it("refuses nothing in shadow mode, and counts everything", async () => {
    const env = { BUDGET_GUARD_MODE: "shadow" };
    expect(statuses(await asked(project, provider, { calls: times(4) }, { env }))).toEqual([200, 200, 200, 200]);
    expect(meterOf(await status(project), "tenant.cost.total").spent).toBe(0.05);
  });

  it("is not there at all when off", async () => {
    const env = { BUDGET_GUARD_MODE: "off" };
    expect(statuses(await asked(project, provider, { calls: times(4) }, { env }))).toEqual([200, 200, 200, 200]);
    expect(existsSync(join(project.folder, ".budget-guard"))).toBe(false);
  });

  it("counts, refuses nothing and says so once where there is no policy", async () => {
    const bare = askingProject(provider);
    const end = await startAsking(bare, provider, { calls: times(2) }).finished;
    expect(statuses(end.json())).toEqual([200, 200]);
    expect(end.stderr.match(/budget-guard: .*policy/g), end.stderr).toHaveLength(1);
    expect(meterOf(await status(bare), "tenant.cost.daily").spent).toBe(0.025);
    bare.remove();
  });

  it("lets a shadow rule report without refusing, while the other rules stand", async () => {
    project.write("policies/test.budget", "shadow tenant.total > $0.01 -> deny\ntenant.total > $0.03 -> deny\n");
    expect(statuses(await asked(project, provider, { calls: times(4) }))).toEqual([200, 200, 402, 402]);
  });

  it("warns on stderr without refusing", async () => {
    project.write("policies/test.budget", 'tenant.total > $0.02 -> warn "Someone looks at this."\n');
    const end = await startAsking(project, provider, { calls: times(3) }).finished;
    expect(statuses(end.json())).toEqual([200, 200, 200]);
    expect(end.stderr).toContain("Someone looks at this.");
  });
});
