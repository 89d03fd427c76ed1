import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { KeptLimit, Table, TableName, Tables } from "./tables.ts";

/** The tables of one connection. */
export class SqliteTables implements Tables {
  readonly meters;
  readonly holds;
  readonly past;
  readonly gates;
  readonly prints;
  readonly lessons;
  readonly runs;
  readonly limits;
  readonly notes;
  readonly #db: DatabaseSync;
  readonly #version: StatementSync;
  readonly #all: readonly { forget(): void; flush(): void }[];
  #seen: unknown;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#version = db.prepare("PRAGMA data_version");
    this.meters = new SqliteTable<readonly number[]>(db, "meters");
    this.holds = new SqliteTable<Held>(db, "holds");
    this.past = new SqliteTable<Over>(db, "past");
    this.gates = new SqliteTable<Shut>(db, "gates");
    this.prints = new SqliteTable<Seen>(db, "prints");
    this.lessons = new SqliteTable<readonly number[]>(db, "lessons");
    this.runs = new SqliteTable<number>(db, "runs");
    this.limits = new SqliteTable<KeptLimit>(db, "limits");
    this.notes = new SqliteTable<string>(db, "notes");
    const { meters, holds, past, gates, prints, lessons, runs, limits, notes } = this;
    this.#all = [meters, holds, past, gates, prints, lessons, runs, limits, notes];
  }

  atomic<T>(work: () => T): T {
    return this.#within("BEGIN IMMEDIATE", work);
  }

  glance<T>(work: () => T): T {
    // The first statement that reads fixes the state that all the others see (sqlite.org/lang_transaction.html).
    return this.#within("BEGIN", work);
  }

  #within<T>(begin: string, work: () => T): T {
    this.#db.exec(begin);
    try {
      // It changes when another process has written (sqlite.org/pragma.html#pragma_data_version), never by our own hand.
      const version = this.#version.get()?.data_version;
      if (version !== this.#seen) for (const table of this.#all) table.forget();
      this.#seen = version;
      const result = work();
      for (const table of this.#all) table.flush();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      for (const table of this.#all) table.forget();
      this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

type Held = Tables["holds"] extends Table<infer Value> ? Value : never;
type Over = Tables["past"] extends Table<infer Value> ? Value : never;
type Shut = Tables["gates"] extends Table<infer Value> ? Value : never;
type Seen = Tables["prints"] extends Table<infer Value> ? Value : never;

/** A record as it stands. `stored`: the due time in the file; undefined where it has no such record. */
interface Known<Value> {
  readonly value: Value;
  readonly due: number | null;
  readonly stored: number | null | undefined;
}

/** Records of a table that are kept in mind at most, those that are not there included. */
const MOST_KNOWN = 2_000;

/**
 * A table whose values are kept as JSON: exact for whole numbers to 2^53. In a transaction every record is read and
 * written once, however often the ledger touches it; while no other process writes, none is read again.
 */
class SqliteTable<Value> implements Table<Value> {
  readonly #get: StatementSync;
  readonly #load: StatementSync;
  readonly #put: StatementSync;
  readonly #update: StatementSync;
  readonly #delete: StatementSync;
  readonly #entries: StatementSync;
  readonly #due: StatementSync;
  readonly #next: StatementSync;
  /** Null: surely not in the file. */
  readonly #known = new Map<string, Known<Value> | null>();
  readonly #changed = new Set<string>();
  /** No record is due before this; null where it must be looked up. */
  #quietUntil: number | null = null;

  constructor(db: DatabaseSync, table: TableName) {
    this.#get = db.prepare(`SELECT value, due FROM ${table} WHERE key = ?`);
    this.#load = db.prepare(`SELECT key, value, due FROM ${table} WHERE key IN (SELECT value FROM json_each(?))`);
    this.#put = db.prepare(
      `INSERT INTO ${table} VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value, due = excluded.due`,
    );
    this.#update = db.prepare(`UPDATE ${table} SET value = ? WHERE key = ?`);
    this.#delete = db.prepare(`DELETE FROM ${table} WHERE key = ?`);
    this.#entries = db.prepare(`SELECT key, value, due FROM ${table} WHERE key >= ? AND key < ? ORDER BY key`);
    this.#due = db.prepare(`SELECT key, value, due FROM ${table} WHERE due <= ? ORDER BY due, key LIMIT ?`);
    this.#next = db.prepare(`SELECT min(due) AS due FROM ${table} WHERE due IS NOT NULL`);
  }

  /** What is in the file may be something else now. */
  forget(): void {
    this.#known.clear();
    this.#changed.clear();
    this.#quietUntil = null;
  }

  flush(): void {
    for (const key of this.#changed) {
      const record = this.#known.get(key);
      if (!record) continue;
      const text = JSON.stringify(record.value);
      // Where the due time stays as it is, its index need not be written.
      if (record.stored === record.due) this.#update.run(text, key);
      else this.#put.run(key, text, record.due);
      this.#known.set(key, { ...record, stored: record.due });
    }
    this.#changed.clear();
    if (this.#known.size > MOST_KNOWN) this.#known.clear();
  }

  get(key: string): Value | undefined {
    const known = this.#known.get(key);
    if (known !== undefined) return known?.value;
    const row = this.#get.get(key);
    if (row === undefined) this.#known.set(key, null);
    return row === undefined ? undefined : this.#keep(key, row);
  }

  /** One statement costs about what three do for a record each. */
  load(keys: readonly string[]): void {
    const unknown = keys.filter((key) => !this.#known.has(key));
    if (unknown.length < 3) return;
    for (const key of unknown) this.#known.set(key, null);
    for (const row of this.#load.all(JSON.stringify(unknown))) this.#keep(String(row.key), row);
  }

  #keep(key: string, row: Row): Value {
    const due = dueOf(row);
    const value = parsed<Value>(row);
    this.#known.set(key, { value, due, stored: due });
    return value;
  }

  set(key: string, value: Value, due: number | null): void {
    this.#known.set(key, { value, due, stored: this.#known.get(key)?.stored });
    this.#changed.add(key);
    if (this.#quietUntil !== null && due !== null) this.#quietUntil = Math.min(this.#quietUntil, due);
  }

  delete(key: string): void {
    if (this.#known.get(key) !== null) this.#delete.run(key);
    this.#known.set(key, null);
    this.#changed.delete(key);
  }

  entries(prefix: string): readonly (readonly [string, Value])[] {
    this.flush();
    return this.#entries.all(prefix, `${prefix}\u{10ffff}`).map((row) => [String(row.key), parsed<Value>(row)]);
  }

  due(now: number, limit: number): readonly { readonly key: string; readonly value: Value; readonly due: number }[] {
    if (this.#quietUntil !== null && now < this.#quietUntil) return [];
    this.flush();
    const next = this.#next.get();
    this.#quietUntil = next === undefined ? null : (dueOf(next) ?? Number.POSITIVE_INFINITY);
    if (this.#quietUntil !== null && now < this.#quietUntil) return [];
    return this.#due
      .all(now, limit)
      .map((row) => ({ key: String(row.key), value: parsed<Value>(row), due: Number(row.due) }));
  }
}

type Row = ReturnType<StatementSync["all"]>[number];

/** The parse boundary: this package alone writes the file, its format is versioned. */
const parsed = <Value>(row: Row): Value => JSON.parse(String(row.value)) as Value;

const dueOf = (row: Row): number | null => (row.due === null ? null : Number(row.due));
