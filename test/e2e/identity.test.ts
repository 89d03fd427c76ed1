import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  asked,
  askingProject,
  count,
  fixedCall,
  fixedUsage,
  meterOf,
  status,
  statuses,
  times,
} from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import type { Project } from "../support/run-app.ts";

let provider: FakeProvider;
let project: Project;

beforeEach(async () => {
  provider = await fakeProvider({ usage: fixedUsage });
  project = askingProject(provider, {
    policy: "dimension plan\ntenant.feature.calls.total > 2 -> deny\nplan.calls.total > 100 -> deny\n",
    env: { BUDGET_GUARD_TENANT: "", BUDGET_GUARD_DIMENSIONS: "plan=free" },
  });
});
afterEach(async () => {
  await provider.close();
  project.remove();
});

describe("whose call it is", () => {
  it("comes from withBudget, whose inner calls inherit and refine", async () => {
    const identity = [{ tenant: "acme", feature: "chat", plan: "pro" }, { feature: "research" }];
    await asked(project, provider, { calls: times(2, () => fixedCall(undefined, { identity })), parallel: true });
    const found = await status(project);
    expect(meterOf(found, "tenant.feature.calls.total", { tenant: "acme", feature: "research" }).spent).toBe(2);
    expect(meterOf(found, "plan.calls.total", { plan: "pro" }).spent).toBe(2);
  });

  it("comes from x-budget headers, which do not leave the process", async () => {
    const headers = { "X-Budget-Tenant": "globex", "x-budget-feature": "chat", "x-kept": "yes" };
    const results = await asked(project, provider, { calls: times(3, () => fixedCall(undefined, { headers })) });
    expect(statuses(results)).toEqual([200, 200, 402]);
    expect(results[2]?.text).toContain("globex");
    for (const request of provider.requests) {
      expect(request.headers["x-kept"]).toBe("yes");
      expect(request.rawHeaders.join(" ").toLowerCase()).not.toContain("x-budget");
    }
  });

  it("comes from the environment where the call names none, and withBudget comes before headers", async () => {
    const env = { BUDGET_GUARD_TENANT: "initech", BUDGET_GUARD_FEATURE: "nightly" };
    const outspoken = fixedCall(undefined, {
      headers: { "x-budget-tenant": "from-header" },
      identity: { tenant: "from-code" },
    });
    await asked(project, provider, { calls: [fixedCall(), outspoken] }, { env });
    const found = await status(project);
    expect(meterOf(found, "tenant.feature.calls.total", { tenant: "initech", feature: "nightly" }).spent).toBe(1);
    expect(meterOf(found, "tenant.feature.calls.total", { tenant: "from-code", feature: "nightly" }).spent).toBe(1);
    expect(meterOf(found, "plan.calls.total", { plan: "free" }).spent).toBe(2);
  });

  it("is (none) where nobody says, and that counts too", async () => {
    expect(count(await asked(project, provider, { calls: times(4) }), 402)).toBe(2);
    const scope = { tenant: "(none)", feature: "(none)" };
    expect(meterOf(await status(project), "tenant.feature.calls.total", scope).spent).toBe(2);
  });

  it("never gives a call a fresh budget for a strange value", async () => {
    const tenant = `acme|x=1,y=2 % ${"long".repeat(100)}`;
    const calls = times(3, () => fixedCall(undefined, { identity: { tenant } }));
    expect(statuses(await asked(project, provider, { calls }))).toEqual([200, 200, 402]);
    expect(statuses(await asked(project, provider, { calls: calls.slice(0, 1) }))).toEqual([402]);
  });
});
