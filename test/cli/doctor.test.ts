import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { startRedis } from "../support/redis.ts";
import { type Finished, type Project, type ProjectWishes, project } from "../support/run-app.ts";

interface Check {
  readonly area: string;
  readonly name: string;
  readonly state: "ok" | "warn" | "fail";
  readonly detail: string;
  readonly advice?: string;
}

interface Report {
  readonly version: string;
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

const policy = "tenant.hourly > $50 -> deny\n";
const node = process.execPath;
const CHARGED = "allowed with 200, charged $0.002";
const [major = 0] = process.versions.node.split(".").map(Number);

function aProject(wishes: ProjectWishes = {}): Project {
  const made = project({ policy, ...wishes });
  onTestFinished(() => made.remove());
  return made;
}

async function doctor(
  at: Project,
  ...args: readonly string[]
): Promise<{ readonly end: Finished; readonly report: Report }> {
  const end = await at.cli("doctor", "--json", ...args);
  return { end, report: JSON.parse(end.stdout) as Report };
}

const named = ({ checks }: Report, name: string): Check | undefined => checks.find((one) => one.name === name);
const failures = ({ checks }: Report): string[] =>
  checks.filter(({ state }) => state === "fail").map(({ name, detail }) => `${name}: ${detail}`);

describe("doctor", () => {
  it("finds a sound project covered: every client refused with nothing sent, and charged when it is allowed", async () => {
    const { end, report } = await doctor(aProject());
    expect(failures(report)).toEqual([]);
    expect([end.code, report.ok]).toEqual([0, true]);
    const clients = new Map(report.checks.filter(({ area }) => area === "clients").map((one) => [one.name, one]));
    const metered = ["fetch", "node:http", "node:https", "node:http2", "worker thread", "child process"];
    const copies = ["5.29.0", "6.29.1", "7.30.2"].flatMap((of) => [`undici ${of} fetch`, `undici ${of} Agent`]);
    for (const name of [...metered, ...copies]) {
      expect([name, clients.get(name)?.detail]).toEqual([name, `refused with 402; ${CHARGED}`]);
    }
    expect(clients.get("http upgrade (ws)")?.detail).toBe("refused with 402; allowed with 101, charged $0.002");
    expect(clients.has("WebSocket")).toBe(major >= 22);
    expect(clients.get("bare socket")?.detail).toBe("refused by `call.unmetered -> deny`, else let go and reported");
    expect(clients.get("bytes")?.detail).toBe("0 left while all was denied");
    expect(named(report, "policy")?.detail).toMatch(/^1 rule from policies\/test\.budget \([0-9a-f]{12}\)$/);
  });

  it("leaves the project's own ledger alone", async () => {
    const at = aProject();
    await doctor(at);
    expect(existsSync(join(at.folder, ".budget-guard"))).toBe(false);
  });

  it("says it where something takes node's clients away from the guard, and ends with 1", async () => {
    const at = aProject({
      files: {
        "first.cjs": 'globalThis.bare = require("node:events").init;',
        "late.cjs": 'require("node:events").init = globalThis.bare;',
      },
      env: { NODE_OPTIONS: "--require ./first.cjs --require budget-guard/register --require ./late.cjs" },
    });
    const { end, report } = await doctor(at, "--", node, "-e", "0");
    expect([end.code, report.ok]).toEqual([1, false]);
    expect(failures(report).find((line) => line.startsWith("process "))).toContain("its hooks do not see new clients");
    const fetched = failures(report).filter((line) => line.startsWith("fetch"));
    expect(fetched).toEqual(["fetch: refused; allowed with 200, but the ledger holds 0 calls at $0"]);
    expect(named(report, "NODE_OPTIONS")?.detail).toContain("loads ./first.cjs before the guard");
  });

  it("says what is wrong with policy, settings and variables before anything is started with them", async () => {
    const broken = await doctor(aProject({ policy: "tenant.hourly > -> deny\n" }));
    expect(broken.end.code).toBe(1);
    expect(named(broken.report, "policy")).toMatchObject({ state: "fail", advice: expect.stringContaining("check") });
    const off = await doctor(aProject({ env: { BUDGET_GUARD_MODE: "off", BUDGET_GUARD_POLCY: "x" } }));
    expect(named(off.report, "mode")?.state).toBe("fail");
    expect(named(off.report, "variables")?.advice).toBe("Did you mean BUDGET_GUARD_POLICY?");
    const wrong = await doctor(aProject({ env: { BUDGET_GUARD_MODE: "maybe" } }));
    expect(named(wrong.report, "settings")?.detail).toContain('BUDGET_GUARD_MODE is "maybe"');
    expect(wrong.end.code).toBe(1);
  });

  it("knows a Redis that would forget, and one that is not there", async () => {
    const redis = await startRedis(undefined, ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
    onTestFinished(() => redis.stop());
    const { end, report } = await doctor(aProject({ env: { BUDGET_GUARD_STORE: redis.url } }));
    expect(end.code).toBe(1);
    expect(named(report, "eviction")).toMatchObject({ state: "fail", detail: expect.stringContaining("allkeys-lru") });
    expect(named(report, "persistence")?.state).toBe("warn");
    expect(named(report, "shared by")?.detail).toBe("0 processes now");
    expect(report.checks.find(({ area }) => area === "store")?.detail).toMatch(/^answers in [\d.]+ ms$/);
    await redis.stop();
    const gone = await doctor(aProject({ env: { BUDGET_GUARD_STORE: redis.url } }));
    expect(gone.report.checks.find(({ area }) => area === "store")).toMatchObject({ state: "fail" });
  });

  it("knows a Redis that answers and takes nothing", async () => {
    const redis = await startRedis(undefined, ["--maxmemory", "1kb", "--maxmemory-policy", "noeviction"]);
    onTestFinished(() => redis.stop());
    const { end, report } = await doctor(aProject({ env: { BUDGET_GUARD_STORE: redis.url } }));
    expect(end.code).toBe(1);
    const { state, detail } = named(report, "writing") ?? {};
    expect(state).toBe("fail");
    expect(detail).toMatch(/cannot be used: OOM command not allowed when used memory > 'maxmemory'$/);
  });

  it("writes for people by default", async () => {
    const { stdout, code } = await aProject().cli("doctor");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}ok {4}fetch +refused with 402; allowed with 200, charged \$0\.002$/m);
    expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^Covered: \d+ checks passed, \d+ things? to know\.$/);
  });
});

describe("doctor -- COMMAND", () => {
  const server = `
    import { createServer } from "node:http";
    import "undici7";
    createServer(() => {}).listen(0, "127.0.0.1");
    console.log("serving");`;

  it("looks into each Node process of a program that goes on running, and ends it", async () => {
    const at = aProject({ files: { "server.mjs": server } });
    const flags = ["--max-old-space-size=300", "--require", "budget-guard/register"];
    const { end, report } = await doctor(
      at,
      "--seconds",
      "2",
      "--",
      "sh",
      "-c",
      `"${node}" ${flags.join(" ")} server.mjs`,
    );
    expect(failures(report)).toEqual([]);
    expect(end.code).toBe(0);
    expect(named(report, "command")?.detail).toContain("ended while it was running");
    expect(named(report, "preload")?.detail).toBe("by a flag of its command line");
    const seen = report.checks.filter(({ name }) => name.startsWith("process "));
    expect(seen.map(({ detail }) => detail)).toEqual([
      `server.mjs on Node ${process.versions.node}: guarded; loaded undici 7.30.2`,
    ]);
    expect(end.stdout).not.toContain("serving");
    expect(end.stderr).toContain("serving");
    const pid = Number(seen[0]?.name.slice("process ".length));
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });

  it("says that a program has no guard of its own, and how it ended", async () => {
    const at = aProject({ files: { "app.mjs": "process.exit(3)" } });
    const { report } = await doctor(at, "--", node, "app.mjs");
    expect(named(report, "command")).toMatchObject({ state: "warn", detail: expect.stringContaining("exit code 3") });
    expect(named(report, "preload")).toMatchObject({
      state: "warn",
      detail: expect.stringContaining("by this command only"),
    });
  });

  it("fails where no Node in it can be guarded", async () => {
    const { end, report } = await doctor(aProject(), "--", "env", "-i", node, "-e", "0");
    expect(end.code).toBe(1);
    expect(named(report, "processes")?.detail).toBe("no Node process in it loaded the guard");
  });

  it("ends like a shell where there is no such command, and with 2 where it is used wrongly", async () => {
    const at = aProject();
    expect(await at.cli("doctor", "--", "no-such-command")).toMatchObject({ code: 127 });
    expect(await at.cli("doctor", "--seconds", "soon")).toMatchObject({ code: 2 });
  });
});
