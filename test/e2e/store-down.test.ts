import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  askingProject,
  count,
  eventually,
  fixedUsage,
  meterOf,
  replies,
  sharesFiles,
  startAsking,
  status,
  statuses,
  times,
} from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import type { Project } from "../support/run-app.ts";

let provider: FakeProvider;
let redis: RedisServer;
let project: Project;

beforeEach(async () => {
  [provider, redis] = await Promise.all([fakeProvider({ usage: fixedUsage }), startRedis()]);
});
afterEach(async () => {
  await Promise.all([provider.close(), redis.stop()]);
  project.remove();
});

/** Runs the calls against a Redis that is gone. */
async function withoutRedis(policy: string, calls: number) {
  project = askingProject(provider, { policy, env: { BUDGET_GUARD_STORE: redis.url } });
  const running = startAsking(project, provider, { calls: times(calls), wait: true, linger: true });
  await running.printed("ready");
  await redis.stop();
  running.tell("go");
  await running.printed("[");
  running.process.stdin?.end();
  const end = await running.finished;
  return { end, results: replies(end) };
}

describe("a Redis that is away", () => {
  it("refuses where the policy says deny, and says why", async () => {
    const { results } = await withoutRedis("tenant.total > $1 -> deny\nstore.down -> deny\n", 3);
    expect(statuses(results)).toEqual([402, 402, 402]);
    expect(results[0]?.text).toContain("store.down -> deny");
    expect(provider.requests).toHaveLength(0);
  });

  it("lets go where the policy says allow, and says so once", async () => {
    const { results, end } = await withoutRedis("tenant.total > $0.01 -> deny\nstore.down -> allow\n", 6);
    expect(count(results, 200)).toBe(6);
    expect(end.stderr.match(/budget-guard: .*cannot be used/g)).toHaveLength(1);
  });

  it("counts on its own by default, with a share of each limit", async () => {
    // 5 % of $1 is $0.05: four calls of $0.0125.
    const { results } = await withoutRedis("tenant.total > $1 -> deny\n", 8);
    expect([count(results, 200), count(results, 402)]).toEqual([4, 4]);
  });

  it("is brought up to date when it is back: nothing that was spent meanwhile is lost", async () => {
    project = askingProject(provider, {
      policy: "tenant.total > $1 -> deny\n",
      env: { BUDGET_GUARD_STORE: redis.url },
    });
    const running = startAsking(project, provider, { calls: times(3), wait: true, linger: true });
    await running.printed("ready");
    await redis.stop();
    running.tell("go");
    await running.printed("[");
    redis = await startRedis(redis.port);
    const found = await eventually(
      async () => meterOf(await status(project), "tenant.cost.total"),
      ({ spent }) => spent > 0,
    );
    expect(found).toEqual({ spent: 0.0375, held: 0 });
    running.process.stdin?.end();
    expect(statuses(replies(await running.finished))).toEqual([200, 200, 200]);
  });
});

describe.runIf(!sharesFiles)("a second process on the journal of Node 20", () => {
  it("is told so once, with the ways out, and the policy's store.down decides", async () => {
    project = askingProject(provider, { policy: "tenant.total > $1 -> deny\nstore.down -> deny\n" });
    const first = startAsking(project, provider, { calls: times(1), linger: true });
    await first.printed("[");
    const second = await startAsking(project, provider, { calls: times(2) }).finished;
    expect(statuses(replies(second))).toEqual([402, 402]);
    expect(second.stderr).toMatch(/22\.13/);
    expect(second.stderr).toMatch(/Redis/i);
    first.process.stdin?.end();
    expect(statuses(replies(await first.finished))).toEqual([200]);
    expect(statuses(replies(await startAsking(project, provider, { calls: times(1) }).finished))).toEqual([200]);
  });
});
