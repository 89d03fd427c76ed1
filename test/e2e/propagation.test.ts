import { cpSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { askingProject, fixedUsage } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import type { Finished, Project, RunWishes } from "../support/run-app.ts";

let provider: FakeProvider;
let project: Project;

/** Asks twice, where the policy allows one call, and tells what it got and what it found in its environment. */
const APP = `
const ask = async () => (await fetch(process.argv.at(-1) + "/v1/chat/completions", {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ model: "fixed-model", max_tokens: 100, messages: [{ role: "user", content: "hi" + Math.random() }] }),
})).status;
const run = async () => {
  const statuses = [await ask(), await ask()];
  const { BUDGET_GUARD_TENANT: tenant, KEPT: kept, NODE_OPTIONS: options = "" } = process.env;
  const registers = options.split("register").length - 1;
  console.log(JSON.stringify({ statuses, tenant: tenant ?? null, kept: kept ?? null, registers }));
  if (process.connected) process.disconnect();
};
run();
`;

/** Starts something in one of many ways, named by its first argument. */
const PARENT = `
import childProcess, { exec, execFile, execFileSync, execSync, fork, spawn, spawnSync } from "node:child_process";
import cluster from "node:cluster";
import { once } from "node:events";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { SHARE_ENV, Worker } from "node:worker_threads";
const [way, url] = process.argv.slice(2);
const node = process.execPath;
const { PATH } = process.env;
const inherit = { stdio: "inherit" };
const say = (text) => process.stdout.write(String(text));
const worker = (options) => new Worker("./app.mjs", { argv: [url], ...options });
const path = { PATH, KEPT: "yes" };
const own = Object.freeze({ KEPT: "yes" });
const ways = {
  "Worker": () => worker({}),
  "Worker execArgv: []": () => worker({ execArgv: [] }),
  "Worker env: {}": () => worker({ env: {} }),
  "Worker env of its own": () => worker({ env: own }),
  "Worker env of its own, execArgv: []": () => worker({ env: own, execArgv: [] }),
  "Worker SHARE_ENV": () => worker({ env: SHARE_ENV }),
  "Worker SHARE_ENV, execArgv: []": () => worker({ env: SHARE_ENV, execArgv: [] }),
  "Worker of CommonJS": () => worker({ env: own, execArgv: ["--no-warnings"] }),
  "Worker by require": () => new (createRequire(import.meta.url)("worker_threads").Worker)("./app.cjs", { argv: [url], env: own }),
  "Worker of a text": () => new Worker("import('./app.mjs')", { eval: true, argv: [url], env: own, execArgv: [] }),
  "Worker with NODE_OPTIONS of its own": () => worker({ env: { ...own, NODE_OPTIONS: "--no-warnings" } }),
  "Worker execArgv: [] without NODE_OPTIONS": () => { delete process.env.NODE_OPTIONS; worker({ execArgv: [] }); },
  "Worker in a Worker": () => new Worker(
    "const { Worker } = require('node:worker_threads'); new Worker('./app.mjs', { argv: [process.argv[2]], env: { KEPT: 'yes' }, execArgv: [] })",
    { eval: true, argv: [url], env: {}, execArgv: [] }),
  "a class that extends Worker": () => { class Mine extends Worker {} const mine = new Mine("./app.mjs", { argv: [url], env: own });
    if (!(mine instanceof Mine && mine instanceof Worker)) throw new Error("of another class"); },
  "spawn": () => spawn(node, ["app.mjs", url], inherit),
  "spawn env: {}": () => spawn(node, ["app.mjs", url], { ...inherit, env: {} }),
  "spawn env of its own": () => spawn(node, ["app.mjs", url], { ...inherit, env: own }),
  "spawn by name": () => spawn("node", ["app.mjs", url], { ...inherit, env: path }),
  "spawn in a shell": () => spawn("node app.mjs " + url, { ...inherit, env: path, shell: true }),
  "spawn of the default export": () => childProcess.spawn(node, ["app.cjs", url], { ...inherit, env: own }),
  "spawn by require": () => createRequire(import.meta.url)("child_process").spawn(node, ["app.cjs", url], { ...inherit, env: own }),
  "spawn with NODE_OPTIONS of its own": () =>
    spawn(node, ["app.mjs", url], { ...inherit, env: { ...process.env, ...own, NODE_OPTIONS: "--max-old-space-size=300" } }),
  "spawn with NODE_OPTIONS emptied": () => spawn(node, ["app.mjs", url], { ...inherit, env: { ...own, NODE_OPTIONS: "" } }),
  "spawn of a script that starts node": () => spawn("sh", ["-c", "sh -c 'node app.mjs " + url + "'"], { ...inherit, env: path }),
  "a grandchild": () => spawn(node, ["parent.mjs", "spawn env of its own", url], { ...inherit, env: {} }),
  "spawn in another folder": () => spawn(node, ["../app.mjs", url], { ...inherit, cwd: "sub", env: own }),
  "fork": () => fork("app.mjs", [url]),
  "fork env: {}, execArgv: []": () => fork("app.mjs", [url], { env: {}, execArgv: [] }),
  "exec": () => exec("node app.mjs " + url, { env: path }, (error, out) => say(error ?? out)),
  "exec by promisify": async () => say((await promisify(exec)("node app.mjs " + url, { env: path })).stdout),
  "execFile": () => execFile(node, ["app.mjs", url], { env: own }, (error, out) => say(error ?? out)),
  "execFile by promisify": async () => say((await promisify(execFile)(node, ["app.mjs", url], { env: own })).stdout),
  "spawnSync": () => spawnSync(node, ["app.mjs", url], { ...inherit, env: own }),
  "execFileSync": () => say(execFileSync(node, ["app.mjs", url], { env: own })),
  "execSync": () => say(execSync("node app.mjs " + url, { env: path })),
  "cluster": () => { cluster.setupPrimary({ exec: "app.mjs", args: [url] }); cluster.fork(own); },
};
if (way === "list") console.log(JSON.stringify(Object.keys(ways)));
else await ways[way]();
`;

beforeAll(async () => {
  provider = await fakeProvider({ usage: fixedUsage });
  project = askingProject(provider, {
    policy: "run.calls > 1 -> deny\n",
    env: { BUDGET_GUARD_STORE: "memory:" },
    files: {
      "app.mjs": APP,
      "app.cjs": APP,
      "parent.mjs": PARENT,
      "sub/.keep": "",
      "environment.mjs": `import { execFileSync, spawnSync } from "node:child_process";
        const env = Object.freeze({ KEPT: "yes", PATH: process.env.PATH });
        const lines = (command, args) => execFileSync(command, args, { env, encoding: "utf8" }).trim().split("\\n");
        const missing = spawnSync("no-such-command", [], { env });
        console.log(JSON.stringify({
          any: lines("env", []), shell: lines("sh", ["-c", "env"]),
          node: lines(process.execPath, ["-e", "for (const name in process.env) console.log(name + '=' + process.env[name])"]),
          missing: missing.error.code, given: Object.keys(env),
        }));`,
    },
  });
});
afterAll(async () => {
  await provider.close();
  project.remove();
});

interface Told {
  readonly statuses: readonly number[];
  readonly tenant: string | null;
  readonly kept: string | null;
  readonly registers: number;
}

const start = (way: string, run: RunWishes = {}): Promise<Finished> =>
  project.run({ script: "parent.mjs", args: [way, provider.url], ...run });

const ways = [...PARENT.matchAll(/^ {2}"([^"]+)":/gm)].map(([, way]) => way ?? "");
const roads: Readonly<Record<string, RunWishes>> = {
  "--require": { flags: ["--require", "budget-guard/register"] },
  "--import": { flags: ["--import", "budget-guard/register"] },
  NODE_OPTIONS: { flags: [], env: { NODE_OPTIONS: "--require budget-guard/register" } },
};

describe.each(Object.entries(roads))("a process that was given the guard by %s", (_road, run) => {
  it.each(ways)("gives it on by %s", async (way) => {
    const end = await start(way, run);
    expect([end.code, end.stderr]).toEqual([0, ""]);
    const { statuses, tenant, kept, registers } = end.json<Told>();
    expect(statuses).toEqual([200, 402]);
    expect(tenant).toBe("acme");
    expect(registers).toBe(1);
    expect(kept).toBe(
      /env: \{\}|^Worker( of CommonJS)?$|execArgv: \[\]$|SHARE|NODE_OPTIONS$|^spawn$|^fork/.test(way) ? kept : "yes",
    );
  });
});

describe("a process that starts others", () => {
  it("knows each way that is tested", async () => {
    expect((await start("list", { flags: [] })).json()).toEqual(ways);
  });

  it("without the guard gives nothing on", async () => {
    const end = await start("spawn env of its own", { flags: [] });
    expect(end.json<Told>()).toEqual({ statuses: [200, 200], tenant: null, kept: "yes", registers: 0 });
  });

  it("leaves alone whom it tells to be off, and those below", async () => {
    const off = 'env: { BUDGET_GUARD_MODE: "off", KEPT: "yes" }';
    project.write(
      "off.mjs",
      `import { spawn } from "node:child_process";
       import { Worker } from "node:worker_threads";
       const [way, url] = process.argv.slice(2);
       const args = way === "grandchild" ? ["parent.mjs", "spawn", url] : ["app.mjs", url];
       if (way === "worker") new Worker("./app.mjs", { argv: [url], ${off} });
       else spawn(process.execPath, args, { stdio: "inherit", ${off} });`,
    );
    for (const way of ["child", "worker", "grandchild"]) {
      const end = await project.run({ script: "off.mjs", args: [way, provider.url] });
      expect([way, end.json<Told>().statuses, end.stderr]).toEqual([way, [200, 200], ""]);
    }
  });

  it("is off itself, and then so are they", async () => {
    const end = await start("spawn env of its own", { env: { BUDGET_GUARD_MODE: "off" } });
    expect(end.json<Told>().statuses).toEqual([200, 200]);
  });

  it("takes nothing from what it is given, and tells a password only to Node", async () => {
    const secret = "redis://user:hidden@127.0.0.1:1/0";
    const env = { BUDGET_GUARD_STORE: secret, BUDGET_GUARD_LOG: "silent" };
    const end = await project.run({ script: "environment.mjs", env });
    const told = end.json<Record<"any" | "shell" | "node" | "given", string[]> & { missing: string }>();
    expect([told.given, told.missing, end.stderr]).toEqual([["KEPT", "PATH"], "ENOENT", ""]);
    for (const [who, lines] of Object.entries({ any: told.any, shell: told.shell, node: told.node })) {
      expect(lines, who).toContain("KEPT=yes");
      expect(lines, who).toContain("BUDGET_GUARD_TENANT=acme");
      expect(
        lines.filter((line) => line.startsWith("NODE_OPTIONS=--require=")),
        who,
      ).toHaveLength(1);
      expect(lines.includes(`BUDGET_GUARD_STORE=${secret}`), who).toBe(who === "node");
    }
  });
});

describe("the guard in one process", () => {
  const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

  it("is one, however many copies and flags load it", async () => {
    const copy = join(project.folder, "copy", "budget-guard");
    cpSync(join(root, "dist"), join(copy, "dist"), { recursive: true });
    cpSync(join(root, "package.json"), join(copy, "package.json"));
    symlinkSync(join(root, "policies"), join(copy, "policies"));
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    const other = join(copy, "dist", "register.js");
    for (const flags of [
      ["--require", "budget-guard/register", "--require", other],
      ["--require", other, "--import", "budget-guard/register"],
      ["--import", "budget-guard/register", "--import", "budget-guard/register", "--require", "budget-guard/register"],
    ]) {
      const before = provider.requests.length;
      const end = await project.run({ flags, args: [provider.url] });
      expect([end.code, end.stderr]).toEqual([0, ""]);
      expect(end.json<Told>().statuses).toEqual([200, 402]);
      expect(provider.requests.length - before).toBe(1);
      const below = await start("spawn env of its own", { flags });
      expect([below.json<Told>().statuses, below.stderr]).toEqual([[200, 402], ""]);
    }
  });

  it("stands in front of a bundled and minified application, whatever undici it brought", async () => {
    const { buildSync } = await import("esbuild");
    project.write(
      "source.mjs",
      `import { Agent, fetch as npmFetch, request } from "undici7";
       import axios from "axios";
       import OpenAI from "openai";
       const url = process.argv.at(-1) + "/v1/chat/completions";
       const body = (n) => JSON.stringify({ model: "fixed-model", max_tokens: 100, messages: [{ role: "user", content: "hi" + n }] });
       const headers = { "content-type": "application/json" };
       const init = (n) => ({ method: "POST", headers, body: body(n) });
       const run = async () => {
         const client = new OpenAI({ apiKey: "a-key", baseURL: process.argv.at(-1) + "/v1" });
         const statuses = [
           (await request(url, init(1))).statusCode,
           (await request(url, { ...init(2), dispatcher: new Agent() })).statusCode,
           (await npmFetch(url, init(3))).status,
           (await fetch(url, init(4))).status,
           (await axios.post(url, body(5), { headers, validateStatus: () => true })).status,
           await client.chat.completions.create(JSON.parse(body(6))).then(() => 200, (error) => error.status),
         ];
         console.log(JSON.stringify({ statuses }));
         process.exit();
       };
       run();`,
    );
    for (const [format, outfile] of [
      ["esm", "bundle.mjs"],
      ["cjs", "bundle.cjs"],
    ] as const) {
      buildSync({
        entryPoints: [join(project.folder, "source.mjs")],
        outfile: join(project.folder, outfile),
        bundle: true,
        minify: true,
        platform: "node",
        target: "node20",
        format,
        logLevel: "error",
        ...(format === "esm" && {
          banner: {
            js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
          },
        }),
      });
      expect(readFileSync(join(project.folder, outfile), "utf8")).not.toMatch(/from\s*"undici7"/);
      const end = await project.run({ script: outfile, args: [provider.url] });
      expect([end.code, end.stderr]).toEqual([0, ""]);
      expect(end.json<Told>().statuses).toEqual([200, 402, 402, 402, 402, 402]);
    }
  });
});
