import { existsSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Clock } from "../clock.ts";
import { adoptJournal } from "./adopt.ts";
import { StoreDown } from "./down.ts";
import { makeFolders } from "./folder.ts";
import { openJournal } from "./journal.ts";
import { loadSqlite, openSqlite } from "./sqlite.ts";
import type { Store } from "./store.ts";

export interface FileOptions {
  readonly clock: Clock;
  /** For people: `file .budget-guard/ledger.db`. */
  readonly name: string;
}

/**
 * Opens the ledger in a file, and makes its folder: with SQLite where this Node has it, shared by all processes; else
 * with a journal beside it, for one process.
 */
export async function openFile(path: string, { clock, name }: FileOptions): Promise<Store> {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) throw new StoreDown(folderAt(path));
    makeFolder(dirname(path));
    const sqlite = loadSqlite();
    if (sqlite !== undefined) {
      return await openSqlite(sqlite, path, name, clock, (tables) => adoptJournal(`${path}.journal`, tables));
    }
    if (existsSync(path)) throw new StoreDown(newer(path));
    return openJournal(`${path}.journal`, name, clock);
  } catch (error) {
    throw StoreDown.from(name, error);
  }
}

const folderAt = (path: string): string => `${path} is a folder, and the ledger is a file: name one in it (file:PATH)`;

const newer = (path: string): string =>
  `${path} was made by a newer Node, and Node ${process.versions.node} cannot read it. Two ways out: Node 22.13 or newer ` +
  "for every process that shares it, or BUDGET_GUARD_STORE=redis://...";

function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolders(folder);
  // Counters are no source code: the default folder keeps itself out of the repository.
  if (basename(folder) === ".budget-guard") writeFileSync(join(folder, ".gitignore"), "*\n");
}
