import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");

interface Manifest {
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

interface Packed {
  readonly filename: string;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

/** Runs a program to its end, with nothing in its environment that would speak to the guard. */
function run(command: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}) {
  const { PATH = "", HOME = "" } = process.env;
  const done = spawnSync(command, args, { cwd, encoding: "utf8", env: { PATH, HOME, NO_COLOR: "1", ...env } });
  if (done.error !== undefined) throw done.error;
  return { code: done.status, stdout: done.stdout, stderr: done.stderr };
}

const succeed = (...args: Parameters<typeof run>): string => {
  const { code, stdout, stderr } = run(...args);
  if (code !== 0) throw new Error(`${args[0]} ${args[1].join(" ")} ended with ${code}:\n${stdout}${stderr}`);
  return stdout;
};

/** Names in `from "..."`, `import("...")` and `require("...")` of a module or of its types, comments and templates aside. */
const importsOf = (text: string): readonly string[] =>
  [...text.replace(/^\s*(\*|\/\/|\/\*).*$/gm, "").matchAll(/(?:^|[\s;(])(?:from|import|require)\s*\(?\s*"([^"\n]+)"/gm)]
    .map(([, name = ""]) => name)
    .filter((name) => !name.includes("${"));

describe("the package", () => {
  let folder: string;
  let installed: string;
  let packed: Packed;
  let manifest: Manifest;
  let paths: readonly string[];
  const text = (path: string): string => readFileSync(join(installed, path), "utf8");
  const missing = (path: string): boolean => !paths.includes(path);

  // Packed and laid out as `npm install` does, with the dependencies that this repository has: no network, no build.
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "budget-guard-package-"));
    const said = succeed("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], root);
    [packed] = JSON.parse(said) as [Packed];
    succeed("tar", ["-xzf", packed.filename], folder);
    const modules = join(folder, "app", "node_modules");
    installed = join(modules, "budget-guard");
    for (const scope of ["@pydantic", "@opentelemetry"]) mkdirSync(join(modules, scope), { recursive: true });
    succeed("mv", ["package", installed], folder);
    manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as Manifest;
    for (const name of [...Object.keys(manifest.dependencies), "@opentelemetry/api"]) {
      symlinkSync(join(root, "node_modules", name), join(modules, name));
    }
    writeFileSync(join(folder, "app", "package.json"), '{ "private": true, "type": "module" }\n');
    paths = packed.files.map(({ path }) => path);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const app = (): string => join(folder, "app");
  const node = (...args: readonly string[]) => run(process.execPath, args, app());
  const cli = (...args: readonly string[]) => node("node_modules/budget-guard/dist/cli/main.js", ...args);

  it("holds the build, the policies, the licence and nothing else", () => {
    const allowed = [
      /^(LICENSE|README\.md|package\.json|budget-guard\.schema\.json)$/,
      /^docs\/[\w-]+\.md$/,
      /^dist\/(index|register|cli\/(main|doctor-patient|doctor-probe)|telemetry\/emit)\.(js|d\.ts)$/,
      /^dist\/chunks\/[\w-]+\.js$/,
      /^dist\/register\.cjs$/,
      /^dist\/store\/lua\/(includes\/)?[\w-]+\.lua$/,
      /^dist\/([\w-]+\/)?[\w-]+\.d\.ts$/,
      /^policies\/(examples\/)?[\w-]+(\.test)?\.budget$/,
      /^policies\/examples\/limits\.json$/,
    ];
    expect(paths.filter((path) => !allowed.some((form) => form.test(path)))).toEqual([]);
    expect(["LICENSE", "README.md", "policies/starter.budget", "policies/incident.budget"].filter(missing)).toEqual([]);
    expect(packed.unpackedSize).toBeLessThan(2_000_000);
  });

  it("ships the types that its entries reach, and no others", () => {
    const reached = new Set<string>();
    const reach = (path: string): void => {
      if (reached.has(path)) return;
      reached.add(path);
      for (const name of importsOf(text(path))) {
        expect(name).toMatch(/^\./);
        reach(normalize(join(dirname(path), name.replace(/\.(ts|js)$/, ".d.ts"))));
      }
    };
    reach("dist/index.d.ts");
    reach("dist/register.d.ts");
    expect(paths.filter((path) => path.endsWith(".d.ts")).sort()).toEqual([...reached].sort());
  });

  it("imports only what it ships, what Node brings and what it declares", () => {
    const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
    const scripts = paths.filter((path) => path.endsWith(".js"));
    expect(scripts.length).toBeGreaterThan(4);
    for (const path of scripts) {
      for (const name of importsOf(text(path))) {
        if (name.startsWith("."))
          expect(paths, `${path} imports ${name}`).toContain(normalize(join(dirname(path), name)));
        else if (name.startsWith("node:"))
          expect(builtinModules.concat("sqlite")).toContain(name.slice("node:".length));
        else
          expect(
            declared.filter((own) => name === own || name.startsWith(`${own}/`)),
            `${path}: ${name}`,
          ).toHaveLength(1);
      }
    }
  });

  it("points only at files that are there, types first, and runs nothing at install", () => {
    const targets = Object.values(manifest.exports).flatMap((target) =>
      typeof target === "string" ? [target] : Object.values(target),
    );
    expect([...targets, ...Object.values(manifest.bin)].map((path) => normalize(path)).filter(missing)).toEqual([]);
    for (const target of Object.values(manifest.exports)) {
      if (typeof target !== "string") expect(Object.keys(target)[0]).toBe("types");
    }
    expect(text("dist/cli/main.js")).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(
      Object.keys(manifest.scripts).filter((name) => /^((pre|post)?install|(pre|post)?prepare)$/.test(name)),
    ).toEqual([]);
    expect(Object.keys(manifest.dependencies)).toEqual(["@pydantic/genai-prices", "ioredis"]);
  });

  it("names no folder of the machine that built it, and no map that it does not have", () => {
    for (const path of paths) {
      expect(text(path), path).not.toContain(root);
      expect(text(path), path).not.toContain("sourceMappingURL");
    }
  });

  it("is one instance for require and import, from CommonJS and ESM, without a warning", () => {
    const both = "m.withBudget === r.withBudget && m.BudgetExceededError === r.BudgetExceededError";
    writeFileSync(
      join(app(), "common.cjs"),
      `const r = require("budget-guard"); import("budget-guard").then((m) => console.log(${both}));`,
    );
    writeFileSync(
      join(app(), "modern.mjs"),
      `import { createRequire } from "node:module"; import * as m from "budget-guard";
       const r = createRequire(import.meta.url)("budget-guard"); console.log(${both});`,
    );
    for (const script of ["common.cjs", "modern.mjs"]) {
      for (const flag of ["--require", "--import"]) {
        expect(node(flag, "budget-guard/register", script)).toEqual({ code: 0, stdout: "true\n", stderr: "" });
      }
    }
  });

  it("says what it needs, and lets nothing run unguarded, where an ES module cannot be required", () => {
    const { code, stdout, stderr } = node(
      ...["--no-experimental-require-module", "--require", "budget-guard/register", "-e", "console.log('unguarded')"],
    );
    expect([code, stdout]).toEqual([78, ""]);
    expect(stderr).toBe(
      `budget-guard: this is Node ${process.versions.node}, and budget-guard needs Node 20.19, or 22.12 or newer ` +
        "(and require(esm), which --no-experimental-require-module takes away).\n",
    );
  });

  it("brings a command that writes the starter policy and finds it sound", () => {
    expect(cli("--version").stdout).toContain(manifest.version);
    expect(cli("init").code).toBe(0);
    expect(existsSync(join(app(), "policies", "starter.budget"))).toBe(true);
    expect(cli("check")).toMatchObject({ code: 0, stdout: expect.stringContaining("rules in 1 file") });
  });

  it("types a program of nodenext and of a bundler, with no other types installed", () => {
    const program = `
      import { withBudget, BudgetExceededError, status, pause, resume, closed, flush } from "budget-guard";
      import type { Gate, RefusalDetail, Scope, Status } from "budget-guard";
      import "budget-guard/register";
      export const one: number = await withBudget({ tenant: "acme", plan: "pro" }, async () => 1);
      export const all: Status = await status();
      export const dearest = all.meters.map((meter) => meter.spent).at(0);
      export const gates: readonly Gate[] = await closed();
      const scope: Scope = { tenant: "acme" };
      await pause(scope, 60_000);
      await resume(scope);
      export const detail = (error: unknown): RefusalDetail | null => error instanceof BudgetExceededError ? error.detail : null;
      await flush();
    `;
    writeFileSync(join(app(), "good.ts"), program);
    writeFileSync(join(app(), "bad.ts"), program.replace("const one: number", "const one: string"));
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const strict = "--noEmit --strict --skipLibCheck false --target es2023 --lib es2023 --types".split(" ");
    for (const [module, resolution] of [
      ["nodenext", "nodenext"],
      ["esnext", "bundler"],
    ] as const) {
      const check = (file: string) =>
        node(tsc, ...strict, "", "--module", module, "--moduleResolution", resolution, file);
      expect(check("good.ts")).toMatchObject({ code: 0, stdout: "" });
      expect(check("bad.ts").stdout).toContain("not assignable to type 'string'");
    }
  });
});
