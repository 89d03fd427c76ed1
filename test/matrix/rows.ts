/**
 * The rows of the matrix: what must hold on every Node, and which tests show it. CI runs them, and docs/coverage.md is printed
 * from what came of them; both read rows.json.
 * @module
 */
import { existsSync, readFileSync } from "node:fs";

export interface MatrixRow {
  readonly client: string;
  /** The table that it stands in. */
  readonly group: string;
  /** The first version of Node that it loads on, where that is not every one. */
  readonly from?: string;
  /** What is different with it. */
  readonly note?: string;
  /** For test/e2e/matrix.test.ts: the provider that it speaks with. */
  readonly speaks?: string;
  /** For test/e2e/matrix.test.ts: whether over TLS. */
  readonly tls?: boolean;
  /** A suite of its own under test/, and which of its tests: a pattern of their full names; all of them unless given. */
  readonly suite?: string;
  readonly tests?: string;
}

export const rows = JSON.parse(readFileSync(new URL("rows.json", import.meta.url), "utf8")) as readonly MatrixRow[];

/** What came of a row on a line of Node: `yes`, `NO`, or from which version on there is such a client. */
export interface Cell {
  readonly client: string;
  readonly node: string;
  readonly result: string;
  /** How many tests it rests on. */
  readonly tests?: number;
}

const kept = new URL("cells.json", import.meta.url);

/** As `npm run test:matrix -- --write` has left them; none where it never ran. */
export const cells = existsSync(kept) ? (JSON.parse(readFileSync(kept, "utf8")) as readonly Cell[]) : [];

/** Whether a version of Node, `22.19.0`, loads the client of a row. */
export function loadsOn({ from }: MatrixRow, version: string): boolean {
  if (from === undefined) return true;
  const [major = 0, minor = 0] = from.split(".").map(Number);
  const [ownMajor = 0, ownMinor = 0] = version.split(".").map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

/** The clients that test/e2e/matrix.test.ts runs here. */
export const clients = rows.flatMap((row) =>
  row.speaks !== undefined && loadsOn(row, process.versions.node) ? [{ ...row, speaks: row.speaks }] : [],
);
