import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { type Project, type ProjectWishes, project } from "./support/run-app.ts";

const GUARDED = 'Reflect.has(globalThis, Symbol.for("budget-guard.v1"))';
const repository = dirname(dirname(fileURLToPath(import.meta.url)));

let at: Project;
const create = (wishes: ProjectWishes = {}): Project => {
  at = project({ files: { "app.mjs": `console.log(${GUARDED});\n` }, ...wishes });
  return at;
};
afterEach(() => at.remove());

describe("a process in another folder", () => {
  const parent = `import { spawnSync } from "node:child_process";
    const { stdout, stderr } = spawnSync(process.execPath, ["-p", ${JSON.stringify(GUARDED)}], { cwd: "/", encoding: "utf8" });
    console.log(JSON.stringify([stdout, stderr]));`;

  it("is guarded as its parent is, however the parent was told", async () => {
    create({ files: { "app.mjs": parent } });
    for (const options of [
      "--require budget-guard/register",
      "--import budget-guard/register",
      "--require ./node_modules/budget-guard/dist/register.js",
      "--require ./node_modules/budget-guard/dist/register.cjs",
    ]) {
      const end = await at.run({ flags: [], env: { NODE_OPTIONS: options } });
      expect(end.json(), options).toEqual(["true\n", ""]);
    }
  });
});

describe("a start that cannot be", () => {
  const toldInOneLine = (stderr: string, said: RegExp): void => {
    expect(stderr).toMatch(said);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  };

  it("is told in one line where a policy file cannot be read", async () => {
    create({ policy: "tenant.daily > $1 -> deny\n" });
    mkdirSync(join(at.folder, "policies", "x.budget"));
    const { code, stdout, stderr } = await at.run();
    expect([code, stdout]).toEqual([78, ""]);
    toldInOneLine(stderr, /^budget-guard: .*policies\/x\.budget cannot be read: EISDIR/);
  });

  it("is told in one line on a Node whose children could not load the guard", async () => {
    create();
    const flags = ["--no-experimental-require-module", "--import", "budget-guard/register"];
    const { code, stdout, stderr } = await at.run({ flags });
    expect([code, stdout]).toEqual([78, ""]);
    toldInOneLine(stderr, /^budget-guard: this is Node \d+.*needs Node 20\.19/);
  });

  it("is told in one line where the working directory is gone", () => {
    create();
    const register = join(repository, "dist", "register.js");
    mkdirSync(join(at.folder, "gone"));
    const script = `cd gone && rmdir ../gone && "${process.execPath}" --require "${register}" -e 'console.log(1)'`;
    const { status, stdout, stderr } = spawnSync("sh", ["-c", script], { cwd: at.folder, encoding: "utf8" });
    expect([status, stdout]).toEqual([78, ""]);
    toldInOneLine(stderr, /^budget-guard: the working directory was deleted/);
  });
});

describe("the guard", () => {
  it("is one where two copies of the package are loaded", async () => {
    create();
    const copy = join(at.folder, "copy");
    for (const part of ["dist", "package.json"]) cpSync(join(repository, part), join(copy, part), { recursive: true });
    at.write("app.mjs", "console.log(process.env.NODE_OPTIONS.match(/require/g).length);\n");
    const flags = ["--require", "budget-guard/register", "--require", "./copy/dist/register.js"];
    expect(await at.run({ flags, env: { BUDGET_GUARD_LOG: "info" } })).toMatchObject({ code: 0, stdout: "1\n" });
  });

  it("is there in scripts of one line, and leaves their output alone", async () => {
    create();
    const { code, stdout, stderr } = await at.run({
      flags: ["--require", "budget-guard/register", "-p"],
      script: GUARDED,
    });
    expect([code, stdout, stderr]).toEqual([0, "true\n", ""]);
  });

  it("is there in node's own test runner", async () => {
    create({
      files: {
        "a.test.mjs": `import { test } from "node:test";
          import { ok } from "node:assert";
          test("guarded", () => ok(${GUARDED}));`,
      },
    });
    const end = await at.run({ flags: ["--require", "budget-guard/register", "--test"], script: "a.test.mjs" });
    expect([end.code, end.stderr]).toEqual([0, ""]);
  });

  it("is none where it is off, and says so when asked", async () => {
    create({ policy: "this is no policy\n" });
    const { code, stdout, stderr } = await at.run({ env: { BUDGET_GUARD_MODE: "off", BUDGET_GUARD_LOG: "info" } });
    expect([code, stdout]).toEqual([0, "true\n"]);
    expect(stderr).toContain("no call is looked at");
  });
});
