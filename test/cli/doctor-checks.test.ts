import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { check } from "../../src/cli/doctor-check.ts";
import { findCopies } from "../../src/cli/doctor-copies.ts";
import { nodeCheck, processChecks } from "../../src/cli/doctor-process.ts";
import { evictionCheck } from "../../src/cli/doctor-store.ts";
import { doctorText } from "../../src/cli/doctor-text.ts";
import { fileWriting } from "../../src/cli/doctor-writing.ts";

function tree(files: Readonly<Record<string, object>>): string {
  const folder = mkdtempSync(join(tmpdir(), "budget-guard-doctor-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), JSON.stringify(content));
  }
  return folder;
}

const undici = (version: string) => ({ name: "undici", version });

describe("copies of a package", () => {
  it("are found nested, under other names, in scopes, in pnpm's store, and above the folder, each once", () => {
    const folder = tree({
      "node_modules/undici/package.json": undici("7.0.0"),
      "node_modules/old-undici/package.json": undici("5.0.0"),
      "node_modules/sdk/package.json": { name: "sdk", version: "1.0.0" },
      "node_modules/sdk/node_modules/undici/package.json": undici("6.0.0"),
      "node_modules/@scope/sdk/package.json": { name: "@scope/sdk", version: "1.0.0" },
      "node_modules/@scope/sdk/node_modules/undici/package.json": undici("6.1.0"),
      "node_modules/.pnpm/undici@8.0.0/node_modules/undici/package.json": undici("8.0.0"),
      "app/node_modules/mine/package.json": { name: "mine", version: "1.0.0" },
    });
    symlinkSync(join(folder, "node_modules", "undici"), join(folder, "app", "node_modules", "undici"));
    const { copies, packages, whole } = findCopies(join(folder, "app"), ["undici"]);
    const versions = copies.get("undici")?.map(({ version }) => version);
    expect(versions?.sort()).toEqual(["5.0.0", "6.0.0", "6.1.0", "7.0.0", "8.0.0"]);
    expect({ packages, whole }).toEqual({ packages: 8, whole: true });
  });

  it("are none where there is nothing, or nothing that can be read", () => {
    const folder = tree({ "node_modules/broken/other.json": {} });
    writeFileSync(join(folder, "node_modules", "broken", "package.json"), "{");
    expect(findCopies(folder, ["undici"]).copies.get("undici")).toEqual([]);
    expect(findCopies(join(folder, "nowhere"), ["undici"]).copies.get("undici")).toEqual([]);
  });
});

describe("Node", () => {
  it.each(["18.20.8", "20.18.0", "21.7.0", "22.11.0"])("%s cannot load the guard", (version) => {
    expect(nodeCheck(version)).toMatchObject({ state: "fail", detail: expect.stringContaining(version) });
  });
  it.each(["20.19.0", "22.12.0", "24.0.0", "26.1.0"])("%s can", (version) => {
    expect(nodeCheck(version).state).toBe("ok");
  });
  it("of an odd number is said to be on its own", () => {
    expect(nodeCheck("23.1.0").state).toBe("warn");
  });
});

describe("the process", () => {
  const found = (root: string | null, env: Record<string, string>, name: string) =>
    processChecks(root, env).find((one) => one.name === name);

  it("says who loads the guard", () => {
    const bare = tree({ "package.json": { scripts: { start: "node app.js" } } });
    const own = tree({ "package.json": { scripts: { start: "node --require budget-guard/register app.js" } } });
    const cli = tree({ "package.json": { scripts: { dev: "budget-guard run -- tsx app.ts" } } });
    expect(found(bare, {}, "preload")?.state).toBe("warn");
    expect(found(own, {}, "preload")?.detail).toBe("by package.json: npm run start");
    expect(found(cli, {}, "preload")?.detail).toBe("by package.json: npm run dev");
    expect(found(bare, { NODE_OPTIONS: "--import=budget-guard/register" }, "preload")?.detail).toBe("by NODE_OPTIONS");
    expect(found(null, {}, "preload")).toBeUndefined();
  });

  it("warns of what is loaded before the guard", () => {
    const env = { NODE_OPTIONS: "--require dd-trace/init --require budget-guard/register" };
    expect(found(null, env, "NODE_OPTIONS")).toMatchObject({
      state: "warn",
      detail: expect.stringContaining("dd-trace/init before"),
    });
    const good = { NODE_OPTIONS: "--require budget-guard/register --require dd-trace/init" };
    expect(found(null, good, "NODE_OPTIONS")?.state).toBe("ok");
  });

  it("names the variable that was meant", () => {
    const checks = processChecks(null, { BUDGET_GUARD_TENNANT: "acme", BUDGET_GUARD_MODE: "enforce" });
    expect(checks.find(({ name }) => name === "variables")).toMatchObject({
      state: "warn",
      detail: "nobody reads BUDGET_GUARD_TENNANT",
      advice: "Did you mean BUDGET_GUARD_TENANT?",
    });
  });
});

describe("the file of a ledger", () => {
  it("may be written where it is a file, or can be made", () => {
    const folder = tree({ "ledger.db": {} });
    expect(fileWriting(join(folder, "ledger.db")).state).toBe("ok");
    expect(fileWriting(join(folder, "new", "folder", "ledger.db")).state).toBe("ok");
  });

  it("is none where it is a folder, or stands below a file", () => {
    const folder = tree({ "ledger.db": {} });
    expect(fileWriting(folder)).toMatchObject({ state: "fail", detail: `${folder} is a folder` });
    const below = fileWriting(join(folder, "ledger.db", "below"));
    expect(below).toMatchObject({ state: "fail", detail: `${join(folder, "ledger.db")} is no folder` });
  });
});

describe("a Redis that may throw keys away", () => {
  it.each(["allkeys-lru", "volatile-ttl"])(
    "by %s fails where it has a limit, and is worth knowing where not",
    (policy) => {
      expect(evictionCheck(policy, true).state).toBe("fail");
      expect(evictionCheck(policy, false).state).toBe("warn");
    },
  );
  it("is fine with noeviction, and unknown where it does not tell", () => {
    expect(evictionCheck("noeviction", true).state).toBe("ok");
    expect(evictionCheck(null, true).state).toBe("warn");
  });
});

describe("the report", () => {
  const plain = (_: string, text: string): string => text;

  it("is aligned under headings, with advice where something is not in order", () => {
    const checks = [
      check("process", "ok", "Node", "20.20.2", "never said"),
      check("process", "warn", "variables", "nobody reads X", "Did you mean Y?\nOr Z?"),
      check("clients", "fail", "fetch", "not refused"),
    ];
    expect(doctorText(checks, plain).split("\n")).toEqual([
      "this process",
      "  ok    Node       20.20.2",
      "  warn  variables  nobody reads X",
      "                   Did you mean Y?",
      "                   Or Z?",
      "",
      "clients, each tried against a server on this machine",
      "  FAIL  fetch      not refused",
      "",
      "1 thing not covered or not in order, 1 thing to know.",
    ]);
  });
});
