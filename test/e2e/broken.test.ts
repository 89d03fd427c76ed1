import { afterEach, describe, expect, it } from "vitest";
import { type Project, type ProjectWishes, project } from "../support/run-app.ts";

let at: Project;
const create = (wishes: ProjectWishes): Project => {
  at = project({ files: { "app.mjs": 'console.log("user code");\n' }, ...wishes });
  return at;
};
afterEach(() => at.remove());

describe("a broken start", () => {
  it("prints every diagnostic of a broken policy and ends with 78 before user code", async () => {
    const { code, stdout, stderr } = await create({
      policy: ["tenant.hourly > 50 -> deny", "customer.daily > $5 -> deny", "tenant.hourly > $5 -> block", ""].join(
        "\n",
      ),
      files: {
        "app.mjs": 'console.log("user code");\n',
        "policies/second.budget": "run.calls > 25 deny\n",
      },
    }).run();
    expect(code).toBe(78);
    expect(stdout).toBe("");
    for (const place of ["test.budget:1:17", "test.budget:2:1", "test.budget:3:23", "second.budget:1:"]) {
      expect(stderr).toContain(`policies/${place}`);
    }
    expect(stderr.match(/\^/g)?.length).toBeGreaterThanOrEqual(4);
    expect(stderr).toContain("tenant");
    expect(stderr).not.toMatch(/\n\s+at .*\.js:\d+/);
  });

  it("does so under every way of loading", async () => {
    create({ policy: "tenant.hourly -> deny\n" });
    for (const run of [
      { flags: ["--import", "budget-guard/register"] },
      { flags: [], env: { NODE_OPTIONS: "--require budget-guard/register" } },
    ]) {
      const { code, stdout } = await at.run(run);
      expect([code, stdout]).toEqual([78, ""]);
    }
  });

  it("ends with 78 where a variable or the settings name what does not exist", async () => {
    create({ policy: "tenant.hourly > $5 -> deny\n" });
    for (const [env, said] of [
      [{ BUDGET_GUARD_POLICY: "nowhere/" }, "nowhere"],
      [{ BUDGET_GUARD_MODE: "enforced" }, "BUDGET_GUARD_MODE"],
      [{ BUDGET_GUARD_CONFIG: "absent.json" }, "absent.json"],
      [{ BUDGET_GUARD_HOSTS: "no-provider" }, "BUDGET_GUARD_HOSTS"],
      [{ BUDGET_GUARD_STORE: "mongodb://127.0.0.1" }, "mongodb"],
    ] as const) {
      const { code, stdout, stderr } = await at.run({ env });
      expect([code, stdout, stderr.includes(said)], stderr).toEqual([78, "", true]);
    }
  });

  it("ends with 78 where a price is absurd", async () => {
    const { code, stderr } = await create({ config: { prices: { "a-model": { input: 5e6, output: 1 } } } }).run();
    expect(code).toBe(78);
    expect(stderr).toContain("prices.a-model.input");
  });

  it("names a variable that looks like one of its own but is read by nobody", async () => {
    const { stderr } = await create({ policy: "tenant.hourly > $5 -> deny\n" }).run({
      env: { BUDGET_GUARD_TENNANT: "acme" },
    });
    expect(stderr).toContain("BUDGET_GUARD_TENNANT");
  });

  it("says in one line at info what it loaded", async () => {
    const { stderr } = await create({ policy: "tenant.hourly > $5 -> deny\n" }).run({
      env: { BUDGET_GUARD_LOG: "info" },
    });
    expect(stderr).toMatch(/^budget-guard: .*1 rule from policies\/test\.budget.*store file.*mode enforce.*$/m);
  });
});
