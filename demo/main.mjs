// The $47,000 loop with real parts, twice: without a guard, and with one. Ends with 1 where the guard did not stop it.
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { price, startProvider } from "./provider.mjs";
import { bold, counter, cyan, dim, green, print, red, table, wrapped } from "./screen.mjs";
import { startSink } from "./sink.mjs";

/** Nothing stops the loop without a guard, so the demo pulls the plug here. */
const BOUND = 2_000;
/** The incident's pace: 22 calls a minute for eleven days are 348,480 calls. */
const CALLS_A_MINUTE = 22;
const POLICY = "policies/incident.budget";

/** Of the enforcement span, what fits a screen. */
const shownAttributes = [
  "gen_ai.request.model",
  "error.type",
  "budget_guard.decision",
  "budget_guard.rule.id",
  "budget_guard.rule.doc",
  "budget_guard.budget.scope",
  "budget_guard.budget.used",
  "budget_guard.budget.limit",
  "budget_guard.estimate.cost",
  "budget_guard.feature",
  "budget_guard.run.id",
  "budget_guard.policy.id",
  "budget_guard.store",
];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), "budget-guard-demo-"));
// Whatever ends the demo (Ctrl-C, a reader that has seen enough), nothing of it stays behind.
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));
process.stdout.on("error", () => process.exit(0));
const [provider, sink] = await Promise.all([startProvider(), startSink()]);
const guardEnv = { BUDGET_GUARD_POLICY: POLICY, BUDGET_GUARD_STORE: `file:${join(folder, "ledger.db")}` };

try {
  print();
  print(bold("The $47,000 loop, with real parts"));
  print();
  print(
    wrapped(
      `Four agents (Analyzer, Synthesizer, Critic, Writer) on the real openai package, and a provider on loopback that bills ${price.model} at $${price.input} in and $${price.output} out per million tokens. Three competitors are in the queue; the second one's URL is malformed.`,
    ),
  );
  const bare = await withoutGuard();
  const guarded = await withGuard();
  const problems = await report(bare, guarded);
  for (const problem of problems) print(red(`FAILED: ${problem}`));
  process.exitCode = problems.length === 0 ? 0 : 1;
} finally {
  provider.close();
  sink.close();
}

async function withoutGuard() {
  print();
  print(`${bold("1  Without a guard")}   ${cyan("$ node demo/research.mjs")}`);
  const line = counter();
  let shown = 0;
  const run = start([], {}, (text) => {
    if (++shown <= 9) print(dim(`   ${text}`));
    if (shown === 10) print(dim("   ... and so on, round and round:"));
  });
  provider.begin((journal) => {
    if (shown >= 10) line.show(progress(journal));
    if (journal.calls >= BOUND) run.child.kill("SIGKILL");
  }, BOUND);
  const { lines, seconds } = await run.ended;
  const journal = provider.journal();
  line.end(progress(journal));
  print(`   Nothing stopped it. The demo pulled the plug at ${number(BOUND)} calls.`);
  return { ...journal, lines, seconds };
}

async function withGuard() {
  print();
  print(`${bold("2  With budget-guard")}   ${cyan("$ node --require budget-guard/register demo/research.mjs")}`);
  let stopped = null;
  let shown = 0;
  const run = start(["--require", "budget-guard/register"], guardedEnvironment(), (text) => {
    const isStop = text.includes(": stopped. ");
    if (isStop) stopped = { ...provider.journal(), seconds: (Date.now() - run.from) / 1000 };
    if (++shown <= 30) print((isStop ? green : dim)(`   ${clipped(text)}`));
  });
  provider.begin((journal) => {
    if (journal.calls >= BOUND) run.child.kill("SIGKILL");
  }, BOUND);
  const { lines, seconds, code } = await run.ended;
  return { ...provider.journal(), lines, seconds, code, stopped };
}

async function report(bare, guarded) {
  const refusal = guarded.lines.find((line) => line.includes(": stopped. ")) ?? "";
  const span = sink.spans.find(({ attributes }) => attributes["budget_guard.decision"] === "deny");
  const rule = span?.attributes["budget_guard.rule.id"];
  const delivered = (run) => run.lines.filter((line) => line.includes("delivers the report")).length;
  const { stopped } = guarded;

  print();
  table(
    ["", "without a guard", "with budget-guard"],
    [
      ["calls that reached the provider", red(number(bare.calls)), green(number(guarded.calls))],
      ["billed by the provider", red(dollars(bare.dollars)), green(dollars(guarded.dollars))],
      ["share of retries", share(bare), share(guarded)],
      [
        "the loop was stopped after",
        red("never"),
        green(stopped ? `${stopped.calls} calls, ${dollars(stopped.dollars)}` : "never"),
      ],
      ["by", "-", rule ? `rule "${rule}"` : "-"],
      [
        "at the incident's pace, that is after",
        "-",
        stopped ? `${Math.ceil((stopped.calls / CALLS_A_MINUTE) * 60)} seconds` : "-",
      ],
      ["reports delivered, of 2 possible", String(delivered(bare)), String(delivered(guarded))],
      ["took", `${bare.seconds.toFixed(1)} s`, `${guarded.seconds.toFixed(1)} s`],
    ],
  );
  const days = 11;
  const total = CALLS_A_MINUTE * 60 * 24 * days;
  print();
  print(
    dim(
      wrapped(
        `Not measured, computed: at ${dollars(bare.dollars / bare.calls, 4)} a call and ${CALLS_A_MINUTE} calls a minute, eleven days are ${number(total)} calls and about $${number(Math.round(((bare.dollars / bare.calls) * total) / 1000) * 1000)}.`,
      ),
    ),
  );
  print();
  print(bold("What the agent saw") + dim("   one attempt, no retry, from the openai package as it is"));
  print(wrapped(refusal.replace(/^.*?: stopped\. /, ""), 3));
  if (span) {
    print();
    print(bold("What the tracing backend saw") + dim(`   received over OTLP, one of ${sink.spans.length} spans`));
    print(`   ${span.name}${span.status === 2 ? red("   status ERROR") : ""}`);
    for (const name of shownAttributes) {
      const value = span.attributes[name];
      if (value !== undefined) print(`   ${dim(name.padEnd(30))} ${value}`);
    }
  }
  const ledger = await spentByLedger();
  print();
  print(
    `${bold("The books agree")}   provider's bill ${dollars(guarded.dollars, 4)}, ledger ${dollars(ledger, 4)}` +
      dim("   (npx budget-guard status)"),
  );
  print();
  print(`The policy: ${cyan(POLICY)}   Your own: ${cyan("npx budget-guard init")}`);
  print();
  return [
    bare.calls < BOUND && `the unguarded run ended by itself after ${bare.calls} calls`,
    guarded.code !== 0 && `the guarded application ended with ${guarded.code}`,
    (stopped === null || guarded.calls >= 50) && "the guard did not stop the loop",
    !refusal.includes("budget-guard refused this call") && "the agent did not see the refusal",
    delivered(guarded) !== 2 && `the guarded run delivered ${delivered(guarded)} of 2 reports`,
    span === undefined && "no enforcement span arrived",
    Math.abs(ledger - guarded.dollars) > 0.000_05 && "the ledger and the provider's bill differ",
  ].filter(Boolean);
}

/** Runs the application; `told` hears each line that it prints. */
function start(flags, env, told) {
  const from = Date.now();
  const child = spawn(process.execPath, [...flags, join("demo", "research.mjs")], {
    cwd: root,
    env: { ...cleanEnvironment(), OPENAI_BASE_URL: provider.url, OPENAI_API_KEY: "not-a-key", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    told(line);
  });
  const ended = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, lines, seconds: (Date.now() - from) / 1000 }));
  });
  return { child, from, ended };
}

/** Settings of this machine must not change what the demo shows. */
function cleanEnvironment() {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(OTEL_|BUDGET_GUARD_|NODE_OPTIONS$|NODE_USE_ENV_PROXY$|OPENAI_|.*_PROXY$)/i.test(name),
    ),
  );
}

function guardedEnvironment() {
  return {
    ...guardEnv,
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_SERVICE_NAME: "weekly-research",
  };
}

/** Dollars of all runs, as `budget-guard status --json` reads them from the ledger. */
async function spentByLedger() {
  const cli = join(root, "dist", "cli", "main.js");
  const { stdout } = await promisify(execFile)(process.execPath, [cli, "status", "--json"], {
    cwd: root,
    env: { ...cleanEnvironment(), ...guardEnv },
  });
  const meters = JSON.parse(stdout).meters.filter(
    ({ metric, scope }) => metric === "cost" && scope.feature === "research",
  );
  return Math.max(0, ...meters.map(({ spent }) => spent));
}

function progress({ calls, retries, dollars: spent }) {
  return `${number(calls)} calls   ${dollars(spent)}   ${Math.round((retries / Math.max(1, calls)) * 100)}% retries`;
}

function share({ calls, retries }) {
  return `${Math.round((retries / Math.max(1, calls)) * 100)}%`;
}

function number(value) {
  return value.toLocaleString("en-US");
}

function dollars(value, digits = 2) {
  return `$${value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

function clipped(text) {
  return text.length > 96 ? `${text.slice(0, 95)}…` : text;
}
