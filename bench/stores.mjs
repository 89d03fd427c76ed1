// What the stores cost beside their floors. Runs as a process of its own on the clients' core and prints one line of JSON:
// microseconds.
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { median } from "./machine.mjs";

const [folder, internals, redisUrl = ""] = process.argv.slice(2);
const { openStore } = await import(pathToFileURL(internals).href);
const BATCH = 40;
const ROUNDS = 50;
/** Rounds that only compile what the others measure. */
const WARM = 10;
const windows = [
  { kind: "hourly", timezone: "UTC" },
  { kind: "last", ms: 60_000 },
];
const scopes = ["global", "tenant|acme", "feature|research", "run|job-1"];
let attempts = 0;

/** The work of ledger.md: 4 scopes x 2 windows and a concurrency meter, each with a limit that is never reached. */
function request() {
  const meters = scopes.flatMap((scope) =>
    windows.map((window) => ({ key: `${window.kind}.${scope}`, window, add: 1_000, floor: 100 })),
  );
  meters.push({ key: "concurrency|acme", window: { kind: "now" }, add: 1, floor: 0 });
  const test = (meter) => ({ kind: "fixed", meter, limit: 2 ** 50, orEqual: false });
  return {
    attempt: `bench-${++attempts}`,
    holdMs: 60_000,
    meters,
    stops: meters.map((_, meter) => ({ tests: [test(meter)], closes: null })),
    gates: [],
    limits: [],
    run: "job-1",
    fingerprint: null,
    sdkRetry: null,
  };
}

function settlement({ attempt, meters }, judgedAt) {
  const charges = meters.map(({ key, window }) => ({ key, window, amount: window.kind === "now" ? 0 : 900 }));
  return { attempt, judgedAt, charges, run: "job-1", fingerprint: null, outcome: "success", lessons: [] };
}

/** Judges and settles in turn with the floor's own step, so that all share the machine's moods. Medians in microseconds. */
async function storeFigures(store, floor) {
  const taken = { judge: [], settle: [], floor: [] };
  const timed = async (name, work) => {
    const start = process.hrtime.bigint();
    const result = await work();
    taken[name].push(Number(process.hrtime.bigint() - start) / 1_000);
    return result;
  };
  for (let round = 0; round < ROUNDS; round++) {
    if (round === WARM) for (const list of Object.values(taken)) list.length = 0;
    if (floor) for (let index = 0; index < BATCH; index++) await timed("floor", floor);
    const judged = [];
    for (let index = 0; index < BATCH; index++) {
      const asked = request();
      const { now, held } = await timed("judge", () => store.judge(asked));
      if (!held) throw new Error("the benchmark's own limits were reached");
      judged.push(settlement(asked, now));
    }
    for (const each of judged) await timed("settle", () => store.settle(each));
  }
  await store.shut();
  return Object.fromEntries(Object.entries(taken).map(([name, list]) => [name, list.length ? median(list) : null]));
}

const open = (url) => openStore(url, { root: folder, clock: () => Date.now() });

async function redis() {
  if (redisUrl === "") return null;
  const { Redis } = await import("ioredis");
  const bare = new Redis(redisUrl);
  const sha = await bare.script("LOAD", "return 1");
  const figures = await storeFigures(await open(redisUrl), () => bare.evalsha(sha, 0));
  await bare.quit();
  return figures;
}

/** The floor of an embedded store: one durable-enough transaction. Null before node:sqlite. */
function sqliteFloor() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 22 || (major === 22 && minor < 13)) return null;
  const { DatabaseSync } = createRequire(import.meta.url)("node:sqlite");
  const database = new DatabaseSync(join(folder, "floor.db"));
  database.exec(
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; CREATE TABLE t (k PRIMARY KEY, v); INSERT INTO t VALUES (1, 0)",
  );
  const update = database.prepare("UPDATE t SET v = v + 1 WHERE k = 1");
  return () => {
    database.exec("BEGIN IMMEDIATE");
    update.run();
    database.exec("COMMIT");
  };
}

const warn = process.emitWarning;
process.emitWarning = (text, ...rest) =>
  String(text).includes("SQLite") ? undefined : warn.call(process, text, ...rest);

const figures = {
  memory: await storeFigures(await open("memory:"), null),
  file: await storeFigures(await open(`file:${join(folder, "ledger.db")}`), sqliteFloor()),
  redis: await redis(),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
