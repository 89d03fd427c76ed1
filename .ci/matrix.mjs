// `npm run test:matrix`: every row of test/matrix/rows.json on every Node. Arguments: the lines of Node to run (20 22 24 26
// unless given), and parts of the paths of suites where not all are wanted. With --write it leaves what came of each row in
// test/matrix/cells.json, which the page on coverage is printed from. Where TEST_REPORTS names a folder that holds a report of
// all tests on a line already, that one is read instead of running it again.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { nodeOf, versions } from "./nodes.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (name) => join(root, "test", "matrix", name);
const args = process.argv.slice(2);
const write = args.includes("--write");
const named = args.filter((word) => /^\d+$/.test(word));
const lines = named.length > 0 ? named : Object.keys(versions);
const wanted = args.filter((word) => !/^\d+$|^--/.test(word));
const reports = process.env.TEST_REPORTS ?? mkdtempSync(join(tmpdir(), "budget-guard-matrix-"));
const suiteOf = ({ suite = "e2e/matrix.test.ts" }) => `test/${suite}`;
const every = JSON.parse(readFileSync(at("rows.json"), "utf8"));
const rows = every.filter((row) => wanted.length === 0 || wanted.some((part) => suiteOf(row).includes(part)));
if (rows.length === 0 || lines.some((major) => versions[major] === undefined)) {
  process.stderr.write(`no such line or suite: ${args.join(" ")}\n`);
  process.exit(2);
}

const cells = [];
const results = lines.map((major) => {
  const start = Date.now();
  const { tests, wrong } = outcome(major);
  for (const row of rows) {
    const cell = { client: row.client, node: major, ...cellOf(row, tests, major) };
    cells.push(cell);
    if (cell.result === "NO") wrong.push(`${row.client}: ${cell.why}`);
  }
  return { major, wrong, seconds: (Date.now() - start) / 1000 };
});

process.stdout.write("\n");
for (const { major, wrong, seconds } of results) {
  process.stdout.write(
    `${wrong.length === 0 ? "ok    " : "FAILED"} Node ${versions[major]} (${rows.length} rows, ${seconds.toFixed(0)} s)\n`,
  );
  for (const why of wrong) process.stdout.write(`       Node ${major}, ${why}\n`);
}
if (write) save();
if (process.env.TEST_REPORTS === undefined) rmSync(reports, { recursive: true });
process.exit(results.every(({ wrong }) => wrong.length === 0) ? 0 : 1);

/** All tests of a line by their full names, and what failed outside the rows. */
function outcome(major) {
  const ready = process.env.TEST_REPORTS && readdirSync(reports).find((name) => name.startsWith(`${major}.`));
  const { report, status } = ready ? { report: join(reports, ready), status: 0 } : run(major);
  if (!existsSync(report)) return { tests: [], wrong: ["vitest left no report"] };
  const tests = [];
  const wrong = [];
  for (const { name, status: ended, assertionResults } of JSON.parse(readFileSync(report, "utf8")).testResults) {
    const file = name.slice(name.lastIndexOf("/test/") + 1);
    if (!/^test\/(e2e|hook)\//.test(file)) continue;
    const own = assertionResults.map((test) => ({ file, ...test }));
    if (ended === "failed" && own.every((test) => test.status !== "failed")) wrong.push(`${file} did not run`);
    tests.push(...own);
  }
  const inRow = (test) => rows.some((row) => isOf(row, test));
  for (const test of tests) {
    if (test.status === "failed" && !inRow(test)) wrong.push(`${test.file}: ${test.fullName.trim()}`);
  }
  const told = wrong.length > 0 || tests.some((test) => test.status === "failed");
  if (status !== 0 && !told) wrong.push(`vitest ended with ${status}`);
  return { tests, wrong };
}

function run(major) {
  const node = nodeOf(major, npm);
  process.stdout.write(`\n== the matrix on Node ${versions[major]}\n`);
  const report = join(reports, `matrix-${major}.json`);
  const PATH = `${dirname(node)}${delimiter}${process.env.PATH ?? ""}`;
  const output = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const suites = wanted.length > 0 ? [...new Set(rows.map(suiteOf))] : ["test/e2e/", "test/hook/"];
  const vitest = [join(root, "node_modules", "vitest", "vitest.mjs"), "run", ...output, ...suites];
  const { status } = spawnSync(node, vitest, { cwd: root, stdio: "inherit", env: { ...process.env, PATH } });
  return { report, status: status ?? 1 };
}

function isOf(row, { file, fullName, ancestorTitles }) {
  if (file !== suiteOf(row)) return false;
  return row.speaks === undefined
    ? new RegExp(row.tests ?? "").test(fullName.trim())
    : ancestorTitles[0] === row.client;
}

/** A row that has no test on a line where it loads is no row that holds. */
function cellOf(row, tests, major) {
  if (row.from !== undefined && Number(major) < Number.parseInt(row.from, 10)) return { result: `from ${row.from}` };
  const own = tests.filter((test) => isOf(row, test) && (test.status === "passed" || test.status === "failed"));
  const failed = own.filter((test) => test.status === "failed").map((test) => test.title);
  if (own.length === 0) return { result: "NO", why: "no test has run" };
  if (failed.length > 0) return { result: "NO", why: failed.join("; ") };
  return { result: "yes", tests: own.length };
}

/** What was not run now stays as it is. */
function save() {
  const before = existsSync(at("cells.json")) ? JSON.parse(readFileSync(at("cells.json"), "utf8")) : [];
  const all = every.flatMap(({ client }) =>
    Object.keys(versions).flatMap((node) => {
      const same = (cell) => cell.client === client && cell.node === node;
      const { why: _, ...cell } = cells.find(same) ?? before.find(same) ?? {};
      return cell.client === undefined ? [] : [cell];
    }),
  );
  writeFileSync(at("cells.json"), JSON.stringify(all));
  const biome = join(root, "node_modules", "@biomejs", "biome", "bin", "biome");
  spawnSync(process.execPath, [biome, "format", "--write", at("cells.json")], { cwd: root, stdio: "ignore" });
}

function npm(words) {
  const script = process.env.npm_execpath;
  const [command, first] = script?.endsWith(".js") ? [process.execPath, [script]] : ["npm", []];
  const done = spawnSync(command, [...first, ...words], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  if (done.status !== 0) process.exit(1);
}
