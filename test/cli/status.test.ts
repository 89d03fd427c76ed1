import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { gateKey } from "../../src/keys.ts";
import type { Status } from "../../src/status.ts";
import { folder } from "./command.ts";
import { DOLLAR, hold, inLedger, planOf, spend } from "./ledger.ts";

const policy = `
soft: tenant.hourly > $40 -> warn
hard: tenant.hourly > $50 -> deny
loop: run.calls > 25 -> pause
`;
const plan = planOf(policy);

describe("status", () => {
  it("shows every meter with what is spent, held, its limits and the share used, the fullest first", async () => {
    const project = folder(policy);
    await inLedger(project, async (store) => {
      await spend(store, plan, { tenant: "acme", run: "r1" }, { cost: 45.0125 * DOLLAR, calls: 5 });
      await spend(store, plan, { tenant: "globex", run: "r2" }, { cost: 1 * DOLLAR, calls: 24 });
      await hold(store, plan, { tenant: "acme", run: "r1" }, { cost: 0.05 * DOLLAR, calls: 1 });
    });
    const { code, out, err } = await project.run(["status", "--json"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const status: Status = JSON.parse(out);
    expect(status).toMatchObject({
      store: "file .budget-guard/ledger.db",
      mode: "enforce",
      policy: { files: ["policies/test.budget"], hash: plan.hash, rules: 3 },
      idle: [],
      closed: [],
    });
    expect(status.meters.map(({ scope, used }) => [Object.values(scope)[0], used])).toEqual([
      ["r2", 0.96],
      ["acme", 0.90125],
      ["r1", 0.24],
      ["globex", 0.02],
    ]);
    expect(status.meters[1]).toEqual({
      meter: "tenant.cost.hourly",
      scope: { tenant: "acme" },
      metric: "cost",
      window: "hourly",
      spent: 45.0125,
      held: 0.05,
      limit: 50,
      unit: "USD",
      resets_at: "2026-11-22T15:00:00Z",
      rule: "hard",
      used: 0.90125,
      limits: [
        { rule: "hard", action: "deny", shadow: false, limit: 50, used: 0.90125 },
        { rule: "soft", action: "warn", shadow: false, limit: 40, used: 45.0625 / 40 },
      ],
    });
    expect(status.meters[0]).toMatchObject({ window: "run", unit: "calls", resets_at: null, rule: "loop" });

    const text = (await project.run(["status"])).out;
    expect(text).toMatch(
      /^ *90% +tenant\.cost\.hourly +tenant=acme +\$45\.0125 +\$0\.05 +\$50\.00 +15:00 UTC \(in 30m\) +hard -> deny$/m,
    );
    expect(text).toMatch(/^ *112% +\$40\.00 +soft -> warn$/m);
    expect(text).toMatch(/^ *96% +run\.calls +run=r2 +24 +0 +25 +loop -> pause$/m);
  });

  it("shows a limit only to the subjects that its filter can concern", async () => {
    const text = `
strict: tenant.daily > $5 when tenant == "acme" -> deny
pro: tenant.daily > $9 when tenant matches "g*" and model == "gpt-5" -> deny
rest: tenant.daily > $50 when not tenant == "acme" -> deny
`;
    const project = folder(text);
    await inLedger(project, async (store) => {
      for (const tenant of ["acme", "globex", "zeta"]) await spend(store, planOf(text), { tenant }, { cost: DOLLAR });
    });
    const status: Status = JSON.parse((await project.run(["status", "--json"])).out);
    const rules = status.meters.map(({ scope, limits }) => [scope.tenant, limits.map(({ rule }) => rule)]);
    expect(Object.fromEntries(rules)).toEqual({ acme: ["strict"], globex: ["pro", "rest"], zeta: ["rest"] });
  });

  it("never lets a shadow rule or a warning stand as the limit", async () => {
    const text = "shadow trial: tenant.daily > $5 -> deny\nsoft: tenant.daily > $6 -> warn\n";
    const project = folder(text);
    await inLedger(project, (store) => spend(store, planOf(text), { tenant: "acme" }, { cost: DOLLAR }));
    const status: Status = JSON.parse((await project.run(["status", "--json"])).out);
    expect(status.meters[0]).toMatchObject({ limit: null, rule: null, used: null });
    expect(status.meters[0]?.limits.map(({ rule, shadow }) => [rule, shadow])).toEqual([
      ["trial", true],
      ["soft", false],
    ]);
    expect((await project.run(["status"])).out).toContain("shadow trial -> deny");
  });

  it("reads a share of the calls from the calls of the same subject", async () => {
    const text = "storm: feature.retries last 15m > 30% -> deny for 10m\n";
    const project = folder(text);
    await inLedger(project, (store) => spend(store, planOf(text), { feature: "research" }, { retries: 6, calls: 40 }));
    const status: Status = JSON.parse((await project.run(["status", "--json"])).out);
    expect(status.meters.map(({ meter, limit, used }) => ({ meter, limit, used }))).toEqual([
      { meter: "feature.retries.last 15m", limit: 12, used: 0.5 },
      { meter: "feature.calls.last 15m", limit: null, used: null },
    ]);
    expect((await project.run(["status"])).out).toContain("no limit");
  });

  it("lists what is closed: by rule and by hand, since when, until when, and the command that opens it", async () => {
    const text = "breaker: tenant.hourly > $5 -> deny for 10m\nstop: run.calls > 25 -> pause\n";
    const project = folder(text);
    await inLedger(project, async (store) => {
      await store.close(gateKey("breaker", ["tenant"], { tenant: "a cme" }), 600_000);
      await store.close(gateKey("stop", ["run"], { run: "r1" }), null);
      await store.close(gateKey("", [], {}), null);
      await store.close(gateKey("old", [], {}), null);
    });
    const status: Status = JSON.parse((await project.run(["status", "--json"])).out);
    const since = "2026-11-22T14:30:00Z";
    expect(status.closed).toHaveLength(4);
    expect(status.closed).toContainEqual({
      rule: "breaker",
      scope: { tenant: "a cme" },
      kind: "tripped",
      since,
      until: "2026-11-22T14:40:00Z",
      stale: false,
    });
    expect(status.closed).toContainEqual({
      rule: "stop",
      scope: { run: "r1" },
      kind: "paused",
      since,
      until: null,
      stale: false,
    });
    expect(status.closed).toContainEqual({ rule: null, scope: {}, kind: "paused", since, until: null, stale: false });
    const page = (await project.run(["status"])).out;
    expect(page).toContain(`by "breaker", since 14:30 UTC, until 14:40 UTC (in 10m)`);
    expect(page).toContain("npx budget-guard resume 'tenant=a cme'");
    expect(page).toContain('by "old" (a rule that this policy no longer holds)');
    expect(page).toContain("npx budget-guard resume global");
    expect(page).toContain("by hand, since 14:30 UTC, until someone resumes it");
  });

  it("creates nothing where nothing was ever spent, and says so", async () => {
    const project = folder(policy);
    const { code, out } = await project.run(["status"]);
    expect(code).toBe(0);
    expect(out).toContain("Nothing has been spent yet.");
    expect(existsSync(join(project.path, ".budget-guard"))).toBe(false);
    const status: Status = JSON.parse((await project.run(["status", "--json"])).out);
    expect(status).toMatchObject({ meters: [], closed: [], idle: ["run.calls", "tenant.cost.hourly"] });
  });

  it("reads a ledger that another holder has open, and leaves its files as they are", async () => {
    const project = folder(policy);
    await inLedger(project, async (store) => {
      await spend(store, plan, { tenant: "acme", run: "r1" }, { cost: DOLLAR, calls: 1 });
      const kept = join(project.path, ".budget-guard");
      // SQLite's own bookkeeping may grow when someone connects; a journal belongs to its holder alone.
      const files = () =>
        readdirSync(kept).map((name) => [name, name.endsWith(".journal") ? statSync(join(kept, name)).size : null]);
      const before = files();
      const { code, out } = await project.run(["status"]);
      expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining("$1.00") });
      expect(files()).toEqual(before);
    });
  });

  it("works without a policy", async () => {
    const { code, out } = await folder().run(["status"]);
    expect(code).toBe(0);
    expect(out).toContain("Policy  none found: nothing is limited");
  });

  it("ends with 78 and every error where the policy is broken", async () => {
    const { code, err } = await folder("tenant.horuly > $5 -> deny\nrun.calls > $5 -> deny\n").run(["status"]);
    expect(code).toBe(78);
    expect(err.match(/^error\[/gm)).toHaveLength(2);
  });

  it("explains that memory: cannot be seen from outside", async () => {
    const { code, err } = await folder(policy).run(["status"], { env: { BUDGET_GUARD_STORE: "memory:" } });
    expect(code).toBe(3);
    expect(err).toContain("lives inside the process that counts");
  });

  it("ends with 3 where Redis cannot be reached, with the address and without the password", async () => {
    const { code, err } = await folder(policy).run(["status"], {
      env: { BUDGET_GUARD_STORE: "redis://someone:hunter2@127.0.0.1:1/0" },
    });
    expect(code).toBe(3);
    expect(err).toContain("The store redis://127.0.0.1:1/0 cannot be reached");
    expect(err).toContain("BUDGET_GUARD_STORE");
    expect(err).not.toContain("hunter2");
  });

  it("leaves a file that is no ledger alone and ends with 3", async () => {
    const project = folder(policy);
    const notes = "these are my notes, and no ledger at all\n".repeat(50);
    project.write("notes.db", notes);
    project.write("notes.db.journal", notes);
    const { code, err } = await project.run(["status"], { env: { BUDGET_GUARD_STORE: "file:notes.db" } });
    expect(code).toBe(3);
    expect(err).toContain("file:notes.db cannot be reached");
    expect(statSync(join(project.path, "notes.db")).size).toBe(notes.length);
  });
});
