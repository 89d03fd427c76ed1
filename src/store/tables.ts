import type { Place, Slots } from "./meters.ts";

/** What a hold keeps of one meter. */
export interface HeldMeter {
  readonly place: Place;
  readonly amount: number;
  readonly floor: number;
}

/** An attempt in flight. */
export interface Hold {
  readonly attemptNumber: number;
  readonly repeat: boolean;
  readonly meters: readonly HeldMeter[];
}

/** An attempt that is over. `at`: when its hold expired, ms since 1970: its floors were spent then. */
export type Past =
  | { readonly kind: "settled" }
  | { readonly kind: "expired"; readonly at: number; readonly hold: Hold };

export interface Gate {
  readonly since: number;
  readonly until: number | null;
}

/** What is remembered of a fingerprint. */
export interface Print {
  readonly succeeded: boolean;
  /** Failures in a row. */
  readonly failures: number;
}

/** A limit that the store keeps; JSON knows no infinity. */
export type KeptLimit = number | "unlimited";

/** One kind of record by key; each may have a time at which something is due: a hold expires, others are forgotten. */
export interface Table<Value> {
  get(key: string): Value | undefined;
  /** Reads records that will be asked for, in one step, where an engine has that. */
  load?(keys: readonly string[]): void;
  set(key: string, value: Value, due: number | null): void;
  delete(key: string): void;
  /** Records whose key starts with the prefix. */
  entries(prefix: string): Iterable<readonly [string, Value]>;
  /** At most `limit` records that are due at `now`: those due first first, then by key. */
  due(now: number, limit: number): readonly { readonly key: string; readonly value: Value; readonly due: number }[];
}

/** All that the ledger keeps: the engine's half of a store. */
export interface Tables {
  readonly meters: Table<Slots>;
  readonly holds: Table<Hold>;
  readonly past: Table<Past>;
  readonly gates: Table<Gate>;
  readonly prints: Table<Print>;
  readonly lessons: Table<readonly number[]>;
  /** When a run was last seen by a meter that counts runs, ms since 1970. */
  readonly runs: Table<number>;
  readonly limits: Table<KeptLimit>;
  /** Short texts for other processes. */
  readonly notes: Table<string>;
  /** Runs `work` so that all of it is kept or nothing, and nobody else works on the tables meanwhile. */
  atomic<T>(work: () => T): T;
  /** Runs `work`, which only reads, on one state of the tables; it waits for nobody. */
  glance<T>(work: () => T): T;
}

/** Names of the tables, in the order in which engines make them. */
export const TABLES = ["meters", "holds", "past", "gates", "prints", "lessons", "runs", "limits", "notes"] as const;
export type TableName = (typeof TABLES)[number];
