/**
 * A table of amounts in a JSON file: `{"acme": "$50", "globex": 200, "big": "unlimited"}`.
 * In: the file's text. Out: rows as the policy itself would write them, with what is wrong reported on the statement.
 * @module
 */
import type { AmountNode, Span } from "./ast.ts";
import { limits as say } from "./declaration-messages.ts";
import { positionAt } from "./diagnostics.ts";
import type { Finding } from "./finding.ts";
import { parsePolicy } from "./syntax.ts";

/** A row before its unit is checked. `report` says what is wrong about it in its own place. */
export interface RowInput {
  readonly key: string;
  /** A plain number of a JSON file is dollars where the limit is money, and a count elsewhere. */
  readonly plain: boolean;
  readonly amount: AmountNode;
  readonly report: (finding: Finding) => void;
}

/** The rows of a file, or null where it is no such table; `span` is where the policy names it. */
export function readRows(
  file: string,
  text: string,
  span: Span,
  report: (finding: Finding) => void,
): readonly RowInput[] | null {
  let table: unknown;
  try {
    table = JSON.parse(text);
  } catch (error) {
    report(say.notJson(span, placeOf(file, text, error)));
    return null;
  }
  if (typeof table !== "object" || table === null || Array.isArray(table)) {
    report(say.notATable(span, file));
    return null;
  }
  const rows: RowInput[] = [];
  // Most tenants have one of a few amounts.
  const known = new Map<string, AmountNode | null>();
  const textAmount = (written: string): AmountNode | null => {
    const amount = known.get(written) ?? amountOf(written);
    known.set(written, amount);
    return amount;
  };
  const twice = repeatedKey(text);
  if (twice !== null) report(say.row(span, file, twice, "is there twice", "delete one of the two"));
  for (const [key, value] of Object.entries(table)) {
    const complain = (finding: Finding): void => report(say.row(span, file, key, finding.message, finding.help));
    const amount =
      typeof value === "number" ? numberNode(value, span) : typeof value === "string" ? textAmount(value) : null;
    if (amount === null) {
      report(say.row(span, file, key, `${given(value)} is no amount`));
      continue;
    }
    rows.push({ key, plain: typeof value === "number", amount, report: complain });
  }
  return rows;
}

function given(value: unknown): string {
  if (typeof value === "string" || value === null) return JSON.stringify(value).slice(0, 100);
  if (typeof value === "number") return String(value);
  return Array.isArray(value) ? "a list" : typeof value === "object" ? "a table" : "a yes or no";
}

/** Engines word their complaints differently, and all but the end of the text comes with an offset. */
function placeOf(file: string, text: string, error: unknown): string {
  const offset = /position (\d+)/.exec(error instanceof Error ? error.message : "")?.[1];
  const { line, column } = positionAt(text, offset === undefined ? text.length : Number(offset));
  return `${file}:${line}:${column}`;
}

/** An amount in the language's own words; the grammar of the policy reads it. */
function amountOf(text: string): AmountNode | null {
  if (/[\r\n#]/.test(text) || text.length > 100) return null;
  const { statements } = parsePolicy(`limit a by a {} else ${text}`);
  const [only, more] = statements;
  return only?.kind === "Limit" && more === undefined ? only.otherwise : null;
}

function numberNode(value: number, span: Span): AmountNode | null {
  const text = String(value);
  // Written with an exponent: too large or too small for any budget.
  if (!/^-?\d+(?:\.\d+)?$/.test(text)) return null;
  return { kind: "Count", span, unit: null, value: { kind: "Number", span, text, scale: "" } };
}

/** A key that stands twice, of which JSON would silently take the last; null where there is none. */
function repeatedKey(text: string): string | null {
  const seen = new Set<string>();
  for (const [, key = "", colon] of text.matchAll(/("(?:\\.|[^"\\])*")(\s*:)?/g)) {
    if (colon === undefined) continue;
    const name: unknown = JSON.parse(key);
    if (typeof name !== "string") continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return null;
}
