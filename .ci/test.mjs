// What `npm test` runs after the set-up: lint, types, every suite on this Node, and, where this Node has no
// node:sqlite, the suites that touch it once more on one that has. Ends with a summary and an honest exit code.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { hasSqlite, node24, node24Version } from "./node24.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tool = (name) => join(root, "node_modules", name);
const results = [];

step("lint", process.execPath, [tool("@biomejs/biome/bin/biome"), "check", "."]);
step("types", process.execPath, [tool("typescript/bin/tsc"), "-p", "tsconfig.json"]);
step(`tests on Node ${process.versions.node}`, process.execPath, [tool("vitest/vitest.mjs"), "run", ...report()]);
// CI runs everything on a second Node anyway.
if (!hasSqlite && process.env.ONE_NODE === undefined) {
  const suites = ["store", "e2e", "cli", "hook"].map((name) => `test/${name}/`);
  const name = `${suites.join(" ")} on Node ${node24Version}`;
  if (existsSync(node24)) step(name, node24, [tool("vitest/vitest.mjs"), "run", ...report(), ...suites]);
  else results.push({ name: `${name}: skipped, no such Node on this machine`, status: 0, seconds: 0 });
}

const failed = results.filter((result) => result.status !== 0);
process.stdout.write("\n");
for (const { name, status, seconds } of results) {
  process.stdout.write(`${status === 0 ? "ok    " : "FAILED"} ${name} (${seconds.toFixed(0)} s)\n`);
}
process.exit(failed.length === 0 ? 0 : 1);

function step(name, command, args) {
  process.stdout.write(`\n== ${name}\n`);
  const start = Date.now();
  // Children that say `node` get the same one.
  const PATH = `${dirname(command)}${delimiter}${process.env.PATH ?? ""}`;
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit", env: { ...process.env, PATH } });
  results.push({ name, status: status ?? 1, seconds: (Date.now() - start) / 1000 });
}

/** Where TEST_REPORTS names a folder, vitest also leaves its figures there, one file a run. */
function report() {
  const folder = process.env.TEST_REPORTS;
  if (folder === undefined) return [];
  const file = join(folder, `${process.versions.node}-${results.length}.json`);
  return ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
}
