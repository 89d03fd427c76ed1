// Compiles the grammar with Peggy into src/policy/parser.js, and bundles src into dist.
import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => join(root, ...parts);
const { dependencies, peerDependencies } = JSON.parse(readFileSync(at("package.json"), "utf8"));

/** Runs a tool of node_modules with this very Node, so that PATH does not matter. */
function run(tool, ...args) {
  const done = spawnSync(process.execPath, [at("node_modules", tool), ...args], { cwd: root, stdio: "inherit" });
  if (done.status !== 0) process.exit(done.status ?? 1);
}

const generated = at("src", "policy", "parser.js");
run(
  "peggy/bin/peggy.js",
  "--format",
  "es",
  "--allowed-start-rules",
  "Policy,Suite",
  "--output",
  generated,
  at("grammar", "budget.peggy"),
);
writeFileSync(
  generated.replace(/\.js$/, ".d.ts"),
  `import type { PeggyParser } from "./ast.ts";\nexport declare const parse: PeggyParser;\nexport declare const SyntaxError: new () => Error;\n`,
);

if (!process.argv.includes("--grammar")) {
  rmSync(at("dist"), { recursive: true, force: true });
  // Types come from the compiler, one file each; code from the bundler, since every file that is loaded costs the start
  // of every process.
  run("typescript/bin/tsc", "-p", at("src", "tsconfig.json"));
  const { rolldown } = await import("rolldown");
  const bundle = await rolldown({
    cwd: root,
    input: {
      register: "src/register.ts",
      index: "src/index.ts",
      "cli/main": "src/cli/main.ts",
      "telemetry/emit": "src/telemetry/emit.ts",
    },
    platform: "node",
    external: [
      /^node:/,
      ...Object.keys({ ...dependencies, ...peerDependencies }).map((name) => new RegExp(`^${name}(/|$)`)),
    ],
  });
  await bundle.write({ dir: "dist", format: "esm", chunkFileNames: "chunks/[name].js" });
  cpSync(at("src", "store", "lua"), at("dist", "store", "lua"), { recursive: true });
  cpSync(at("src", "too-old.cjs"), at("dist", "too-old.cjs"));
}
