import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { app, asked, askingProject, count, fixedUsage, startAsking, statuses, times } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import type { Project } from "../support/run-app.ts";

let provider: FakeProvider;
let project: Project;

beforeEach(async () => {
  provider = await fakeProvider({ usage: fixedUsage });
  project = askingProject(provider, {
    policy: "run.calls > 2 -> deny\n",
    files: {
      "app.mjs": app("ask"),
      "app.cjs": app("ask")
        .replace(/^import \{ (\w+) \} from ("[^"]+");$/gm, "const { $1 } = require($2);")
        .replace('await import("budget-guard")', 'require("budget-guard")'),
      "parent.mjs": `import { execFileSync } from "node:child_process";
        process.stdout.write(execFileSync(process.execPath, ["app.mjs", process.argv[2]]));`,
      "worker.mjs": `import { Worker } from "node:worker_threads";
        new Worker("./app.mjs", { argv: [process.argv[2]] });`,
      "same.mjs": `import { createRequire } from "node:module";
        import * as imported from "budget-guard";
        const required = createRequire(import.meta.url)("budget-guard");
        console.log(JSON.stringify(imported.withBudget === required.withBudget));`,
    },
  });
});
afterEach(async () => {
  await provider.close();
  project.remove();
});

const plan = { calls: times(4) };
const ways = {
  "--require": { flags: ["--require", "budget-guard/register"] },
  "--import": { flags: ["--import", "budget-guard/register"] },
  NODE_OPTIONS: { flags: [], env: { NODE_OPTIONS: "--require budget-guard/register" } },
  "NODE_OPTIONS with --import": { flags: [], env: { NODE_OPTIONS: "--import budget-guard/register" } },
  "--require and --import together": {
    flags: ["--require", "budget-guard/register", "--import", "budget-guard/register"],
  },
};

describe("loading the guard", () => {
  for (const [way, run] of Object.entries(ways)) {
    for (const script of ["app.mjs", "app.cjs"]) {
      it(`by ${way} guards ${script}, and says nothing`, async () => {
        const end = await startAsking(project, provider, plan, { ...run, script }).finished;
        expect([end.code, end.stderr]).toEqual([0, ""]);
        expect(statuses(end.json())).toEqual([200, 200, 402, 402]);
        expect(provider.requests).toHaveLength(2);
      });
    }
  }

  it("reaches a child process that was started without the flag", async () => {
    expect(statuses(await asked(project, provider, plan, { script: "parent.mjs" }))).toEqual([200, 200, 402, 402]);
  });

  it("reaches a worker thread", async () => {
    expect(statuses(await asked(project, provider, plan, { script: "worker.mjs" }))).toEqual([200, 200, 402, 402]);
  });

  it("gives one and the same module to require and import", async () => {
    const end = await project.run({ script: "same.mjs" });
    expect([end.code, end.stdout, end.stderr]).toEqual([0, "true\n", ""]);
  });

  it("opens no store in a process that calls no provider", async () => {
    project.write("app.mjs", "console.log(1 + 1);\n");
    expect(await project.run()).toMatchObject({ code: 0, stdout: "2\n", stderr: "" });
    expect(existsSync(join(project.folder, ".budget-guard"))).toBe(false);
  });

  it("recognises a host by OPENAI_BASE_URL, and by the shape of the request alone", async () => {
    const none = { BUDGET_GUARD_HOSTS: "" };
    const named = await asked(project, provider, plan, { env: { ...none, OPENAI_BASE_URL: `${provider.url}/v1` } });
    expect(count(named, 402)).toBe(2);
    const shaped = await asked(project, provider, plan, { env: none });
    expect(count(shaped, 402)).toBe(2);
  });

  it("is a process of its own for a run that names none", async () => {
    for (const _ of [1, 2]) expect(count(await asked(project, provider, plan), 200)).toBe(2);
  });
});
