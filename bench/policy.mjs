// What a verdict costs with 10 rules and with 10,000, beside others in the same interleaved run, and what reading policies
// costs. Runs as a process of its own on the clients' core and prints one line of JSON: nanoseconds, and milliseconds for files.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { median } from "./machine.mjs";

const [internals] = process.argv.slice(2);
const { askFor, compile, evaluate, indexRules, openMemory, recogniser } = await import(pathToFileURL(internals).href);
const examples = join(dirname(dirname(fileURLToPath(import.meta.url))), "policies", "examples");

const SIZES = [10, 10_000];
const CENT = 10_000_000;
/** Rounds of which the first ones only compile what the others measure. */
const ROUNDS = 40;
const WARM = 10;
/** How long one contestant works in one round, nanoseconds. */
const TURN = 8e6;

// Before anything else is loaded or compiled: as a process that starts does it.
const cold = readExamples();
const warm = Array.from({ length: 30 }, () => readExamples().ms);
const { asked, peers } = await import("./peers.mjs");

function readExamples() {
  const names = readdirSync(examples).filter((name) => /^\d.*(?<!\.test)\.budget$/.test(name));
  const texts = new Map(readdirSync(examples).map((name) => [name, readFileSync(join(examples, name), "utf8")]));
  const read = (_, path) => {
    const file = path.replace(/^\.\//, "");
    const text = texts.get(file);
    return text === undefined ? { why: "there is no such file" } : { file, text };
  };
  const start = process.hrtime.bigint();
  for (const file of names) {
    const { plan, diagnostics } = compile([{ file, text: texts.get(file) }], { read });
    if (plan === null) throw new Error(`${file}: ${diagnostics[0]?.message}`);
  }
  return { ms: Number(process.hrtime.bigint() - start) / 1e6, files: names.length };
}

/** Our steps for so many rules, each for one tenant. */
function ours(count) {
  const text = Array.from({ length: count }, (_, at) => `tenant.hourly > $5 when tenant == "t${at}" -> deny`).join(
    "\n",
  );
  const { plan, diagnostics } = compile([{ file: "bench.budget", text: `${text}\n` }]);
  if (plan === null) throw new Error(JSON.stringify(diagnostics[0]));
  const rulesFor = indexRules(plan);
  const store = openMemory(() => 1_795_356_120_000);
  const calls = new Map(tenants(count).map((tenant) => [tenant, callOf(tenant)]));
  const verdict = (tenant, projected) => {
    const call = calls.get(tenant);
    const meters = [{ spent: projected - CENT, held: 0, add: CENT, resetsAt: null }];
    return evaluate(plan, call, rulesFor(call), readings(0, meters, 0)).kind === "deny";
  };
  let attempts = 0;
  return {
    rules: (tenant) => rulesFor(calls.get(tenant)),
    unseen: (tenant) => rulesFor({ modelAsSent: "gpt-5", subject: { ...calls.get(tenant).subject } }),
    verdict,
    /** All of it: the request, one step of the ledger, the verdict, and the hold given back. */
    judged: async (tenant) => {
      const call = { ...calls.get(tenant), attempt: `bench-${++attempts}` };
      const rules = rulesFor(call);
      const { request } = askFor(plan, call, rules, 60_000, true);
      const { now, readings: meters, attemptNumber } = await store.judge(request);
      const { kind } = evaluate(plan, call, rules, readings(now, meters, attemptNumber));
      const { attempt, run, fingerprint } = request;
      await store.settle({ attempt, judgedAt: now, charges: [], run, fingerprint, outcome: "none", lessons: [] });
      return kind;
    },
  };
}

const none = new Map();
const readings = (now, meters, attemptNumber) => ({
  now,
  meters,
  attemptNumber,
  closed: none,
  byHand: [],
  limits: none,
});

function callOf(tenant) {
  const subject = { tenant, feature: "f", agent: "a", user: "u", run: "r", model: "gpt-5", provider: "openai" };
  return {
    attempt: "bench",
    provider: "openai",
    operation: "chat",
    spending: "metered",
    model: "gpt-5",
    modelAsSent: "gpt-5",
    subject: Object.freeze(subject),
    inputTokens: 1_000,
    outputTokens: 500,
    cost: { input: CENT, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0, tools: 0, total: CENT },
    unpriced: false,
    fingerprint: null,
    sdkRetry: null,
  };
}

/** Eight tenants from all over the rules. */
const tenants = (count) => Array.from({ length: 8 }, (_, at) => `t${Math.floor(((count - 1) * at) / 7)}`);

/**
 * Every contestant with 10 rules and with 10,000, in turns: nanoseconds of a step, medians of rounds. The ratio is the
 * median of those of single rounds, in which both had the same machine.
 */
async function inTurns(contestants) {
  const taken = contestants.map(() => SIZES.map(() => []));
  const counts = contestants.map(() => SIZES.map(() => 1));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [who, { steps, rare }] of contestants.entries()) {
      if (rare && round % 5 !== 4) continue;
      // Who comes first finds caches cold: now the one, now the other.
      for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const step = steps[at];
        const each = await timed(step, tenants(SIZES[at]), counts[who][at]);
        counts[who][at] = Math.max(1, Math.round(TURN / each));
        if (round >= WARM) taken[who][at].push(each);
      }
    }
  }
  return Object.fromEntries(
    contestants.map(({ name }, who) => {
      const [few, many] = taken[who];
      return [name, { few: median(few), many: median(many), ratio: median(many.map((ns, round) => ns / few[round])) }];
    }),
  );
}

async function timed(step, names, count) {
  const start = process.hrtime.bigint();
  for (let index = 0; index < count; index++) {
    const answer = step(names[index & 7], 4_000_000_000);
    // What answers at once is not made to wait.
    if (answer instanceof Promise) await answer;
  }
  return Number(process.hrtime.bigint() - start) / count;
}

/** All must say the same before any is measured. */
async function agree(name, step, count) {
  for (const tenant of tenants(count)) {
    const [below, above] = [await step(tenant, 5_000_000_000), await step(tenant, 5_000_000_001)];
    if (below || !above) throw new Error(`${name} does not refuse what it should`);
  }
}

const own = SIZES.map(ours);
const others = SIZES.map(peers);
for (const [at, count] of SIZES.entries()) {
  await agree("budget-guard", own[at].verdict, count);
  for (const [name, step] of Object.entries(others[at])) await agree(name, step, count);
}
const contestants = [
  ...Object.keys(own[0]).map((name) => ({ name, steps: own.map((steps) => steps[name]), rare: false })),
  ...Object.keys(asked).map((name) => ({ name, steps: others.map((steps) => steps[name]), rare: true })),
];

const recognise = recogniser({ hosts: new Map([["127.0.0.1:4010", "openai"]]) });
const stranger = () => recognise("internal.example", 443, "POST", "/api/v2/orders");
contestants.push({ name: "recognise", steps: [stranger, stranger], rare: false });

const steps = await inTurns(contestants);
const read = { files: cold.files, cold: cold.ms, warm: median(warm.slice(10)) };
process.stdout.write(`${JSON.stringify({ steps, asked, examples: read })}\n`);
