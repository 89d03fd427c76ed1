import { chmodSync, cpSync, existsSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Project, type ProjectWishes, project } from "../support/run-app.ts";

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const main = "node_modules/budget-guard/dist/cli/main.js";
const policy = "tenant.hourly > $50 -> deny\n";
/** Prints whether the guard is in this process. */
const guarded = 'console.log("guarded", Reflect.has(globalThis, Symbol.for("budget-guard.v1")));';

function aProject(wishes: ProjectWishes = {}): Project {
  const made = project({ policy, ...wishes });
  onTestFinished(() => made.remove());
  return made;
}

const node = process.execPath;

describe("run", () => {
  it("puts the guard in the command and in every Node process under it", async () => {
    const child = `${guarded} require("node:child_process").execSync('"${node}" inner.cjs', { stdio: "inherit" });`;
    const { code, stdout } = await aProject({ files: { "outer.cjs": child, "inner.cjs": guarded } }).cli(
      ...["run", "--", "sh", "-c", `"${node}" outer.cjs`],
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: "guarded true\nguarded true\n" });
  });

  it("adds itself to NODE_OPTIONS once, however often it is called, and keeps what is there", async () => {
    const made = aProject({ env: { NODE_OPTIONS: "--max-old-space-size=300" } });
    const print = "console.log(process.env.NODE_OPTIONS)";
    const { stdout } = await made.cli("run", "--", node, main, "run", "--", node, "-e", print);
    expect(stdout).toMatch(/^--max-old-space-size=300 --require="[^"]+register\.cjs"\n$/);
  });

  it("works from a path with spaces and quotes", async () => {
    const made = aProject({ without: ["budget-guard"] });
    const odd = join(made.folder, 'my "odd" folder\'s', "budget-guard");
    mkdirSync(odd, { recursive: true });
    for (const name of ["dist", "package.json", "policies"]) {
      cpSync(join(repository, name), join(odd, name), { recursive: true });
    }
    symlinkSync(join(repository, "node_modules"), join(odd, "node_modules"));
    const { code, stdout, stderr } = await made.start({
      flags: [],
      script: join(odd, "dist", "cli", "main.js"),
      args: ["run", "--", node, "-e", guarded],
    }).finished;
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "guarded true\n", stderr: "" });
  });

  it("hands the command its own arguments, options and input", async () => {
    const made = aProject({
      files: { "echo.cjs": "console.log(process.argv.slice(2)); process.stdin.pipe(process.stdout)" },
    });
    const running = made.start({ flags: [], script: main, args: ["run", node, "echo.cjs", "--json", "--", "--help"] });
    running.tell("typed");
    running.process.stdin?.end();
    const { code, stdout } = await running.finished;
    expect({ code, stdout }).toEqual({ code: 0, stdout: "[ '--json', '--', '--help' ]\ntyped\n" });
  });

  it("passes the exit code on", async () => {
    expect(await aProject().cli("run", "--", node, "-e", "process.exit(7)")).toMatchObject({ code: 7, signal: null });
  });

  it("ends by the signal that ended the command", async () => {
    const { code, signal } = await aProject().cli("run", "--", node, "-e", "process.kill(process.pid, 'SIGKILL')");
    expect({ code, signal }).toEqual({ code: null, signal: "SIGKILL" });
  });

  it.each(["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR2"] as const)("sends %s on to the command, once", async (name) => {
    const script = `
      let times = 0;
      process.on(${JSON.stringify(name)}, () => { times += 1; setTimeout(() => process.exit(40 + times), 100); });
      setInterval(() => {}, 1000);
      console.log("ready");`;
    const running = aProject({ files: { "waits.cjs": script } }).start({
      flags: [],
      script: main,
      args: ["run", "--", node, "waits.cjs"],
    });
    await running.printed("ready");
    running.process.kill(name);
    expect(await running.finished).toMatchObject({ code: 41, signal: null });
  });

  it("ends like a shell where there is no such command, or where it may not be executed", async () => {
    const made = aProject({ files: { "plain.txt": "no program" } });
    chmodSync(join(made.folder, "plain.txt"), 0o644);
    const missing = await made.cli("run", "--", "no-such-command");
    expect(missing.code).toBe(127);
    expect(missing.stderr).toContain("no-such-command: no such command.");
    const denied = await made.cli("run", "--", "./plain.txt");
    expect(denied.code).toBe(126);
    expect(denied.stderr).toContain("may not be executed");
  });

  it("starts nothing where the policy has errors, shows them all and ends with 78", async () => {
    const made = aProject({ policy: "tenant.horuly > $5 -> deny\nrun.calls > $5 -> deny\n" });
    const { code, stderr } = await made.cli("run", "--", node, "-e", "require('fs').writeFileSync('started', '')");
    expect(code).toBe(78);
    expect(stderr.match(/^error\[/gm)).toHaveLength(2);
    expect(stderr).toContain("The policy has 2 errors.");
    expect(existsSync(join(made.folder, "started"))).toBe(false);
  });

  it("gives a command that works in another folder the same policy, ledger and settings", async () => {
    const print =
      "console.log(JSON.stringify(Object.fromEntries(Object.entries(process.env).filter(([n]) => n.startsWith('BUDGET_GUARD_')))))";
    const made = aProject({ files: { "sub/package.json": "{}", "sub/print.cjs": print }, config: { hosts: {} } });
    const { json } = await made.cli("run", "--", "sh", "-c", `cd sub && "${node}" print.cjs`);
    expect(json()).toEqual({
      BUDGET_GUARD_POLICY: join(made.folder, "policies"),
      BUDGET_GUARD_STORE: `file:${join(made.folder, ".budget-guard", "ledger.db")}`,
      BUDGET_GUARD_CONFIG: join(made.folder, "budget-guard.json"),
    });
  });

  it("creates no ledger by itself", async () => {
    const made = aProject();
    await made.cli("run", "--", node, "-e", "0");
    expect(existsSync(join(made.folder, ".budget-guard"))).toBe(false);
  });
});
