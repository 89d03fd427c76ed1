import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import type { Clock } from "../clock.ts";
import { StoreDown } from "./down.ts";
import { Ledger } from "./ledger.ts";
import { ledgerStore } from "./ledger-store.ts";
import { type Lock, takeLock } from "./lock.ts";
import { type MapTables, mapTables } from "./map-table.ts";
import type { Store } from "./store.ts";
import { TABLES, type TableName } from "./tables.ts";

/** The first line of a journal; the version is part of it. */
const HEADER = '{"budget-guard":"journal","version":1}\n';
const COMPACT_BYTES = 4 * 1024 * 1024;

/** A record as a journal line keeps it: table, key, value (absent: deleted), due time. */
export type Change = readonly [TableName, string, unknown?, (number | null)?];

/**
 * Opens a ledger for one process: maps in memory and, after every operation, one write of what changed. A second process
 * or thread gets StoreDown. `compactBytes`: the size above which the journal is written anew.
 */
export function openJournal(path: string, name: string, clock: Clock, compactBytes = COMPACT_BYTES): Store {
  const lock = takeLock(path);
  if ("holder" in lock) throw new StoreDown(taken(path, lock.holder));
  let journal: Journal;
  try {
    journal = new Journal(path, lock, compactBytes);
  } catch (error) {
    lock.release();
    throw StoreDown.from(name, error);
  }
  return ledgerStore(new Ledger(journal.tables, clock), {
    name,
    kind: "file",
    async run(work) {
      if (journal.isClosed) throw new StoreDown(`the ledger (${name}) was shut`);
      return work();
    },
    shut: async () => journal.close(),
  });
}

const taken = (path: string, holder: string): string =>
  `${path} is in use by process ${holder}: on Node ${process.versions.node} the file store serves one process (and one ` +
  "thread of it). Two ways out: Node 22.13 or newer, where processes share it, or BUDGET_GUARD_STORE=redis://...";

/** The changes in a journal, oldest first; `bytes` is where its last whole line ends. StoreDown where it is not one. */
export function readJournal(path: string): { readonly changes: readonly Change[]; readonly bytes: number } {
  const text = readFileSync(path);
  // A line that was being written when the power went is no line yet.
  const bytes = text.lastIndexOf(10) + 1;
  if (text.length === 0 || (bytes === 0 && HEADER.startsWith(text.toString()))) return { changes: [], bytes: 0 };
  const [header, ...lines] = text.subarray(0, bytes).toString().split("\n");
  if (`${header}\n` !== HEADER) throw new StoreDown(`${path} is not a ledger of budget-guard; it was left as it is`);
  const changes = lines.slice(0, -1).flatMap((line, index) => {
    try {
      return JSON.parse(line) as Change[];
    } catch (cause) {
      throw new StoreDown(`${path} is damaged at line ${index + 2}; it was left as it is`, { cause });
    }
  });
  return { changes, bytes };
}

class Journal {
  readonly tables: MapTables;
  readonly #path: string;
  readonly #lock: Lock;
  readonly #compactBytes: number;
  #file: number;
  #size: number;
  /** Size after which it is written anew. */
  #full: number;
  /** Changes of the operation under way, and of those that could not be written. */
  #changes: Change[] = [];
  isClosed = false;

  constructor(path: string, lock: Lock, compactBytes: number) {
    this.#path = path;
    this.#lock = lock;
    this.#compactBytes = compactBytes;
    this.#full = compactBytes;
    this.tables = mapTables(
      (table, key, value, due) => {
        this.#changes.push(value === undefined ? [table, key] : [table, key, value, due]);
      },
      (work) => {
        const result = work();
        this.#write();
        return result;
      },
    );
    this.#file = openSync(path, "a+");
    try {
      const { changes, bytes } = readJournal(path);
      for (const change of changes) apply(this.tables, change);
      this.#changes = [];
      this.#size = bytes;
      if (fstatSync(this.#file).size > bytes) ftruncateSync(this.#file, bytes);
      if (bytes === 0) this.#append(HEADER);
    } catch (error) {
      closeSync(this.#file);
      throw error;
    }
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    closeSync(this.#file);
    this.#lock.release();
  }

  #write(): void {
    if (this.#changes.length === 0) return;
    this.#append(`${JSON.stringify(this.#changes)}\n`);
    this.#changes = [];
    if (this.#size > this.#full) this.#compact();
  }

  /** Writes whole lines or nothing: what a full disk cut short is taken back, and written with the next operation. */
  #append(line: string): void {
    const bytes = Buffer.from(line);
    try {
      const written = writeSync(this.#file, bytes);
      if (written < bytes.length) throw new Error(`the disk took ${written} of ${bytes.length} bytes`);
      this.#size += bytes.length;
    } catch (cause) {
      this.#takeBack();
      throw StoreDown.from(this.#path, cause);
    }
  }

  #takeBack(): void {
    try {
      ftruncateSync(this.#file, this.#size);
    } catch {
      // Half a line stays: nothing may follow it. What comes next finds the store shut, and the file is still whole.
      this.close();
    }
  }

  #compact(): void {
    const next = `${this.#path}.new`;
    const file = openSync(next, "w");
    try {
      const parts = [HEADER];
      for (const table of TABLES) {
        for (const [key, value, due] of this.tables[table].all())
          parts.push(`${JSON.stringify([[table, key, value, due]])}\n`);
      }
      const bytes = Buffer.from(parts.join(""));
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
      renameSync(next, this.#path);
      closeSync(this.#file);
      this.#file = openSync(this.#path, "a+");
      this.#size = bytes.length;
      this.#full = Math.max(this.#compactBytes, 4 * bytes.length);
    } catch {
      // No room to write it anew: the old one goes on, and the next attempt comes when it has grown further.
      this.#full += this.#compactBytes;
      rmSync(next, { force: true });
    } finally {
      closeSync(file);
    }
  }
}

/** Does a change to the tables again. The parse boundary: the journal's header says who wrote it. */
export function apply(tables: MapTables, [table, key, value, due]: Change): void {
  const target: MapTables[TableName] | undefined = tables[table];
  if (target === undefined)
    throw new StoreDown(`it holds "${table}", which a newer budget-guard wrote; update this one`);
  if (value === undefined) target.delete(key);
  else target.set(key, value as never, due ?? null);
}
