// What budget-guard costs, measured here and now: `npm run bench`, or `node bench/main.mjs --json FILE`.
// Interleaved runs, medians, and ratios to a floor measured in the same minute; absolute figures hold for this machine only.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { measureBodies } from "./bodies.mjs";
import { measureCalls } from "./calls.mjs";
import { measureHeap } from "./heap.mjs";
import { bundleInternals } from "./internals.mjs";
import { launch, lines, pinned, startRedis } from "./machine.mjs";
import { measurePreload } from "./preload.mjs";
import { print } from "./table.mjs";

const { values } = parseArgs({ options: { json: { type: "string" } } });
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const project = mkdtempSync(join(tmpdir(), "budget-guard-bench-"));
const say = (text) => process.stderr.write(`bench: ${text}\n`);

mkdirSync(join(project, "node_modules"));
symlinkSync(root, join(project, "node_modules", "budget-guard"));
writeFileSync(join(project, "package.json"), "{}\n");
mkdirSync(join(project, "policies"));
writeFileSync(join(project, "policies", "bench.budget"), rules25());

const redis = await startRedis();
try {
  say("preload ...");
  const preload = await measurePreload(project);
  say("guarded calls beside direct ones ...");
  const calls = await measureCalls({ project, redis });
  say("bodies of a megabyte ...");
  const internals = await bundleInternals(root);
  const bodies = await measureBodies({ project, internals });
  say("10,000 streams, and what they leave ...");
  const heap = await measureHeap({ project, redis });
  say("stores beside their floors ...");
  const args = [join(root, "bench", "stores.mjs"), project, internals, redis?.url ?? ""];
  const child = launch(0, process.execPath, args, { cwd: root });
  const stores = JSON.parse(await lines(child)());
  say("policy beside other rule engines ...");
  const judging = launch(0, process.execPath, [join(root, "bench", "policy.mjs"), internals], { cwd: root });
  const policy = JSON.parse(await lines(judging)());
  const result = {
    node: process.versions.node,
    cpu: `${cpus().length} x ${cpus()[0]?.model ?? "unknown"}`,
    pinned,
    preload,
    calls,
    bodies,
    heap,
    stores,
    policy,
  };
  print(result);
  if (values.json) {
    writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
    say(`written to ${values.json}`);
  }
} finally {
  redis?.stop();
  rmSync(project, { recursive: true, force: true, maxRetries: 5 });
}

/** 25 rules over the usual scopes, none of which ever stops the benchmark. */
function rules25() {
  const rules = [
    "global.daily > $500K -> deny",
    "run.calls > 100M -> deny",
    "run.repeats > 10M -> deny",
    "tenant.concurrency > 10K -> deny",
  ];
  const limits = { hourly: "$100K", daily: "$200K", monthly: "$300K" };
  for (const scope of ["tenant", "feature", "user"]) {
    for (const [window, limit] of Object.entries(limits)) rules.push(`${scope}.${window} > ${limit} -> deny`);
  }
  for (let index = 0; rules.length < 25; index++) {
    rules.push(`tenant.daily > $${index + 1}K when tenant == "t${index}" -> deny`);
  }
  return `${rules.join("\n")}\n`;
}
