import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type AskedCall,
  asked,
  askingProject,
  fixedCall,
  fixedPrice,
  fixedUsage,
  statuses,
} from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import type { Project } from "../support/run-app.ts";

const POLICY = `
limit quota by tenant from store else $0.03
budget margin = quota of tenant.monthly

margin > 50% -> route to "cheap-model"
call.retries > 0 -> cap 40 tokens
`;

let provider: FakeProvider;
let redis: RedisServer;
let project: Project;
beforeEach(async () => {
  provider = await fakeProvider({ usage: fixedUsage });
  redis = await startRedis();
  project = askingProject(provider, {
    policy: POLICY,
    config: { prices: { ...fixedPrice, "cheap-model": { input: 0, output: 1.25 } } },
    env: { BUDGET_GUARD_STORE: redis.url },
  });
});
afterEach(async () => {
  await Promise.all([provider.close(), redis.stop()]);
  project.remove();
});

const models = (): readonly unknown[] => provider.requests.map(({ json }) => json?.model);

describe("rules that shape by a live limit, over Redis", () => {
  it("follow what the limit is set to, from the next call on", async () => {
    // $0.0125 each: the second call would take the tenant past half of $0.03.
    expect(statuses(await asked(project, provider, { calls: [fixedCall(), fixedCall()] }))).toEqual([200, 200]);
    expect(models()).toEqual(["fixed-model", "cheap-model"]);
    const set = await project.cli("limit", "set", "tenant=acme", "quota=$10");
    expect([set.code, set.stderr]).toEqual([0, ""]);
    await asked(project, provider, { calls: [fixedCall()] });
    expect(models().at(-1)).toBe("fixed-model");
    await project.cli("limit", "set", "tenant=acme", "quota=$0.01");
    await asked(project, provider, { calls: [fixedCall()] });
    expect(models().at(-1)).toBe("cheap-model");
  });

  it("and by the attempt number that another process left there", async () => {
    const call: AskedCall = fixedCall("once more", { identity: { run: "job-7" } });
    provider.behave({ error: { status: 500 } });
    expect(statuses(await asked(project, provider, { calls: [call] }))).toEqual([500]);
    provider.behave({ usage: fixedUsage });
    expect(statuses(await asked(project, provider, { calls: [call] }))).toEqual([200]);
    expect(provider.requests.map(({ json }) => json?.max_tokens)).toEqual([100, 40]);
  });
});
