import { rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as passing } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { clearOfTheHour, eventually, fixedUsage, meterOf, sharesFiles, status } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import { type Lines, linesProject, startLines } from "../support/lines.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import type { Project, ProjectWishes } from "../support/run-app.ts";

let provider: FakeProvider;
let project: Project;
let running: Lines[] = [];

beforeEach(async () => {
  await clearOfTheHour();
  provider = await fakeProvider({ usage: fixedUsage });
});
afterEach(async () => {
  await Promise.all(running.map((one) => one.end()));
  running = [];
  await provider.close();
  project.remove();
});

async function started(wishes: ProjectWishes, run = {}): Promise<Lines> {
  project ??= linesProject(provider, wishes);
  const one = await startLines(project, provider, run);
  running.push(one);
  return one;
}

const create = (wishes: ProjectWishes): Promise<Lines> => {
  project = linesProject(provider, wishes);
  return started(wishes);
};

/** Asks again and again until the answer has this status; how long that took, ms. Every answer is kept in `seen`. */
async function until(one: Lines, wanted: number, seen: number[] = []): Promise<number> {
  const began = performance.now();
  for (;;) {
    const { status } = await one.ask();
    seen.push(status);
    if (status === wanted) return performance.now() - began;
    if (performance.now() - began > 5_000) throw new Error(`no ${wanted} within 5 s; seen ${seen.join(" ")}`);
    await passing(20);
  }
}

/** "Within a second", and some time for a machine that does other work. */
const SOON = 1_500;
const SILENT = { env: { BUDGET_GUARD_LOG: "info" } };

describe("a policy that changes while a process runs", () => {
  it("is in force within a second, and what was spent before counts", async () => {
    const one = await create({ policy: "tenant.hourly > $10 -> deny\n", ...SILENT });
    for (let calls = 0; calls < 4; calls++) expect((await one.ask()).status).toBe(200);
    project.write("policies/test.budget", "tenant.hourly > $0.05 -> deny\n");
    expect(await until(one, 402)).toBeLessThan(SOON);
    const refused = await one.ask();
    expect(refused.message).toMatch(
      /would reach \$0\.\d+ of \$0\.05\d* this hour \(rule "tenant\.hourly > \$0\.05 -> deny"/,
    );
    const { spent } = meterOf(await status(project), "tenant.cost.hourly");
    expect(spent).toBeCloseTo(provider.requests.length * 0.0125, 9);
    expect(spent).toBeGreaterThanOrEqual(0.05);

    project.write("policies/test.budget", "tenant.hourly > $10 -> deny\n");
    expect(await until(one, 200)).toBeLessThan(SOON);
    expect((await one.end()).stderr).toContain("the policy has changed: 1 rule from policies/test.budget are in force");
  });

  it("counts on with the meters that it has in common with the old one, and begins the others", async () => {
    const one = await create({ policy: "tenant.hourly > $10 -> deny\n" });
    await one.ask();
    project.write("policies/more.budget", "tenant.calls.daily > 3 -> deny\n");
    const seen: number[] = [];
    expect(await until(one, 402, seen)).toBeLessThan(3_000);
    const found = await status(project);
    expect(meterOf(found, "tenant.cost.hourly").spent).toBeCloseTo(provider.requests.length * 0.0125, 9);
    expect(meterOf(found, "tenant.calls.daily").spent).toBe(3);
  });

  it("stays the last good one while the new one is broken, which is said once for each text", async () => {
    const one = await create({ policy: "tenant.calls.daily > 2 -> deny\n" });
    await one.ask();
    await one.ask();
    project.write("policies/test.budget", "tenant.calls.daily > $2000 -> deny\n");
    await passing(1_500);
    expect((await one.ask()).status).toBe(402);
    project.write("policies/test.budget", "tenant.calls.dayly > 2000 -> deny\n");
    await passing(1_500);
    expect((await one.ask()).status).toBe(402);
    project.write("policies/test.budget", "tenant.calls.daily > 2000 -> deny\n");
    expect(await until(one, 200)).toBeLessThan(SOON);
    const { stderr } = await one.end();
    expect(
      stderr.match(/the changed policy is not used, and the last good one \([0-9a-f]{12}\) stays in force/g),
    ).toHaveLength(2);
    expect(stderr).toContain("error[unit]");
    expect(stderr).toContain("did you mean `daily`?");
    expect(stderr).toContain("the policy has changed: 1 rule");
  });

  it("is neither heeded nor spoken of where an editor had only half written it", async () => {
    const one = await create({ policy: "tenant.calls.daily > 1 -> deny\n" });
    await one.ask();
    const path = join(project.folder, "policies/test.budget");
    let slow = false;
    for (let round = 0; round < 4; round++) {
      // Long enough to be read as it is, and over before the next look.
      const began = performance.now();
      writeFileSync(path, "tenant.calls.da");
      await passing(120);
      writeFileSync(path, "");
      await passing(120);
      writeFileSync(path, "tenant.calls.daily > 1 -> deny\n");
      // On a machine that stood still meanwhile the file was not half written, but as it was.
      slow ||= performance.now() - began > 450;
      const { status } = await one.ask();
      if (!slow) expect(status).toBe(402);
      await passing(800);
    }
    expect((await one.ask()).status).toBe(402);
    const { stderr } = await one.end();
    if (!slow) expect(stderr).not.toContain("policy");
  });

  it("does not end because its folder is gone", async () => {
    const one = await create({ policy: "tenant.calls.daily > 1 -> deny\n" });
    await one.ask();
    rmSync(join(project.folder, "policies"), { recursive: true });
    await passing(1_500);
    expect((await one.ask()).status).toBe(402);
    expect((await one.end()).stderr).toContain("holds no policy any more");
  });

  it("loses the rules of a file that is taken away, and gains those of one that is added", async () => {
    const one = await create({
      policy: "tenant.calls.daily > 100 -> deny\n",
      files: { "policies/strict.budget": "tenant.calls.daily > 1 -> deny\n" },
    });
    await one.ask();
    expect((await one.ask()).status).toBe(402);
    unlinkSync(join(project.folder, "policies/strict.budget"));
    expect(await until(one, 200)).toBeLessThan(SOON);
    project.write("policies/stricter.budget", "tenant.calls.daily > 0 -> deny\n");
    expect(await until(one, 402)).toBeLessThan(SOON);
  });

  it("follows the files that it imports and its tables of limits", async () => {
    const one = await create({
      policy: 'import "./org.budget"\n',
      files: {
        "policies/org.budget": 'limit quota by tenant from "limits.json" else 1\ntenant.calls.daily > quota -> deny\n',
        "policies/limits.json": '{ "acme": 2 }',
      },
      env: { BUDGET_GUARD_POLICY: "policies/test.budget" },
    });
    await one.ask();
    await one.ask();
    expect((await one.ask()).status).toBe(402);
    project.write("policies/limits.json", '{ "acme": 1000 }');
    expect(await until(one, 200)).toBeLessThan(SOON);
    project.write("policies/org.budget", "tenant.calls.daily > 1 -> deny\n");
    expect(await until(one, 402)).toBeLessThan(SOON);
  });

  it("follows a link that is turned to another folder, as Kubernetes does", async () => {
    const files = {
      "mount/one/test.budget": "tenant.calls.daily > 100 -> deny\n",
      "mount/two/test.budget": "tenant.calls.daily > 1 -> deny\n",
    };
    project = linesProject(provider, { files, env: { BUDGET_GUARD_POLICY: "mount/live" } });
    symlinkSync("one", join(project.folder, "mount/live"));
    const one = await started({});
    await one.ask();
    expect((await one.ask()).status).toBe(200);
    unlinkSync(join(project.folder, "mount/live"));
    symlinkSync("two", join(project.folder, "mount/live"));
    expect(await until(one, 402)).toBeLessThan(SOON);
  });

  it("is taken up by a process that has not called for a while, with its very next call", async () => {
    const one = await create({ policy: "tenant.calls.daily > 100 -> deny\n" });
    project.write("policies/test.budget", "tenant.calls.daily > 0 -> deny\n");
    await passing(1_200);
    // Its first call: nothing was watched before.
    expect((await one.ask()).status).toBe(402);
  });

  it("appears where there was none", async () => {
    project = linesProject(provider, {});
    const one = await started({});
    expect((await one.ask()).status).toBe(200);
    project.write("policies/test.budget", "tenant.calls.daily > 0 -> deny\n");
    expect(await until(one, 402)).toBeLessThan(SOON);
  });

  it("is the one that the process's own status and pause speak of", async () => {
    const one = await create({ policy: "tenant.calls.daily > 100 -> deny\n" });
    await one.ask();
    project.write("policies/test.budget", "tenant.feature.calls.daily > 7 -> deny\n");
    await passing(1_200);
    const { meters, policy } = (await one.api("status")) as { meters: unknown[]; policy: { rules: number } };
    expect(policy).toMatchObject({ rules: 1 });
    expect(JSON.stringify(meters)).not.toContain("tenant.calls.daily");
    // Only the new policy counts by both together.
    await one.api("pause", { tenant: "acme", feature: "search" });
    expect((await one.ask({ "x-budget-feature": "search" })).status).toBe(402);
    expect((await one.ask({ "x-budget-feature": "chat" })).status).toBe(200);
    expect(await one.api("resume", { tenant: "acme", feature: "search" })).toHaveLength(1);
  });

  it("keeps no process alive", async () => {
    project = linesProject(provider, { policy: "tenant.calls.daily > 100 -> deny\n" });
    project.write(
      "once.mjs",
      `const { status } = await fetch("${provider.url}/v1/chat/completions", { method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: "fixed-model", messages: [] }) });
      console.log(status);\n`,
    );
    const began = performance.now();
    const end = await project.run({ script: "once.mjs" });
    expect(end.stdout).toContain("200");
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});

describe("many processes on one ledger", () => {
  let redis: RedisServer;
  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    await redis.stop();
  });

  it("all take up the change, and none loses what the others spent", async () => {
    project = linesProject(provider, {
      policy: "tenant.hourly > $10 -> deny\n",
      env: { BUDGET_GUARD_STORE: redis.url },
    });
    const all = await Promise.all([1, 2, 3].map(() => started({})));
    await Promise.all(all.flatMap((one) => [one.ask(), one.ask()]));
    project.write("policies/test.budget", "tenant.hourly > $0.075 -> deny\n");
    const took = await Promise.all(all.map((one) => until(one, 402)));
    expect(Math.max(...took)).toBeLessThan(SOON);
    const { spent } = await eventually(
      async () => meterOf(await status(project), "tenant.cost.hourly"),
      ({ held }) => held === 0,
    );
    expect(spent).toBeCloseTo(provider.requests.length * 0.0125, 9);
  });
});

describe.runIf(sharesFiles)("two processes on one file", () => {
  it("both take up the change", async () => {
    const one = await create({ policy: "tenant.calls.daily > 100 -> deny\n" });
    const two = await started({});
    await one.ask();
    await two.ask();
    project.write("policies/test.budget", "tenant.calls.daily > 1 -> deny\n");
    for (const each of [one, two]) expect(await until(each, 402)).toBeLessThan(SOON);
  });
});
