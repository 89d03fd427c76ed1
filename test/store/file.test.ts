import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { openJournal } from "../../src/store/journal.ts";
import { loadSqlite, openSqlite } from "../../src/store/sqlite.ts";
import type { Store } from "../../src/store/store.ts";
import { conformance } from "./conformance.ts";
import { handClock } from "./hand-clock.ts";

const onDisk = (open: (path: string, clock: () => number) => Promise<Store>) => async () => {
  const folder = mkdtempSync(join(tmpdir(), "ledger-"));
  const clock = handClock();
  const store = await open(join(folder, "ledger.db"), clock.now);
  return {
    store,
    now: clock.now,
    pass: clock.pass,
    async end() {
      await store.shut();
      rmSync(folder, { recursive: true });
    },
  };
};

const sqlite = loadSqlite();

describe.runIf(sqlite !== undefined)("with node:sqlite", () => {
  conformance(
    "SQLite",
    true,
    onDisk(async (path, clock) => {
      if (sqlite === undefined) throw new Error("this Node has no node:sqlite");
      return openSqlite(sqlite, path, "file ledger.db", clock);
    }),
  );
});

conformance(
  "journal",
  true,
  onDisk(async (path, clock) => openJournal(path, "file ledger.db", clock)),
);
