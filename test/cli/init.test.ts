import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder } from "./command.ts";

const starter = readFileSync(new URL("../../policies/starter.budget", import.meta.url), "utf8");

describe("init", () => {
  it("writes the starter policy, which checks clean, and names the next commands", async () => {
    const project = folder();
    const { code, out, err } = await project.run(["init"]);
    const written = join(project.path, "policies", "starter.budget");
    expect({ code, out }).toEqual({ code: 0, out: written });
    expect(readFileSync(written, "utf8")).toBe(starter);
    expect(err).toContain("npx budget-guard check");
    expect(err).toContain("node --require budget-guard/register app.js");
    expect((await project.run(["check", "--strict"])).code).toBe(0);
  });

  it("writes the tests of the starter policy, which pass and leave no rule untried", async () => {
    const project = folder();
    await project.run(["init"]);
    const { code, out } = await project.run(["test", "--strict"]);
    expect(out).toContain("policies/starter.test.budget (policies/starter.budget)");
    expect(code).toBe(0);
  });

  it.each(["early", "growth", "scale", "incident"])("writes the template %s, sound and tested", async (name) => {
    const project = folder();
    expect(await project.run(["init", "--template", name])).toMatchObject({ code: 0 });
    expect(readdirSync(join(project.path, "policies"))).toEqual([`${name}.budget`, `${name}.test.budget`]);
    expect((await project.run(["check", "--strict"])).code).toBe(0);
    expect((await project.run(["test", "--strict"])).code).toBe(0);
  });

  it("guesses which template was meant", async () => {
    const { code, err } = await folder().run(["init", "--template", "grwoth"]);
    expect(err).toContain("There is no template grwoth. Did you mean growth?");
    expect(code).toBe(2);
    expect((await folder().run(["init", "--template", "toString"])).code).toBe(2);
  });

  it("takes tests that are there for no policy, and leaves them alone", async () => {
    const project = folder();
    project.write("policies/starter.test.budget", "# mine\n");
    expect((await project.run(["init"])).code).toBe(0);
    expect(readFileSync(join(project.path, "policies", "starter.test.budget"), "utf8")).toBe("# mine\n");
  });

  it("writes into the project's root from a folder below it", async () => {
    const project = folder();
    project.write("src/deep/app.js", "");
    await project.run(["init"], { below: "src/deep" });
    expect(readdirSync(join(project.path, "policies"))).toEqual(["starter.budget", "starter.test.budget"]);
  });

  it("leaves a policy that is there as it is, and ends with 1", async () => {
    const project = folder("tenant.daily > $5 -> deny\n");
    const { code, out, err } = await project.run(["init"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("policies/test.budget. Nothing was written.");
    expect(readdirSync(join(project.path, "policies"))).toEqual(["test.budget"]);
  });

  it("says where the variable names another policy", async () => {
    const { err } = await folder().run(["init"], { env: { BUDGET_GUARD_POLICY: "rules/" } });
    expect(err).toContain("BUDGET_GUARD_POLICY is set to rules/");
  });

  it("speaks of .gitignore only in a repository that does not ignore the ledger yet", async () => {
    const project = folder();
    project.write(".git/HEAD", "");
    expect((await project.run(["init"])).err).toContain(".gitignore");
    const other = folder();
    other.write(".git/HEAD", "");
    other.write(".gitignore", "node_modules/\n.budget-guard/\n");
    expect((await other.run(["init"])).err).not.toContain(".gitignore");
  });
});
