import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asked, askingProject, count, fixedCall, fixedUsage, status, statuses, times } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import type { Project } from "../support/run-app.ts";

let provider: FakeProvider;
let project: Project;
const policy = (text: string): void => project.write("policies/test.budget", text);
const of = (tenant: string) => fixedCall(undefined, { identity: { tenant } });

beforeEach(async () => {
  provider = await fakeProvider({ usage: fixedUsage });
  project = askingProject(provider, { policy: "global.total > $100 -> deny\n" });
});
afterEach(async () => {
  await provider.close();
  project.remove();
});

describe("deny for", () => {
  it("closes the scope it fired on, for other rules' calls and other processes too", async () => {
    policy("burst: tenant.concurrency > 2 -> deny for 10m\n");
    let release = (): void => {};
    const open = new Promise<void>((resolve) => {
      release = resolve;
    });
    provider.behave({ usage: fixedUsage, beforeHead: () => open });
    const burst = asked(project, provider, { calls: times(3), parallel: true });
    await provider.arrived(2);
    release();
    expect(statuses(await burst).sort()).toEqual([200, 200, 402]);

    // Nothing is in flight any more, yet the breaker stays open for ten minutes.
    const [acme, globex] = await asked(project, provider, { calls: [of("acme"), of("globex")] });
    expect([acme?.status, globex?.status]).toEqual([402, 200]);
    expect(acme?.text).toContain("burst");
    const { closed } = await status(project);
    expect(closed).toMatchObject([{ rule: "burst", scope: { tenant: "acme" }, kind: "tripped" }]);
    const lasts = Date.parse(closed[0]?.until ?? "") - Date.parse(closed[0]?.since ?? "");
    expect(lasts).toBe(600_000);
  });
});

describe("pause and resume", () => {
  it("stops a tenant by hand until someone resumes it", async () => {
    const paused = await project.cli("pause", "tenant=acme");
    expect(paused.code, paused.stderr).toBe(0);
    expect(statuses(await asked(project, provider, { calls: [of("acme"), of("globex")] }))).toEqual([402, 200]);
    expect((await status(project)).closed).toMatchObject([{ rule: null, kind: "paused", until: null }]);
    expect((await project.cli("resume", "tenant=acme")).code).toBe(0);
    expect(statuses(await asked(project, provider, { calls: [of("acme")] }))).toEqual([200]);
    expect((await project.cli("resume", "tenant=acme")).code).toBe(1);
  });

  it("stops everything by hand", async () => {
    expect((await project.cli("pause", "global")).code).toBe(0);
    expect(count(await asked(project, provider, { calls: [of("acme"), of("globex")] }), 402)).toBe(2);
  });

  it("closes by rule until someone resumes it, and tells the caller how", async () => {
    policy("storm: tenant.concurrency > 1 -> pause\n");
    let release = (): void => {};
    const open = new Promise<void>((resolve) => {
      release = resolve;
    });
    provider.behave({ usage: fixedUsage, beforeHead: () => open });
    const burst = asked(project, provider, { calls: times(2), parallel: true });
    await provider.arrived(1);
    release();
    expect(statuses(await burst).sort()).toEqual([200, 402]);
    const [refused] = await asked(project, provider, { calls: times(1) });
    expect(refused?.status).toBe(402);
    expect(refused?.text).toContain("budget-guard resume tenant=acme");
    const { error } = JSON.parse(refused?.text ?? "");
    expect(error.budget_guard).toMatchObject({ rule: "storm", scope: { tenant: "acme" }, resets_at: null });
    expect((await status(project)).closed).toMatchObject([
      { rule: "storm", scope: { tenant: "acme" }, kind: "paused", until: null },
    ]);
    expect((await project.cli("resume", "tenant=acme")).code).toBe(0);
    expect(statuses(await asked(project, provider, { calls: times(1) }))).toEqual([200]);
  });
});
