import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../clock.ts";
import { StoreDown } from "./down.ts";
import { Ledger } from "./ledger.ts";
import { ledgerStore } from "./ledger-store.ts";
import { SqliteTables } from "./sqlite-tables.ts";
import type { Store } from "./store.ts";
import { TABLES, type Tables } from "./tables.ts";

type Sqlite = typeof import("node:sqlite");

/** Stands in the file's header, so that another program's database is recognised: "bgld". */
const APPLICATION = 0x62676c64;
const VERSION = 1;
/** SQLite's own waiting blocks the event loop, so it is short; the rest of the waiting is asynchronous. */
const BLOCKING_MS = 4;
const PATIENCE_MS = 5_000;
/** So often at most, ms, it is looked whether the file is still in its place. */
const LOOK_MS = 100;
/** Bytes. */
const PAGE = 1_024;

/** `node:sqlite` where this Node has it without a flag (from 22.13), else undefined; without its warning. */
export function loadSqlite(): Sqlite | undefined {
  const emit = process.emitWarning;
  // Node 22 and 24 warn once that SQLite is experimental; every other warning goes through.
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (rest[0] === "ExperimentalWarning" && String(warning).includes("SQLite")) return;
    Reflect.apply(emit, process, [warning, ...rest]);
  };
  try {
    return process.getBuiltinModule("node:sqlite");
  } finally {
    process.emitWarning = emit;
  }
}

/**
 * Opens a ledger in an SQLite file that many processes share. StoreDown where the file is not such a ledger. `first` may
 * work on its tables before anyone else does, and again where another process had the file.
 */
export async function openSqlite(
  sqlite: Sqlite,
  path: string,
  name: string,
  clock: Clock,
  first?: (tables: Tables) => void,
): Promise<Store> {
  const run = patient(name);
  const db = await run(() => connect(sqlite, path));
  try {
    const tables = await run(() => new SqliteTables(db));
    if (first !== undefined) await run(() => first(tables));
    let isShut = false;
    const shut = async () => {
      if (!isShut) db.close();
      isShut = true;
    };
    return ledgerStore(new Ledger(tables, clock), { name, kind: "file", run: inPlace(path, run), shut });
  } catch (error) {
    db.close();
    throw error;
  }
}

function connect(sqlite: Sqlite, path: string): DatabaseSync {
  const db = new sqlite.DatabaseSync(path);
  try {
    // Before anything else: processes that start together would otherwise fail at once with SQLITE_BUSY.
    db.exec(`PRAGMA busy_timeout = ${BLOCKING_MS}`);
    prepare(db, path);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Checks whose file it is before it changes a byte of it. */
function prepare(db: DatabaseSync, path: string): void {
  if (numberOf(db, "SELECT count(*) FROM sqlite_schema") > 0) own(db, path);
  // A commit writes every page that it touched whole, and a step touches few bytes of several: small pages cost a tenth
  // less. Only a new file takes the size.
  db.exec(`PRAGMA page_size = ${PAGE}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL`);
  db.exec("BEGIN IMMEDIATE");
  try {
    // Another process may have made the tables meanwhile.
    if (numberOf(db, "SELECT count(*) FROM sqlite_schema") > 0) own(db, path);
    for (const table of TABLES) {
      db.exec(
        `CREATE TABLE IF NOT EXISTS ${table} (key TEXT PRIMARY KEY, value TEXT NOT NULL, due INTEGER) WITHOUT ROWID`,
      );
      db.exec(`CREATE INDEX IF NOT EXISTS ${table}_due ON ${table} (due, key) WHERE due IS NOT NULL`);
    }
    db.exec(`PRAGMA application_id = ${APPLICATION}; PRAGMA user_version = ${VERSION}; COMMIT`);
  } catch (error) {
    db.exec("ROLLBACK");
    throw error;
  }
}

function own(db: DatabaseSync, path: string): void {
  if (numberOf(db, "PRAGMA application_id") !== APPLICATION) {
    throw new StoreDown(`${path} is a database of another program; name another file in BUDGET_GUARD_STORE`);
  }
  const version = numberOf(db, "PRAGMA user_version");
  if (version > VERSION) {
    throw new StoreDown(
      `${path} was written by a newer budget-guard (format ${version}, this one knows ${VERSION}); update it`,
    );
  }
}

const numberOf = (db: DatabaseSync, sql: string): number => Number(Object.values(db.prepare(sql).get() ?? {})[0] ?? 0);

/** Runs work; where another process has the file, tries again after a short random pause that lets the event loop turn. */
function patient(name: string): <T>(work: () => T) => Promise<T> {
  return async function whenFree<T>(work: () => T): Promise<T> {
    const end = performance.now() + PATIENCE_MS;
    for (let tries = 0; ; tries++) {
      try {
        return work();
      } catch (error) {
        const code = errorCode(error);
        if (code === null) throw error;
        if (!isBusy(code) || performance.now() > end) throw StoreDown.from(name, error);
      }
      await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * Math.min(25, 2 ** tries)));
    }
  };
}

/**
 * Runs work as long as the file is where it was opened. SQLite goes on in one that was deleted, where no other process
 * would ever see what is spent: two ledgers would be two budgets.
 */
function inPlace(path: string, run: ReturnType<typeof patient>): typeof run {
  const own = fileAt(path);
  let lookedAt = performance.now();
  return async (work) => {
    if (performance.now() - lookedAt >= LOOK_MS) {
      if (fileAt(path) !== own) throw new StoreDown(`${path} was deleted or replaced while in use`, { isOver: true });
      lookedAt = performance.now();
    }
    return run(work);
  };
}

const fileAt = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;

/** SQLite's result code; null for an error that is not SQLite's. A closed database has none, and counts as misuse (21). */
function errorCode(error: unknown): number | null {
  if (!(error instanceof Error) || !("code" in error)) return null;
  if (error.code === "ERR_INVALID_STATE") return 21;
  return error.code === "ERR_SQLITE_ERROR" && "errcode" in error ? Number(error.errcode) : null;
}

/** SQLITE_BUSY and SQLITE_LOCKED, extended codes included. */
const isBusy = (code: number): boolean => (code & 0xff) === 5 || (code & 0xff) === 6;
