import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { clearOfTheHour, fixedUsage, meterOf, sharesFiles, status } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import { type Lines, linesProject, startLines } from "../support/lines.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import type { Project } from "../support/run-app.ts";

const policy = `limit quota by tenant from store else $0.05
tenant.hourly > quota -> deny
`;

let provider: FakeProvider;
let project: Project;
const running: Lines[] = [];

beforeEach(async () => {
  await clearOfTheHour();
  provider = await fakeProvider({ usage: fixedUsage });
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.end()));
  await provider.close();
  project.remove();
});

async function started(): Promise<Lines> {
  const one = await startLines(project, provider);
  running.push(one);
  return one;
}

/** How many calls go until one is refused, and what that one is told. */
async function spend(one: Lines, headers = {}): Promise<readonly [number, string]> {
  for (let calls = 0; ; calls++) {
    const { status, message } = await one.ask(headers);
    if (status === 402) return [calls, message];
  }
}

async function raisedLive(store: Readonly<Record<string, string>>): Promise<void> {
  project = linesProject(provider, { policy, env: store });
  const one = await started();
  const [before, message] = await spend(one);
  expect(before).toBe(4);
  expect(message).toMatch(/would reach \$0\.0625\d* of \$0\.05\d*/);

  // No shell stands between: what is written here arrives.
  const { code, stdout } = await project.cli("limit", "set", "tenant=acme", "quota=$0.10");
  expect([code, stdout]).toEqual([0, "Set quota of tenant=acme: $0.10, was $0.05 by the policy.\n"]);
  const [more, told] = await spend(one);
  expect(more).toBe(4);
  expect(told).toMatch(/of \$0\.10/);
  expect((await spend(one, { "x-budget-tenant": "globex" }))[0]).toBe(4);

  const found = await status(project);
  expect(found.meters.find(({ scope }) => scope.tenant === "acme")).toMatchObject({ spent: 0.1, limit: 0.1 });
  expect(found.meters.find(({ scope }) => scope.tenant === "globex")).toMatchObject({ spent: 0.05, limit: 0.05 });

  await project.cli("limit", "unset", "tenant=acme", "quota");
  expect((await spend(one))[1]).toMatch(/would reach \$0\.11\d* of \$0\.05/);
  expect(meterOf(await status(project), "tenant.cost.hourly").spent).toBe(0.1);
}

describe("a limit that the store keeps", () => {
  it.runIf(sharesFiles)("is raised for a running process from its next call on, in a file", () => raisedLive({}));

  describe("in Redis", () => {
    let redis: RedisServer;
    beforeEach(async () => {
      redis = await startRedis();
    });
    afterEach(async () => {
      await redis.stop();
    });

    it("is raised for a running process from its next call on", () => raisedLive({ BUDGET_GUARD_STORE: redis.url }));

    it("lets a call that waits go on when it is raised", async () => {
      project = linesProject(provider, {
        policy: policy.replace("deny", "hold 20s"),
        env: { BUDGET_GUARD_STORE: redis.url },
      });
      const one = await started();
      for (let calls = 0; calls < 4; calls++) await one.ask();
      const waiting = one.ask();
      await project.cli("limit", "set", "tenant=acme", "quota=$0.10");
      const raised = performance.now();
      expect((await waiting).status).toBe(200);
      expect(performance.now() - raised).toBeLessThan(2_500);
    });
  });
});
