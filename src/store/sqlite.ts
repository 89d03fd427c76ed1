import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Clock } from "../clock.ts";
import { StoreDown } from "./down.ts";
import { Ledger } from "./ledger.ts";
import { ledgerStore } from "./ledger-store.ts";
import type { Store } from "./store.ts";
import { TABLES, type Table, type TableName, type Tables } from "./tables.ts";

type Sqlite = typeof import("node:sqlite");

/** Stands in the file's header, so that another program's database is recognised: "bgld". */
const APPLICATION = 0x62676c64;
const VERSION = 1;
/** SQLite's own waiting blocks the event loop, so it is short; the rest of the waiting is asynchronous. */
const BLOCKING_MS = 4;
const PATIENCE_MS = 5_000;

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
    return ledgerStore(new Ledger(tables, clock), { name, kind: "file", run, shut });
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
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
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

/** SQLite's result code; null for an error that is not SQLite's. A closed database has none, and counts as misuse (21). */
function errorCode(error: unknown): number | null {
  if (!(error instanceof Error) || !("code" in error)) return null;
  if (error.code === "ERR_INVALID_STATE") return 21;
  return error.code === "ERR_SQLITE_ERROR" && "errcode" in error ? Number(error.errcode) : null;
}

/** SQLITE_BUSY and SQLITE_LOCKED, extended codes included. */
const isBusy = (code: number): boolean => (code & 0xff) === 5 || (code & 0xff) === 6;

class SqliteTables implements Tables {
  readonly meters;
  readonly holds;
  readonly past;
  readonly gates;
  readonly prints;
  readonly lessons;
  readonly #db: DatabaseSync;
  readonly #all: readonly { begin(): void; flush(): void }[];

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.meters = new SqliteTable<readonly number[]>(db, "meters");
    this.holds = new SqliteTable<Held>(db, "holds");
    this.past = new SqliteTable<Over>(db, "past");
    this.gates = new SqliteTable<Shut>(db, "gates");
    this.prints = new SqliteTable<Seen>(db, "prints");
    this.lessons = new SqliteTable<readonly number[]>(db, "lessons");
    this.#all = [this.meters, this.holds, this.past, this.gates, this.prints, this.lessons];
  }

  atomic<T>(work: () => T): T {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      for (const table of this.#all) table.begin();
      const result = work();
      for (const table of this.#all) table.flush();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

type Held = Tables["holds"] extends Table<infer Value> ? Value : never;
type Over = Tables["past"] extends Table<infer Value> ? Value : never;
type Shut = Tables["gates"] extends Table<infer Value> ? Value : never;
type Seen = Tables["prints"] extends Table<infer Value> ? Value : never;

/** A record in the transaction under way. `stored`: the due time in the file; undefined where it has no such record. */
interface Known<Value> {
  readonly value: Value;
  readonly due: number | null;
  readonly stored: number | null | undefined;
}

/**
 * A table whose values are kept as JSON: exact for whole numbers to 2^53. In a transaction every record is read and
 * written once, however often the ledger touches it.
 */
class SqliteTable<Value> implements Table<Value> {
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #update: StatementSync;
  readonly #delete: StatementSync;
  readonly #entries: StatementSync;
  readonly #due: StatementSync;
  readonly #known = new Map<string, Known<Value>>();
  readonly #changed = new Set<string>();

  constructor(db: DatabaseSync, table: TableName) {
    this.#get = db.prepare(`SELECT value, due FROM ${table} WHERE key = ?`);
    this.#put = db.prepare(
      `INSERT INTO ${table} VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value, due = excluded.due`,
    );
    this.#update = db.prepare(`UPDATE ${table} SET value = ? WHERE key = ?`);
    this.#delete = db.prepare(`DELETE FROM ${table} WHERE key = ?`);
    this.#entries = db.prepare(`SELECT key, value, due FROM ${table} WHERE key >= ? AND key < ? ORDER BY key`);
    this.#due = db.prepare(`SELECT key, value, due FROM ${table} WHERE due <= ? ORDER BY due, key LIMIT ?`);
  }

  /** A transaction starts: others may have written since the last one. */
  begin(): void {
    this.#known.clear();
    this.#changed.clear();
  }

  flush(): void {
    for (const key of this.#changed) {
      const record = this.#known.get(key);
      if (record === undefined) continue;
      const text = JSON.stringify(record.value);
      // Where the due time stays as it is, its index need not be written.
      if (record.stored === record.due) this.#update.run(text, key);
      else this.#put.run(key, text, record.due);
      this.#known.set(key, { ...record, stored: record.due });
    }
    this.#changed.clear();
  }

  get(key: string): Value | undefined {
    const known = this.#known.get(key);
    if (known !== undefined) return known.value;
    const row = this.#get.get(key);
    if (row === undefined) return undefined;
    const due = dueOf(row);
    const value = parsed<Value>(row);
    this.#known.set(key, { value, due, stored: due });
    return value;
  }

  set(key: string, value: Value, due: number | null): void {
    this.#known.set(key, { value, due, stored: this.#known.get(key)?.stored });
    this.#changed.add(key);
  }

  delete(key: string): void {
    this.#delete.run(key);
    this.#known.delete(key);
    this.#changed.delete(key);
  }

  entries(prefix: string): readonly (readonly [string, Value])[] {
    this.flush();
    return this.#entries.all(prefix, `${prefix}\u{10ffff}`).map((row) => [String(row.key), parsed<Value>(row)]);
  }

  due(now: number, limit: number): readonly { readonly key: string; readonly value: Value; readonly due: number }[] {
    this.flush();
    return this.#due
      .all(now, limit)
      .map((row) => ({ key: String(row.key), value: parsed<Value>(row), due: Number(row.due) }));
  }
}

type Row = ReturnType<StatementSync["all"]>[number];

/** The parse boundary: this package alone writes the file, its format is versioned. */
const parsed = <Value>(row: Row): Value => JSON.parse(String(row.value)) as Value;

const dueOf = (row: Row): number | null => (row.due === null ? null : Number(row.due));
