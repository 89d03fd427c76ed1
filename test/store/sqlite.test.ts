import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StoreDown } from "../../src/store/down.ts";
import { withFallback } from "../../src/store/fallback.ts";
import { openFile } from "../../src/store/file.ts";
import { openJournal } from "../../src/store/journal.ts";
import { loadSqlite } from "../../src/store/sqlite.ts";
import { aMeter, aRequest, aSettlement, DAY, hourly, last, unique } from "./asks.ts";
import { handClock } from "./hand-clock.ts";

const sqlite = loadSqlite();
const ask = { key: "tenant.cost.hourly|acme", window: hourly };

let folder: string;
let path: string;
const clock = handClock();
const open = () => openFile(path, { clock: clock.now, name: "file ledger.db" });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sqlite-"));
  path = join(folder, "ledger.db");
});
afterEach(() => rmSync(folder, { recursive: true }));

describe.runIf(sqlite === undefined)("a file store without node:sqlite", () => {
  test("is a journal beside the file", async () => {
    const store = await open();
    await store.judge(aRequest());
    await store.shut();
    expect(readFileSync(`${path}.journal`, "utf8")).toContain('"budget-guard":"journal"');
  });

  test("does not start a second ledger beside one that a newer Node made", async () => {
    writeFileSync(path, "SQLite format 3\0");
    await expect(open()).rejects.toThrow(/made by a newer Node.*BUDGET_GUARD_STORE=redis/s);
  });
});

describe.runIf(sqlite !== undefined)("a file store with node:sqlite", () => {
  const raw = () => {
    if (sqlite === undefined) throw new Error("this Node has no node:sqlite");
    return new sqlite.DatabaseSync(path);
  };

  test("loads without a warning, and lets other warnings through", async () => {
    const seen: string[] = [];
    const listen = (warning: Error) => void seen.push(warning.message);
    process.on("warning", listen);
    loadSqlite();
    await (await open()).shut();
    process.emitWarning("another", "ExperimentalWarning");
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", listen);
    expect(seen).toEqual(["another"]);
  });

  test("is the same ledger for everyone who opens it", async () => {
    const [one, two] = [await open(), await open()];
    const request = aRequest();
    await one.judge(request);
    expect((await two.read([ask]))[0]?.held).toBe(10);
    await two.settle(aSettlement(request.attempt, clock.now()));
    expect((await one.read([ask]))[0]).toMatchObject({ spent: 10, held: 0 });
    await Promise.all([one.shut(), two.shut()]);
  });

  test("is opened anew where its file was deleted while in use, so that all count in one ledger again", async () => {
    path = join(folder, "deleted", "ledger.db");
    const told: string[] = [];
    const one = withFallback(open, {
      clock: clock.now,
      retryMs: { first: 5, most: 5 },
      onDown: (why) => told.push(why.message),
    });
    await one.settle(aSettlement(unique("a"), clock.now()));
    rmSync(join(folder, "deleted"), { recursive: true });
    await new Promise((resolve) => setTimeout(resolve, 120));
    await expect(one.judge(aRequest())).rejects.toThrow(/deleted or replaced while in use/);
    await one.settle(aSettlement(unique("a"), clock.now()));
    while (one.isDown) await new Promise((resolve) => setTimeout(resolve, 2));
    const two = await open();
    expect((await two.read([ask]))[0]?.spent).toBe(10);
    expect((await one.judge(aRequest())).held).toBe(true);
    expect((await two.read([ask]))[0]?.held).toBe(10);
    expect(told).toHaveLength(1);
    await Promise.all([one.shut(), two.shut()]);
  });

  test("does not hold up the event loop while another process has the file, and gets its turn", async () => {
    const store = await open();
    const db = raw();
    db.exec("BEGIN IMMEDIATE");
    let longest = 0;
    let before = performance.now();
    const pulse = setInterval(() => {
      longest = Math.max(longest, performance.now() - before);
      before = performance.now();
    }, 1);
    const judgement = store.judge(aRequest());
    await new Promise((resolve) => setTimeout(resolve, 200));
    db.exec("COMMIT");
    expect((await judgement).held).toBe(true);
    clearInterval(pulse);
    expect(longest).toBeLessThan(100);
    db.close();
    await store.shut();
  });

  test.each([
    ["a file that is no database", () => writeFileSync(path, "x".repeat(5_000)), /not a database/],
    ["a database of another program", () => raw().exec("CREATE TABLE users (id)"), /another program/],
    [
      "a ledger of a newer version",
      () => raw().exec("PRAGMA application_id = 1650945124; PRAGMA user_version = 9; CREATE TABLE meters (x)"),
      /newer budget-guard/,
    ],
    ["a folder", () => mkdirSync(path), /is a folder, and the ledger is a file/],
  ])("refuses %s and leaves it as it is", async (_, make, message) => {
    make();
    const bytes = () => (message.source.includes("folder") ? "" : readFileSync(path, "latin1"));
    const before = bytes();
    await expect(open()).rejects.toThrow(StoreDown);
    await expect(open()).rejects.toThrow(message);
    expect(bytes()).toBe(before);
  });

  test("a ledger damaged while it is in use is StoreDown, not an error of the application", async () => {
    const store = await open();
    for (let n = 0; n < 50; n++) await store.settle(aSettlement(unique("a"), clock.now()));
    await store.shut();
    const bytes = readFileSync(path);
    writeFileSync(path, Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096, 0x5a)]));
    const judging = open().then((again) => again.judge(aRequest()));
    await expect(judging).rejects.toThrow(StoreDown);
  });

  /** A ledger as the version before runs and limits laid it out. */
  function layOutBefore(): void {
    const db = raw();
    db.exec("PRAGMA page_size = 1024; PRAGMA journal_mode = WAL");
    for (const table of ["meters", "holds", "past", "gates", "prints", "lessons"]) {
      db.exec(`CREATE TABLE ${table} (key TEXT PRIMARY KEY, value TEXT NOT NULL, due INTEGER) WITHOUT ROWID`);
      db.exec(`CREATE INDEX ${table}_due ON ${table} (due, key) WHERE due IS NOT NULL`);
    }
    const put = (table: string, key: string, value: unknown, due: number | null) =>
      db.prepare(`INSERT INTO ${table} VALUES (?, ?, ?)`).run(key, JSON.stringify(value), due);
    const place = { key: "tenant.cost.hourly|acme@2026-11-22T14", size: 0, keep: 0, until: clock.now() + 9_000_000 };
    const meters = [{ place, amount: 10, floor: 4 }];
    put("meters", place.key, [10, 30], place.until);
    put("holds", "held before", { attemptNumber: 1, repeat: false, meters }, clock.now() + 60_000);
    put("past", "billed before", { kind: "settled" }, clock.now() + 9_000_000);
    put("prints", "f", { succeeded: false, failures: 2 }, clock.now() + 9_000_000);
    put("gates", "|tenant=acme", { since: 5, until: null }, null);
    db.exec("PRAGMA application_id = 1650945124; PRAGMA user_version = 1");
    db.close();
  }

  test("of the version before runs and limits is taken over as it is, and can do all that a new one can", async () => {
    layOutBefore();
    const store = await open();
    expect((await store.read([ask]))[0]).toMatchObject({ spent: 30, held: 10 });
    await store.settle(aSettlement("billed before", clock.now()));
    await store.settle(aSettlement("held before", clock.now()));
    expect((await store.read([ask]))[0]).toMatchObject({ spent: 40, held: 0 });
    expect(await store.gates()).toHaveLength(1);
    await store.setLimit("quota|tenant=acme", Number.POSITIVE_INFINITY);
    const ask2 = { fingerprint: "f", sdkRetry: null, limits: ["quota|tenant=acme"] };
    expect(await store.foresee(ask2)).toMatchObject({ attemptNumber: 2, limits: [Number.POSITIVE_INFINITY] });
    const runs = { key: "tenant.runs.hourly|acme", window: hourly };
    for (const run of ["a", "b"]) await store.judge(aRequest({ run, meters: [aMeter({ ...runs, add: "run" })] }));
    await store.shut();
    const again = await open();
    expect((await again.read([ask, runs])).map(({ spent }) => spent)).toEqual([40, 2]);
    await again.shut();
  });

  test("stays readable to processes of the version before, which may share it while they are replaced", async () => {
    const store = await open();
    await store.setLimit("quota|tenant=acme", 5);
    await store.shut();
    const db = raw();
    expect(Object.values(db.prepare("PRAGMA user_version").get() ?? {})).toEqual([1]);
    db.close();
  });

  test("foresees a call while another process writes", async () => {
    const store = await open();
    await store.setLimit("quota|tenant=acme", 5);
    const db = raw();
    db.exec("BEGIN IMMEDIATE");
    const ask2 = { fingerprint: "f", sdkRetry: null, limits: ["quota|tenant=acme"] };
    expect(await store.foresee(ask2)).toMatchObject({ attemptNumber: 0, limits: [5] });
    db.exec(
      `INSERT INTO limits VALUES ('quota|tenant=b', '7', NULL); UPDATE limits SET value = '6' WHERE value = '5'; COMMIT`,
    );
    db.close();
    expect((await store.foresee(ask2)).limits).toEqual([6]);
    expect(await store.limits()).toEqual(
      new Map([
        ["quota|tenant=acme", 6],
        ["quota|tenant=b", 7],
      ]),
    );
    await store.shut();
  });

  test("forgets windows that are over, some at a time", async () => {
    const store = await open();
    for (let n = 0; n < 100; n++)
      await store.settle(aSettlement(unique("a"), clock.now(), { charges: [{ ...ask, key: `k|${n}`, amount: 1 }] }));
    const count = () => raw().prepare("SELECT count(*) AS n FROM meters").get()?.n;
    expect(count()).toBe(100);
    await clock.pass(DAY);
    await store.judge(aRequest({ meters: [] }));
    expect(count()).toBe(36);
    await store.judge(aRequest({ meters: [] }));
    expect(count()).toBe(0);
    await store.shut();
  });

  test("forgets runs that have left their window, and none that has not", async () => {
    const store = await open();
    const window = last(300_000);
    const see = (run: string) => store.judge(aRequest({ run, meters: [aMeter({ key: "t|a", window, add: "run" })] }));
    for (let n = 0; n < 150; n++) await see(`r${n}`);
    await clock.pass(200_000);
    await see("r0");
    const left = () => raw().prepare("SELECT count(*) AS n FROM runs").get()?.n;
    expect(left()).toBe(150);
    await clock.pass(200_000);
    for (let n = 0; n < 4; n++) await store.judge(aRequest({ meters: [] }));
    expect(left()).toBe(1);
    expect((await see("r0")).readings[0]).toMatchObject({ spent: 1, add: 0 });
    await store.shut();
  });

  test("after it was shut it is away", async () => {
    const store = await open();
    await store.shut();
    await store.shut();
    await expect(store.judge(aRequest())).rejects.toThrow(StoreDown);
  });

  test("takes over, once, what an older Node counted in a journal", async () => {
    const old = openJournal(`${path}.journal`, "file ledger.db", clock.now);
    const held = aRequest({ holdMs: 60_000, meters: [aMeter({ floor: 3 })] });
    await old.judge(held);
    await old.settle(aSettlement("a", clock.now()));
    await old.setLimit("quota|tenant=acme", Number.POSITIVE_INFINITY);
    const runs = { key: "tenant.runs.hourly|acme", window: hourly };
    await old.judge(aRequest({ run: "a", meters: [aMeter({ ...runs, add: "run" })] }));
    await expect(open()).rejects.toThrow(/in use by process \d+, which runs on an older Node/);
    await old.shut();
    const journal = readFileSync(`${path}.journal`);
    const store = await open();
    expect((await store.read([ask]))[0]).toMatchObject({ spent: 10, held: 10 });
    expect(await store.limits()).toEqual(new Map([["quota|tenant=acme", Number.POSITIVE_INFINITY]]));
    const seen = await store.judge(aRequest({ run: "a", meters: [aMeter({ ...runs, add: "run" })] }));
    expect(seen.readings[0]).toMatchObject({ spent: 1, add: 0 });
    expect(existsSync(`${path}.journal`)).toBe(false);
    await store.settle(aSettlement(held.attempt, clock.now()));
    await store.shut();
    // As if the process had been killed after it took it over and before it set it aside.
    writeFileSync(`${path}.journal`, journal);
    const again = await open();
    expect((await again.read([ask]))[0]).toMatchObject({ spent: 20, held: 0 });
    await again.shut();
  });
});
