import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asked, askingProject, fixedUsage, meterOf, startAsking, status, statuses, times } from "./support/asking.ts";
import { type FakeProvider, fakeProvider } from "./support/fake-provider.ts";
import { freePort, type RedisServer, startRedis } from "./support/redis.ts";
import type { Project } from "./support/run-app.ts";

let provider: FakeProvider;
let redis: RedisServer | null = null;
let project: Project;

beforeEach(async () => {
  provider = await fakeProvider({ usage: fixedUsage });
});
afterEach(async () => {
  await provider.close();
  await redis?.stop();
  redis = null;
  project.remove();
});

describe("a process that ends while its ledger is away", () => {
  it("delivers its bills if the ledger is back by then", async () => {
    const port = await freePort();
    // The last answer comes only when the ledger is there again, just before the process has nothing more to do.
    provider.behave((request) => ({
      usage: fixedUsage,
      beforeHead: async () => {
        if (request.index === 1) redis = await startRedis(port);
      },
    }));
    project = askingProject(provider, {
      policy: "tenant.total > $1 -> deny\n",
      env: { BUDGET_GUARD_STORE: `redis://127.0.0.1:${port}` },
    });
    expect(statuses(await asked(project, provider, { calls: times(2) }))).toEqual([200, 200]);
    expect(meterOf(await status(project), "tenant.cost.total")).toEqual({ spent: 0.025, held: 0 });
  });

  it("says what could not be delivered, and ends all the same", async () => {
    const env = { BUDGET_GUARD_STORE: `redis://127.0.0.1:${await freePort()}` };
    project = askingProject(provider, { policy: "tenant.total > $1 -> deny\n", env });
    const end = await startAsking(project, provider, { calls: times(2) }).finished;
    expect(end.code).toBe(0);
    expect(end.stderr).toContain("the bills of 2 calls could not be delivered to the ledger");
  });
});
