import { existsSync, renameSync } from "node:fs";
import { StoreDown } from "./down.ts";
import { apply, readJournal } from "./journal.ts";
import { takeLock } from "./lock.ts";
import { mapTables } from "./map-table.ts";
import { TABLES, type Tables } from "./tables.ts";

/**
 * Takes over what an older Node, without SQLite, has counted in a journal beside the file, so that an upgrade forgets no
 * spend. StoreDown while a process still writes that journal: two ledgers would be two budgets.
 */
export function adoptJournal(path: string, tables: Tables): void {
  if (!existsSync(path)) return;
  const lock = takeLock(path);
  if ("holder" in lock) {
    throw new StoreDown(
      `${path} is in use by process ${lock.holder}, which runs on an older Node; end that process first`,
    );
  }
  try {
    // Gone: another process was quicker. Tables with records: it was taken over, but not yet renamed.
    if (existsSync(path)) {
      tables.atomic(() => isEmpty(tables) && copy(path, tables));
      renameSync(path, `${path}.moved`);
    }
  } finally {
    lock.release();
  }
}

function isEmpty(tables: Tables): boolean {
  return [tables.meters, tables.past, tables.holds].every((table) => [...table.entries("")].length === 0);
}

function copy(path: string, tables: Tables): void {
  const old = mapTables(() => {});
  for (const change of readJournal(path).changes) apply(old, change);
  for (const table of TABLES) {
    for (const [key, value, due] of old[table].all()) tables[table].set(key, value as never, due);
  }
}
