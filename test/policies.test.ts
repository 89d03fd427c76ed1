/**
 * The policies that ship, through the command as it is installed: all sound, all tested, no rule untried.
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const main = join(root, "dist", "cli", "main.js");

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `budget-guard ARGS` in the repository. */
function cli(...args: readonly string[]): Ran {
  const env = { PATH: process.env.PATH ?? "", NO_COLOR: "1" };
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { cwd: root, encoding: "utf8", env });
  return { code: status, stdout, stderr };
}

/** What an example imports is tested by who imports it. */
const IMPORTED = "policies/examples/org.budget";

const programs = ["policies", "policies/examples"].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".budget") && !name.endsWith(".test.budget"))
    .map((name) => `${folder}/${name}`)
    .filter((file) => file !== IMPORTED),
);

interface Told {
  readonly passed: number;
  readonly failed: number;
  readonly suites: readonly { readonly file: string; readonly policy: string; readonly tests: readonly unknown[] }[];
  readonly coverage: readonly {
    readonly policy: string;
    readonly neverFired: readonly { readonly rule: string }[];
    readonly neverPassed: readonly { readonly rule: string }[];
  }[];
}

let ran: Ran;
let told: Told;
beforeAll(() => {
  ran = cli("test", "policies", "policies/examples", "--strict", "--json");
  told = JSON.parse(ran.stdout);
});

describe("the policies that ship", () => {
  it("are the 25 programs of the language, the starter and the incident", () => {
    const numbers = programs.flatMap((file) => /\/(\d\d)-/.exec(file)?.[1] ?? []);
    expect(numbers).toEqual(Array.from({ length: 25 }, (_, at) => String(at + 1).padStart(2, "0")));
    expect(programs).toEqual(expect.arrayContaining(["policies/starter.budget", "policies/incident.budget"]));
  });

  it("pass all their tests", () => {
    expect({ code: ran.code, failed: told.failed, stderr: ran.stderr }).toEqual({ code: 0, failed: 0, stderr: "" });
    expect(told.passed).toBeGreaterThan(programs.length * 3);
  });

  it.each(programs)(
    "%s checks clean, has tests beside it, and each of its rules is fired by one and lets another pass",
    (file) => {
      const tests = file.replace(/\.budget$/, ".test.budget");
      expect(existsSync(join(root, tests))).toBe(true);
      expect(told.suites.find((suite) => suite.file === tests)?.policy).toBe(file);
      const own = told.coverage.find(({ policy }) => policy === file);
      expect({ fired: own?.neverFired, passed: own?.neverPassed }).toEqual({ fired: [], passed: [] });
      expect(cli("check", file, "--strict")).toMatchObject({ code: 0 });
    },
  );

  it("are in canonical form, as far as they are tests", () => {
    const { code, stdout } = cli(
      "fmt",
      "--check",
      ...programs.map((file) => file.replace(/\.budget$/, ".test.budget")),
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
  });

  it("are explained, every rule of them", () => {
    for (const file of programs) {
      const env = { PATH: process.env.PATH ?? "", BUDGET_GUARD_POLICY: file };
      const { status, stdout } = spawnSync(process.execPath, [main, "explain"], { cwd: root, encoding: "utf8", env });
      expect({ file, status }).toEqual({ file, status: 0 });
      expect(stdout).toMatch(/(When|For every call|While) /);
    }
  });
});
