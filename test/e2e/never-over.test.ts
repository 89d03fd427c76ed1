import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  asked,
  askingProject,
  CALL,
  clearOfTheHour,
  count,
  eventually,
  fixedCall,
  fixedUsage,
  meterOf,
  type Reply,
  replies,
  sharesFiles,
  startAsking,
  status,
  times,
} from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import type { Project, ProjectWishes } from "../support/run-app.ts";

const policy = "tenant.hourly > $0.10 -> deny\n";
let provider: FakeProvider;
let project: Project;

const create = (wishes: ProjectWishes = {}): Project => {
  project = askingProject(provider, { policy, ...wishes });
  return project;
};

beforeEach(async () => {
  await clearOfTheHour();
  provider = await fakeProvider({ usage: fixedUsage });
});
afterEach(async () => {
  await provider.close();
  project.remove();
});

function expectRefusal(reply: Reply | undefined): void {
  expect(reply?.status).toBe(402);
  expect(reply?.headers).toMatchObject({
    "content-type": expect.stringContaining("application/json"),
    "x-should-retry": "false",
    "x-budget-guard": "deny",
  });
  expect(reply?.headers).not.toHaveProperty("retry-after");
  const body: unknown = JSON.parse(reply?.text ?? "");
  const message = expect.stringMatching(
    /^budget-guard refused this call: tenant "acme" would reach \$0\.11\d* of \$0\.100? this hour \(rule "tenant\.hourly > \$0\.10 -> deny", policies\/test\.budget:1\)\. Resets (on \d+ \w+ )?at \d\d:00 UTC\.$/,
  );
  expect(body).toMatchObject({
    type: "error",
    error: {
      type: "budget_exceeded",
      code: "budget_exceeded",
      param: null,
      message,
      budget_guard: {
        rule: "tenant.hourly > $0.10 -> deny",
        scope: { tenant: "acme" },
        metric: "cost",
        estimate: CALL,
        limit: 0.1,
        unit: "USD",
        resets_at: expect.stringMatching(/:00:00(\.000)?Z$/),
      },
    },
    message,
  });
}

describe("tenant.hourly > $0.10 with calls of exactly $0.0125", () => {
  it("lets exactly 8 of 12 calls in a row reach the provider, and answers the rest with the envelope", async () => {
    const results = await asked(create(), provider, { calls: times(12) });
    expect(results.map((reply) => reply.status)).toEqual([...Array(8).fill(200), ...Array(4).fill(402)]);
    expect(provider.requests).toHaveLength(8);
    for (const reply of results.slice(8)) expectRefusal(reply);
    expect(meterOf(await status(project), "tenant.cost.hourly")).toEqual({ spent: 0.1, held: 0 });
  });

  it("lets exactly 8 of 50 parallel calls reach the provider", async () => {
    const results = await asked(create(), provider, { calls: times(50), parallel: true });
    expect([count(results, 200), count(results, 402)]).toEqual([8, 42]);
    expect(provider.requests).toHaveLength(8);
    for (const reply of results.filter(({ status }) => status === 402)) expectRefusal(reply);
  });

  it("goes on counting where the last process stopped", async () => {
    create();
    expect(count(await asked(project, provider, { calls: times(5) }), 200)).toBe(5);
    expect(count(await asked(project, provider, { calls: times(5) }), 200)).toBe(3);
    expect(provider.requests).toHaveLength(8);
  });

  it("counts tenants apart", async () => {
    create();
    const calls = ["acme", "globex"].flatMap((tenant) =>
      times(10, () => fixedCall(undefined, { identity: { tenant } })),
    );
    const results = await asked(project, provider, { calls, parallel: true });
    expect([count(results.slice(0, 10), 200), count(results.slice(10), 200)]).toEqual([8, 8]);
  });

  it.runIf(sharesFiles)("lets exactly 8 calls of 4 processes on one file store reach the provider", async () => {
    const results = await fromFourProcesses(create());
    expect([count(results, 200), count(results, 402)]).toEqual([8, 52]);
    expect(provider.requests).toHaveLength(8);
  });

  describe("with one Redis", () => {
    let redis: RedisServer;
    beforeEach(async () => {
      redis = await startRedis();
    });
    afterEach(async () => {
      await redis.stop();
    });

    it("lets exactly 8 calls of 4 processes reach the provider", async () => {
      const results = await fromFourProcesses(create({ env: { BUDGET_GUARD_STORE: redis.url } }));
      expect([count(results, 200), count(results, 402)]).toEqual([8, 52]);
      expect(provider.requests).toHaveLength(8);
      const spent = await eventually(
        async () => meterOf(await status(project), "tenant.cost.hourly"),
        ({ held }) => held === 0,
      );
      expect(spent.spent).toBe(0.1);
    });
  });
});

describe("a bill above its estimate", () => {
  it("overshoots by at most the difference on the calls in flight", async () => {
    // 160 tokens cost $0.02 where $0.0125 was held; all that were let go are in flight together.
    let release = (): void => {};
    const open = new Promise<void>((resolve) => {
      release = resolve;
    });
    provider.behave({ usage: { input: 10, output: 160 }, beforeHead: () => open });
    const running = startAsking(create(), provider, { calls: times(50), parallel: true, wait: true });
    await running.printed("ready");
    running.tell("go");
    await provider.arrived(8);
    release();
    const results = replies(await running.finished);
    expect([count(results, 200), count(results, 402)]).toEqual([8, 42]);
    const { spent } = meterOf(await status(project), "tenant.cost.hourly");
    expect(spent).toBeCloseTo(8 * 0.02, 9);
    expect(spent).toBeLessThanOrEqual(0.1 + 8 * (0.02 - CALL) + 1e-9);
    expect(count(await asked(project, provider, { calls: times(3) }), 402)).toBe(3);
  });
});

/** 15 parallel calls from each of four processes that start together. */
async function fromFourProcesses(at: Project): Promise<Reply[]> {
  const running = [0, 1, 2, 3].map(() => startAsking(at, provider, { calls: times(15), parallel: true, wait: true }));
  await Promise.all(running.map((process) => process.printed("ready")));
  for (const process of running) process.tell("go");
  return (await Promise.all(running.map((process) => process.finished))).flatMap(replies);
}
