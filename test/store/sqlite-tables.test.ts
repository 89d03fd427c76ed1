import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadSqlite, openSqlite } from "../../src/store/sqlite.ts";
import { SqliteTables } from "../../src/store/sqlite-tables.ts";

const sqlite = loadSqlite();

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sqlite-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe.runIf(sqlite !== undefined)("the tables of an SQLite file", () => {
  /** Two connections to a new ledger, as two processes have them. */
  async function connections() {
    if (sqlite === undefined) throw new Error("this Node has no node:sqlite");
    const path = join(folder, "ledger.db");
    await (await openSqlite(sqlite, path, "file", () => 0)).shut();
    const [a, b] = [new sqlite.DatabaseSync(path), new sqlite.DatabaseSync(path)];
    const close = () => [a, b].map((db) => db.close());
    return { one: new SqliteTables(a), other: new SqliteTables(b), close };
  }

  test("see at once what another process wrote, changed and deleted", async () => {
    const { one, other, close } = await connections();
    const seen = () => one.atomic(() => [one.meters.get("k"), one.gates.due(9, 9).map(({ key }) => key)]);
    expect(seen()).toEqual([undefined, []]);
    other.atomic(() => {
      other.meters.set("k", [1, 2], null);
      other.gates.set("g", { since: 0, until: 5 }, 5);
    });
    expect(seen()).toEqual([[1, 2], ["g"]]);
    other.atomic(() => other.meters.set("k", [3, 4], 7));
    expect(seen()).toEqual([[3, 4], ["g"]]);
    other.atomic(() => {
      other.meters.delete("k");
      other.gates.delete("g");
    });
    expect(seen()).toEqual([undefined, []]);
    close();
  });

  test("forget what a step that failed had written", async () => {
    const { one, other, close } = await connections();
    one.atomic(() => one.meters.set("k", [1, 1], null));
    const failing = () =>
      one.atomic(() => {
        one.meters.set("k", [2, 2], null);
        one.meters.set("new", [2, 2], 5);
        one.prints.delete("p");
        throw new Error("half way");
      });
    expect(failing).toThrow("half way");
    expect(one.atomic(() => [one.meters.get("k"), one.meters.get("new")])).toEqual([[1, 1], undefined]);
    expect(one.atomic(() => one.meters.due(9, 9))).toEqual([]);
    one.atomic(() => one.meters.set("new", [3, 3], null));
    expect(other.atomic(() => other.meters.get("new"))).toEqual([3, 3]);
    close();
  });

  test("read many records in one step as they would one by one, absent ones too", async () => {
    const { one, other, close } = await connections();
    const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);
    other.atomic(() => {
      for (const key of keys.slice(5)) other.meters.set(key, [0, Number(key.slice(1))], null);
    });
    const found = one.atomic(() => {
      one.meters.set("k9", [7, 7], null);
      one.meters.load?.(keys);
      return keys.map((key) => one.meters.get(key)?.[1] ?? null);
    });
    expect(found).toEqual(keys.map((_, index) => (index < 5 ? null : index === 9 ? 7 : index)));
    close();
  });

  test("say what is due when it is, and not before", async () => {
    const { one, close } = await connections();
    const due = (now: number) => one.atomic(() => one.holds.due(now, 9).map(({ key }) => key));
    const hold = { attemptNumber: 0, repeat: false, meters: [] };
    one.atomic(() => one.holds.set("late", hold, 50));
    expect(due(49)).toEqual([]);
    one.atomic(() => one.holds.set("soon", hold, 20));
    expect(due(19)).toEqual([]);
    expect(due(20)).toEqual(["soon"]);
    one.atomic(() => one.holds.delete("soon"));
    expect(due(49)).toEqual([]);
    expect(due(50)).toEqual(["late"]);
    close();
  });

  test("hold thousands of records apart, though not all are kept in mind", async () => {
    const { one, close } = await connections();
    for (let from = 0; from < 5_000; from += 500) {
      one.atomic(() => {
        for (let index = from; index < from + 500; index++) one.meters.set(`k${index}`, [0, index], null);
      });
    }
    const wrong = one.atomic(() =>
      Array.from({ length: 5_000 }, (_, index) => one.meters.get(`k${index}`)?.[1] === index).filter((right) => !right),
    );
    expect(wrong).toEqual([]);
    close();
  });
});
