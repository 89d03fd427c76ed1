import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  asked,
  askingProject,
  clearOfTheHour,
  count,
  eventually,
  fixedUsage,
  meterOf,
  sharesFiles,
  startAsking,
  status,
  times,
} from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import type { Project } from "../support/run-app.ts";

let provider: FakeProvider;
let project: Project;

beforeEach(async () => {
  await clearOfTheHour(30);
  provider = await fakeProvider((request) => (request.index < 2 ? { usage: fixedUsage } : { hang: "head" }));
  project = askingProject(provider, {
    policy: "tenant.hourly > $0.10 -> deny\n",
    config: { store: { hold: "2s" } },
  });
});
afterEach(async () => {
  await provider.close();
  project.remove();
});

describe("kill -9 of a worker in the middle of its calls", () => {
  it("loses no spend, and its holds free themselves without an operator", async () => {
    // Two calls are over, their $0.025 settled; then one stays in flight when the process dies.
    const worker = startAsking(project, provider, { calls: times(3) });
    await provider.arrived(3);
    if (sharesFiles) {
      const before = await eventually(
        async () => meterOf(await status(project), "tenant.cost.hourly"),
        ({ spent }) => spent > 0,
      );
      expect(before).toEqual({ spent: 0.025, held: 0.0125 });
    }
    worker.process.kill("SIGKILL");
    expect((await worker.finished).signal).toBe("SIGKILL");

    const after = await eventually(
      async () => meterOf(await status(project), "tenant.cost.hourly"),
      ({ held }) => held === 0,
    );
    // What was surely spent of the lost call may be charged; what was settled may not be lost.
    expect(after.spent).toBeGreaterThanOrEqual(0.025);
    expect(after.spent).toBeLessThanOrEqual(0.0375);

    provider.behave({ usage: fixedUsage });
    const results = await asked(project, provider, { calls: times(8) });
    expect(count(results, 200)).toBe(Math.floor((0.1 - after.spent) / 0.0125 + 1e-9));
  });

  it.runIf(sharesFiles)("frees a budget that the dead worker held whole", async () => {
    provider.behave({ hang: "head" });
    const worker = startAsking(project, provider, { calls: times(8), parallel: true });
    await provider.arrived(8);
    provider.behave({ usage: fixedUsage });
    expect(count(await asked(project, provider, { calls: times(2) }), 402)).toBe(2);
    worker.process.kill("SIGKILL");
    await worker.finished;
    await eventually(
      () => asked(project, provider, { calls: times(1) }),
      (results) => count(results, 200) === 1,
    );
  });
});
