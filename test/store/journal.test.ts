import { spawn } from "node:child_process";
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { StoreDown } from "../../src/store/down.ts";
import { openJournal } from "../../src/store/journal.ts";
import { takeLock } from "../../src/store/lock.ts";
import { aMeter, aRequest, aSettlement, hourly, last, unique } from "./asks.ts";
import { handClock } from "./hand-clock.ts";

let folder: string;
let path: string;
const clock = handClock();
const ask = { key: "tenant.cost.hourly|acme", window: hourly };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "journal-"));
  path = join(folder, "ledger.db.journal");
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = (compactBytes?: number) => openJournal(path, "file ledger.db", clock.now, compactBytes);
const locks = () => readdirSync(folder).filter((file) => file.includes(".lock."));

test("everything is there after it was opened anew: spend, holds, gates, fingerprints, lessons, runs, limits", async () => {
  const first = open();
  const held = aRequest({ fingerprint: "f" });
  const { now } = await first.judge(held);
  const lessons = [{ key: "opus", value: 7 }];
  await first.settle(aSettlement("other", now, { lessons, fingerprint: "f", outcome: "failure" }));
  await first.close("|tenant=acme", null);
  await first.setLimit("quota|tenant=acme", Number.POSITIVE_INFINITY);
  await first.setLimit("quota|tenant=other", 2 ** 53 - 1);
  await first.setLimit("quota|tenant=gone", 5);
  await first.setLimit("quota|tenant=gone", null);
  const seen = { key: "tenant.runs.last 5m|acme", window: last(300_000) };
  for (const run of ["a", "b", "a"]) await first.judge(aRequest({ run, meters: [aMeter({ ...seen, add: "run" })] }));
  const state = async (store: typeof first) => [
    await store.read([ask]),
    await store.gates(),
    await store.recall(["opus"]),
    await store.limits(),
    (await store.judge(aRequest({ run: "a", meters: [aMeter({ ...seen, add: "run" })] }))).readings,
    (await store.judge(aRequest({ ...held, attempt: unique("x"), meters: [] }))).attemptNumber,
    (await store.judge(held)).held,
  ];
  const before = await state(first);
  await first.shut();
  const second = open();
  expect(await state(second)).toEqual(before);
  expect(before[4]).toMatchObject([{ spent: 2, add: 0 }]);
  await second.shut();
});

test("a line cut short by a power loss is dropped, and the rest counts", async () => {
  const first = open();
  await first.settle(aSettlement("a", clock.now()));
  await first.shut();
  appendFileSync(path, '[["meters","tenant.cost.hourly|acme@2026-11-22T14",[0,99');
  const second = open();
  expect((await second.read([ask]))[0]?.spent).toBe(10);
  await second.settle(aSettlement("b", clock.now()));
  await second.shut();
  const third = open();
  expect((await third.read([ask]))[0]?.spent).toBe(20);
  await third.shut();
});

test("a header cut short is a new journal", async () => {
  writeFileSync(path, '{"budget-guard":"jou');
  const store = open();
  await store.settle(aSettlement("a", clock.now()));
  await store.shut();
  const again = open();
  expect((await again.read([ask]))[0]?.spent).toBe(10);
  await again.shut();
});

test.each([
  ["a file of another program", "SQLite format 3\0 and more\n", /is not a ledger/],
  ["text without a line", "hello", /is not a ledger/],
  [
    "a damaged line",
    '{"budget-guard":"journal","version":1}\n[["meters","k",[1,2],null]]\n#!\n[]\n',
    /damaged at line 3/,
  ],
  [
    "a journal with records of a kind that only a newer version knows",
    '{"budget-guard":"journal","version":1}\n[["leases","k",1,null]]\n',
    /"leases".*newer budget-guard.*update/,
  ],
])("%s is refused and left as it is", (_, text, message) => {
  writeFileSync(path, text);
  expect(() => open()).toThrow(StoreDown);
  expect(() => open()).toThrow(message);
  expect(readFileSync(path, "utf8")).toBe(text);
  expect(locks()).toEqual([]);
});

test("a journal of the version before runs and limits is read, and written further", async () => {
  const lines = [
    [["meters", "tenant.cost.hourly|acme@2026-11-22T14", [0, 30], clock.now() + 7_200_000]],
    [["gates", "|tenant=acme", { since: 5, until: null }, null]],
    [["prints", "f", { succeeded: false, failures: 2 }, clock.now() + 9_000_000]],
  ];
  writeFileSync(
    path,
    ['{"budget-guard":"journal","version":1}', ...lines.map((line) => JSON.stringify(line)), ""].join("\n"),
  );
  const store = open();
  expect((await store.read([ask]))[0]?.spent).toBe(30);
  expect(await store.foresee({ fingerprint: "f", sdkRetry: null, limits: ["q|t=a"] })).toMatchObject({
    attemptNumber: 2,
    limits: [null],
  });
  await store.setLimit("q|t=a", 9);
  await store.shut();
  const again = open();
  expect(await again.limits()).toEqual(new Map([["q|t=a", 9]]));
  expect(await again.gates()).toHaveLength(1);
  await again.shut();
});

test("an operation writes what it changed, and nothing twice", async () => {
  const store = open();
  for (let n = 0; n < 50; n++) await store.settle(aSettlement(unique("a"), clock.now()));
  await store.read([ask]);
  await store.shut();
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  expect(lines).toHaveLength(51);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(250);
});

test("it is written anew when it has grown, with the same content, and goes on", async () => {
  const store = open(20_000);
  for (let n = 0; n < 3_000; n++) await store.settle(aSettlement(`a${n % 20}`, clock.now()));
  const held = aRequest({ holdMs: 3_600_000 });
  await store.judge(held);
  for (let n = 0; n < 500; n++) {
    const { attempt, ...request } = aRequest({ meters: [aMeter({ key: "x|y" })] });
    const { now } = await store.judge({ attempt, ...request });
    await store.settle(aSettlement(attempt, now, { charges: [] }));
  }
  expect(statSync(path).size).toBeLessThan(60_000);
  expect((await store.read([ask]))[0]).toMatchObject({ spent: 200, held: 10 });
  await store.shut();
  const again = open();
  expect((await again.read([ask]))[0]).toMatchObject({ spent: 200, held: 10 });
  await again.shut();
  expect(readdirSync(folder)).toEqual(["ledger.db.journal"]);
});

test("a second opener is refused and told both ways out", async () => {
  const first = open();
  expect(() => open()).toThrow(StoreDown);
  expect(() => open()).toThrow(/in use by process \d+.*Node 22\.13.*BUDGET_GUARD_STORE=redis:/s);
  await first.shut();
  await open().shut();
  expect(locks()).toEqual([]);
});

test("after it was shut it is away", async () => {
  const store = open();
  await store.shut();
  await store.shut();
  await expect(store.judge(aRequest())).rejects.toThrow(StoreDown);
});

test("the lock of a process that was killed is taken over", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  const own = takeLock(path);
  if ("holder" in own) throw new Error("the lock was free");
  const name = locks()[0] ?? "";
  own.release();
  // The same lock as if the child had made it: its number and, from the kernel, its start.
  const parts = name.split(".");
  const ticks = readFileSync(`/proc/${child.pid}/stat`, "latin1").split(") ")[1]?.split(" ")[19] ?? "0";
  parts.splice(-3, 2, `${child.pid}`, ticks);
  writeFileSync(join(folder, parts.join(".")), "");
  expect(() => open()).toThrow(new RegExp(`in use by process ${child.pid}`));
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
  await open().shut();
  expect(locks()).toEqual([]);
});

test("a process number that was used again does not keep a dead owner's lock alive", async () => {
  const own = takeLock(path);
  if ("holder" in own) throw new Error("the lock was free");
  const parts = (locks()[0] ?? "").split(".");
  own.release();
  parts.splice(-2, 1, "12345");
  writeFileSync(join(folder, parts.join(".")), "");
  await open().shut();
});

test("a lock from another host or container holds while it shows signs of life", async () => {
  const file = join(folder, "ledger.db.journal.lock.0123456789ab.7.100.abcdef01");
  writeFileSync(file, "");
  expect(() => open()).toThrow(/in use by process 7/);
  const old = new Date(Date.now() - 60_000);
  utimesSync(file, old, old);
  await open().shut();
});

test("of many that open it at once, one at most has it", async () => {
  for (let turn = 0; turn < 20; turn++) {
    const all = Array.from({ length: 5 }, () => takeLock(path));
    const got = all.filter((lock) => "release" in lock);
    expect(got.length).toBeLessThanOrEqual(1);
    for (const lock of all) if ("release" in lock) lock.release();
  }
});
