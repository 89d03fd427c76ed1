/**
 * A row of the table of endpoints, and how rows are written.
 * @module
 */
import type { Operation, Spending } from "../../src/call/call.ts";
import type { Words } from "./words.ts";

export interface Row {
  readonly provider: string;
  readonly method: string;
  readonly url: string;
  readonly operation: Operation;
  readonly spending: Spending;
  /** The model that the sample asks for, where the address names none. */
  readonly model?: string;
  /** Its answer; absent where nothing is read of it. */
  readonly words?: Words;
  /** What tells the bill where no one answer does, and the test that shows it. */
  readonly later?: { readonly by: string; readonly test: string };
  /** Tokens that the sample answer is billed for; 100 and 20 unless told. */
  readonly tokens?: readonly [input: number, output: number];
}

export const READ = { tokens: [100, 0] } as const;

/** Adds rows of one provider to `rows`; the sample answers of the rows that follow are for its `model`. */
export const rowsOf = (rows: Row[]) => (name: string, origin: string, model: string) => {
  const add = (method: string, path: string, operation: Operation, spending: Spending, more: Partial<Row> = {}) => {
    rows.push({ provider: name, method, url: origin + path, operation, spending, model, ...more });
  };
  return {
    metered: (path: string, operation: Operation, sample: Words, more: Partial<Row> = {}) =>
      add("POST", path, operation, "metered", { words: sample, ...more }),
    later: (method: string, path: string, operation: Operation, by: string, test: string) =>
      add(method, path, operation, "metered", { later: { by, test } }),
    unmetered: (path: string, operation: Operation = "other", method = "POST") =>
      add(method, path, operation, "unmetered"),
    free: (path: string, method = "POST") => add(method, path, "other", "free"),
  };
};
