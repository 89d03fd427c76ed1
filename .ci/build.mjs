// Compiles the grammar with Peggy into src/policy/parser.js, and src into dist.
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => join(root, ...parts);

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
  run("typescript/bin/tsc", "-p", at("src", "tsconfig.json"));
  mkdirSync(at("dist", "policy"), { recursive: true });
  copyFileSync(generated, at("dist", "policy", "parser.js"));
  if (existsSync(at("src", "store", "lua"))) {
    cpSync(at("src", "store", "lua"), at("dist", "store", "lua"), { recursive: true });
  }
}
