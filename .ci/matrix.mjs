// `npm run test:matrix`: every client, SDK and hook on every Node. Arguments: the lines to run (20 22 24 26 unless given).
// With --write it leaves what each client did in test/matrix/cells.json, which the page on coverage is printed from.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { nodeOf, versions } from "./nodes.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const args = process.argv.slice(2);
const write = args.includes("--write");
const named = args.filter((word) => /^\d+$/.test(word));
const lines = named.length > 0 ? named : Object.keys(versions);
const reports = process.env.TEST_REPORTS ?? mkdtempSync(join(tmpdir(), "budget-guard-matrix-"));

/** Suites that are about one client. */
const suites = {
  "bedrock.test.ts": "@aws-sdk/client-bedrock-runtime",
  "google.test.ts": "@google/genai, @ai-sdk/google",
  "http2.test.ts": "node:http2",
  "http2-clients.test.ts": "gRPC and others over HTTP/2",
  "realtime.test.ts": "WebSocket and ws",
  "propagation.test.ts": "threads, children and clusters",
};

const cells = {};
const results = lines.map((major) => {
  const node = nodeOf(major, npm);
  process.stdout.write(`\n== the matrix on Node ${versions[major]}\n`);
  const report = join(reports, `matrix-${major}.json`);
  const PATH = `${dirname(node)}${delimiter}${process.env.PATH ?? ""}`;
  const output = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const start = Date.now();
  const { status } = spawnSync(
    node,
    [join(root, "node_modules", "vitest", "vitest.mjs"), "run", ...output, "test/e2e/", "test/hook/"],
    { cwd: root, stdio: "inherit", env: { ...process.env, PATH } },
  );
  collect(major, JSON.parse(readFileSync(report, "utf8")));
  return { major, status: status ?? 1, seconds: (Date.now() - start) / 1000 };
});

process.stdout.write("\n");
for (const { major, status, seconds } of results) {
  process.stdout.write(`${status === 0 ? "ok    " : "FAILED"} Node ${versions[major]} (${seconds.toFixed(0)} s)\n`);
}
if (write) {
  const rows = Object.entries(cells).flatMap(([client, held]) =>
    Object.entries(held).map(([node, passed]) => ({ client, node, result: passed ? "yes" : "NO" })),
  );
  mkdirSync(join(root, "test", "matrix"), { recursive: true });
  writeFileSync(join(root, "test", "matrix", "cells.json"), `${JSON.stringify(rows, null, 2)}\n`);
}
if (process.env.TEST_REPORTS === undefined) rmSync(reports, { recursive: true });
process.exit(results.every(({ status }) => status === 0) ? 0 : 1);

/** Client → Node line → whether all of its tests passed there; a client that does not load there has none. */
function collect(major, { testResults }) {
  for (const { name, assertionResults } of testResults) {
    const file = name.slice(name.lastIndexOf("/") + 1);
    for (const { ancestorTitles, status } of assertionResults) {
      const client = file === "matrix.test.ts" ? ancestorTitles[0] : suites[file];
      if (client === undefined || (status !== "passed" && status !== "failed")) continue;
      cells[client] ??= {};
      cells[client][major] = (cells[client][major] ?? true) && status === "passed";
    }
  }
}

function npm(words) {
  const script = process.env.npm_execpath;
  const [command, first] = script?.endsWith(".js") ? [process.execPath, [script]] : ["npm", []];
  const done = spawnSync(command, [...first, ...words], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  if (done.status !== 0) process.exit(1);
}
