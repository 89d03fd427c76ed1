import { setTimeout as passing } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  app,
  asked,
  askingProject,
  clearOfTheHour,
  count,
  eventually,
  fixedCall,
  fixedUsage,
  meterOf,
  type Reply,
  replies,
  startAsking,
  status,
  times,
} from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import type { Project, ProjectWishes } from "../support/run-app.ts";

let provider: FakeProvider;
let project: Project;

const create = (wishes: ProjectWishes): Project => {
  project = askingProject(provider, { ...wishes, files: { "holds.mjs": app("holds"), ...wishes.files } });
  return project;
};

beforeEach(async () => {
  await clearOfTheHour(40);
  provider = await fakeProvider({ usage: fixedUsage });
});
afterEach(async () => {
  await provider.close();
  project.remove();
});

interface Held {
  readonly status: number | null;
  readonly pieces?: number;
  readonly error?: string;
  readonly ms: number;
}

const clients = ["fetch", "node:http", "node:http keep-alive", "openai", "anthropic"] as const;

async function second(client: string): Promise<Held> {
  const host = `${provider.host}=${client === "anthropic" ? "anthropic" : "openai"}`;
  const end = await project.run({
    script: "holds.mjs",
    args: [provider.url, client],
    env: { BUDGET_GUARD_HOSTS: host },
  });
  expect([end.code, end.stderr]).toEqual([0, ""]);
  return end.json<Held>();
}

describe("a client whose call is held", () => {
  it.each(clients)("%s: gets its stream when there is room again", async (client) => {
    provider.behave({ usage: fixedUsage, chunkMs: 5 });
    create({ policy: "tenant.calls last 1500ms > 1 -> hold 20s\n" });
    const held = await second(client);
    expect(held).toMatchObject({ status: 200 });
    expect(held.pieces).toBeGreaterThan(1);
    expect(held.ms).toBeGreaterThan(1_000);
    expect(held.ms).toBeLessThan(6_000);
    expect(provider.requests).toHaveLength(2);
  });

  it.each(clients)("%s: is refused in one attempt when the hold runs out", async (client) => {
    create({ policy: "tenant.calls.hourly > 1 -> hold 1s\n" });
    const held = await second(client);
    expect(held.status).toBe(402);
    expect(held.ms).toBeGreaterThan(950);
    expect(held.ms).toBeLessThan(3_000);
    expect(provider.requests).toHaveLength(1);
  });

  it("over a connection that its provider closes meanwhile, goes over another one", async () => {
    // node:http's servers close a connection that idles for five seconds.
    create({ policy: "tenant.calls last 7s > 1 -> hold 20s\n" });
    const held = await second("node:http keep-alive");
    expect(held).toMatchObject({ status: 200 });
    expect(held.ms).toBeGreaterThan(6_000);
  });
});

describe("a process with calls that wait", () => {
  it("does not end before they do", async () => {
    create({ policy: "tenant.calls last 1s > 1 -> hold 20s\n" });
    const results = await asked(project, provider, { calls: times(3), parallel: true });
    expect(count(results, 200)).toBe(3);
  });

  it("ends when they have", async () => {
    create({ policy: "tenant.concurrency > 1 -> hold 20s\n" });
    const began = performance.now();
    const results = await asked(project, provider, { calls: times(10), parallel: true });
    expect(count(results, 200)).toBe(10);
    expect(performance.now() - began).toBeLessThan(8_000);
  });

  it("forgets a call whose caller gives up, and lets the process end", async () => {
    create({ policy: "tenant.calls.hourly > 1 -> hold 20s\n" });
    const calls = [fixedCall(), fixedCall(undefined, { timeoutMs: 400 })];
    const began = performance.now();
    const results = await asked(project, provider, { calls });
    expect(results[1]?.error?.name).toBe("TimeoutError");
    expect(performance.now() - began).toBeLessThan(8_000);
    expect(meterOf(await status(project), "tenant.calls.hourly")).toEqual({ spent: 1, held: 0 });
  });

  it("sleeps a backoff before its retry leaves", async () => {
    create({ policy: "call.retries > 0 -> backoff 700ms\n" });
    const retry = { headers: { "x-stainless-retry-count": "1" } };
    const began = performance.now();
    const [reply] = await asked(project, provider, { calls: [fixedCall(undefined, retry)] });
    expect(reply?.status).toBe(200);
    expect(performance.now() - began).toBeGreaterThan(700);
  });
});

describe("50 parallel calls with room for 8 at a time, and hold", () => {
  /** Answers a little later, and notes how many calls were in flight together at most. */
  function crowded(): { most: number } {
    const seen = { most: 0 };
    let inFlight = 0;
    provider.behave(() => ({
      usage: fixedUsage,
      beforeHead: async () => {
        inFlight += 1;
        seen.most = Math.max(seen.most, inFlight);
        await passing(30);
        inFlight -= 1;
      },
    }));
    return seen;
  }

  it("never passes the limit, and all are served as room frees", async () => {
    create({ policy: "tenant.concurrency > 8 -> hold 25s\n" });
    const seen = crowded();
    const results = await asked(project, provider, { calls: times(50), parallel: true });
    expect(count(results, 200)).toBe(50);
    expect(seen.most).toBe(8);
    expect(meterOf(await status(project), "tenant.concurrency")).toEqual({ spent: 0, held: 0 });
  });

  it("spends exactly the budget, and refuses the rest when their time is up", async () => {
    create({ policy: "tenant.hourly > $0.10 -> hold 1s\n" });
    const results = await asked(project, provider, { calls: times(50), parallel: true });
    expect([count(results, 200), count(results, 402)]).toEqual([8, 42]);
    expect(provider.requests).toHaveLength(8);
    expect(meterOf(await status(project), "tenant.cost.hourly")).toEqual({ spent: 0.1, held: 0 });
    for (const { text } of results.filter(({ status }) => status === 402)) {
      expect(text).toMatch(/It waited 1 second for room\./);
    }
  });

  it("gives what a bill returns to those who wait", async () => {
    // Each call is held at $0.0125 and billed at $0.0025: after the first eight there is room for more, and so on.
    provider.behave({ usage: { input: 10, output: 20 } });
    create({ policy: "tenant.hourly > $0.10 -> hold 2s\n" });
    const results = await asked(project, provider, { calls: times(50), parallel: true });
    const { spent, held } = meterOf(await status(project), "tenant.cost.hourly");
    expect(held).toBe(0);
    expect(spent).toBeLessThanOrEqual(0.1);
    expect(spent).toBeGreaterThan(0.1 - 0.0125);
    expect(count(results, 200)).toBe(Math.round(spent / 0.0025));
  });

  describe("in 4 processes on one Redis", () => {
    let redis: RedisServer;
    beforeEach(async () => {
      redis = await startRedis();
    });
    afterEach(async () => {
      await redis.stop();
    });

    it("gives what a killed process held to those who wait, when its holds expire", async () => {
      create({
        policy: "tenant.concurrency > 1 -> hold 25s\n",
        config: { store: { hold: "1s" } },
        env: { BUDGET_GUARD_STORE: redis.url },
      });
      provider.behave(({ index }) => (index === 0 ? { hang: "head" } : { usage: fixedUsage }));
      const killed = startAsking(project, provider, { calls: times(1) });
      await provider.arrived(1);
      const waiting = startAsking(project, provider, { calls: times(1), wait: true });
      await waiting.printed("ready");
      waiting.tell("go");
      await passing(500);
      expect(provider.requests).toHaveLength(1);
      killed.process.kill("SIGKILL");
      const began = performance.now();
      expect(count(replies(await waiting.finished), 200)).toBe(1);
      expect(performance.now() - began).toBeLessThan(6_000);
    });

    it("never passes the limit, and all are served", async () => {
      create({ policy: "tenant.concurrency > 8 -> hold 25s\n", env: { BUDGET_GUARD_STORE: redis.url } });
      const seen = crowded();
      const running = [0, 1, 2, 3].map(() =>
        startAsking(project, provider, { calls: times(15), parallel: true, wait: true }),
      );
      await Promise.all(running.map((process) => process.printed("ready")));
      for (const process of running) process.tell("go");
      const results: Reply[] = (await Promise.all(running.map((process) => process.finished))).flatMap(replies);
      expect(count(results, 200)).toBe(60);
      expect(seen.most).toBeLessThanOrEqual(8);
      await eventually(
        async () => meterOf(await status(project), "tenant.concurrency"),
        ({ held }) => held === 0,
      );
    });
  });
});
