import { type Dated, DueQueue } from "./due-queue.ts";
import type { Slots } from "./meters.ts";
import type { Gate, Hold, KeptLimit, Past, Print, Table, TableName, Tables } from "./tables.ts";

/** Told of every change to a table; `value` undefined where the record was deleted. */
export type Changed = (table: TableName, key: string, value: unknown, due: number | null) => void;

interface Row<Value> extends Dated {
  value: Value;
}

/** A table in this process. */
export class MapTable<Value> implements Table<Value> {
  readonly #rows = new Map<string, Row<Value>>();
  readonly #queue = new DueQueue<Row<Value>>();
  readonly #name: TableName;
  readonly #changed: Changed;

  constructor(name: TableName, changed: Changed) {
    this.#name = name;
    this.#changed = changed;
  }

  get(key: string): Value | undefined {
    return this.#rows.get(key)?.value;
  }

  set(key: string, value: Value, due: number | null): void {
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = { key, value, due: NEVER, at: -1 };
      this.#rows.set(key, row);
    } else {
      row.value = value;
    }
    this.#queue.set(row, due ?? NEVER);
    this.#changed(this.#name, key, value, due);
  }

  delete(key: string): void {
    const row = this.#rows.get(key);
    if (row === undefined) return;
    this.#rows.delete(key);
    this.#queue.delete(row);
    this.#changed(this.#name, key, undefined, null);
  }

  *entries(prefix: string): Iterable<readonly [string, Value]> {
    for (const [key, { value }] of this.#rows) if (key.startsWith(prefix)) yield [key, value];
  }

  due(now: number, limit: number): readonly { readonly key: string; readonly value: Value; readonly due: number }[] {
    return this.#queue.due(now, limit);
  }

  /** Every record with its due time, for a journal's snapshot. */
  *all(): Iterable<readonly [string, Value, number | null]> {
    for (const [key, { value, due }] of this.#rows) yield [key, value, due === NEVER ? null : due];
  }
}

const NEVER = Number.POSITIVE_INFINITY;

/** Tables of maps. */
export interface MapTables extends Tables {
  readonly meters: MapTable<Slots>;
  readonly holds: MapTable<Hold>;
  readonly past: MapTable<Past>;
  readonly gates: MapTable<Gate>;
  readonly prints: MapTable<Print>;
  readonly lessons: MapTable<readonly number[]>;
  readonly runs: MapTable<number>;
  readonly limits: MapTable<KeptLimit>;
  readonly notes: MapTable<string>;
}

/** New, empty tables in this process; one thread, so that work is atomic by itself. */
export function mapTables(changed: Changed, atomic: Tables["atomic"] = (work) => work()): MapTables {
  return {
    meters: new MapTable("meters", changed),
    holds: new MapTable("holds", changed),
    past: new MapTable("past", changed),
    gates: new MapTable("gates", changed),
    prints: new MapTable("prints", changed),
    lessons: new MapTable("lessons", changed),
    runs: new MapTable("runs", changed),
    limits: new MapTable("limits", changed),
    notes: new MapTable("notes", changed),
    atomic,
    glance: (work) => work(),
  };
}
