/**
 * `limit quota by tenant { ... } else $1`: tables, files and the store, and the chains between limits.
 * In: the limit statements of all files. Out: limits with one unit each, or null where one is wrong.
 * @module
 */
import { kindOfAmount } from "./amount.ts";
import type { AmountNode, LimitNode } from "./ast.ts";
import { limits as say } from "./declaration-messages.ts";
import type { Context, Grant, NamedLimitDraft } from "./draft.ts";
import type { Finding } from "./finding.ts";
import type { RowInput } from "./limit-file.ts";
import { amounts, names } from "./messages.ts";
import { DOLLAR, exact } from "./number.ts";
import { printAmount, printNumber } from "./print.ts";
import { closest } from "./suggest.ts";
import { scopes, type Unit } from "./vocabulary.ts";

/** A limit statement with the rows of its table or file; null where the file could not be read. */
export interface FoundLimit {
  readonly node: LimitNode;
  readonly file: string;
  readonly rows: readonly RowInput[] | null;
  readonly context: Context;
}

/** A chain of limits is followed for every call, so it has an end. */
const LONGEST_CHAIN = 100;

/** Every limit by name. Of two with one name, which is an error of its own, the first counts. */
export function resolveLimits(found: readonly FoundLimit[]): ReadonlyMap<string, NamedLimitDraft | null> {
  const byName = new Map<string, FoundLimit>();
  for (const each of found) if (!byName.has(each.node.name.text)) byName.set(each.node.name.text, each);
  const done = new Map<string, NamedLimitDraft | null>();
  const resolve = (name: string, trail: readonly string[]): NamedLimitDraft | null => {
    const known = done.get(name);
    const limit = byName.get(name);
    if (known !== undefined || limit === undefined) return known ?? null;
    const draft = resolveLimit(limit, (ref, report, span) => {
      const at = [...trail, name].indexOf(ref);
      if (at !== -1) {
        report(say.circle(span, [...trail.slice(at), name, ref].join(" → ")));
        return null;
      }
      if (trail.length >= LONGEST_CHAIN) {
        report(say.tooLong(span));
        return null;
      }
      return resolve(ref, [...trail, name]);
    });
    done.set(name, draft);
    return draft;
  };
  for (const name of byName.keys()) resolve(name, []);
  return done;
}

type Follow = (name: string, report: (finding: Finding) => void, span: LimitNode["span"]) => NamedLimitDraft | null;

function resolveLimit({ node, file, rows, context }: FoundLimit, follow: Follow): NamedLimitDraft | null {
  let right = rows !== null;
  const fail = (report: (finding: Finding) => void, finding: Finding): null => {
    right = false;
    report(finding);
    return null;
  };
  checkDimension(node, context, fail);
  const fromFile = node.source.kind === "FromFile";
  const entries: RowInput[] = [...(rows ?? [])];
  if (node.otherwise === null) fail(context.report, noElse(node, rows));
  else {
    // Nobody reads a whole file to find the row that is wrong: there the rows are measured by `else`.
    const place = fromFile ? 0 : entries.length;
    entries.splice(place, 0, { key: "", plain: false, amount: node.otherwise, report: context.report });
  }

  // What the first amount is, all others must be; plain numbers of a file are whatever the others are.
  let kind: string | null = null;
  const referred = new Map<RowInput, NamedLimitDraft | null>();
  for (const entry of entries) {
    const { amount, report, plain } = entry;
    if (amount.kind === "Ref") {
      const other = reference(amount.name.text, entry, context, follow);
      referred.set(entry, other);
      if (other === null) right = false;
    }
    const given = plain ? null : kindIn(entry, referred);
    if (given === null) {
      if (amount.kind === "Percent" || amount.kind === "Rate") fail(report, say.rowKind(amount.span, rowText(amount)));
    } else if (kind === null) kind = given;
    else if (given !== kind) {
      const number = amount.kind === "Count" ? printNumber(amount.value) : null;
      const isElse = amount === node.otherwise;
      const unit = isElse ? say.elseUnit : fromFile ? say.fileRowUnit : say.rowUnit;
      fail(report, unit(amount.span, given, kind, number));
    }
  }
  const table = new Map<string, Grant>();
  let otherwise: Grant = { kind: "unlimited" };
  for (const entry of entries) {
    if (entry.plain && kind === null) {
      fail(entry.report, amounts.whatUnit(entry.amount.span));
      break;
    }
    const grant = grantOf(entry, kind, context);
    if (grant === null) right = false;
    else if (entry.amount === node.otherwise) otherwise = grant;
    else if (table.has(entry.key)) fail(entry.report, say.rowTwice(entry.amount.span, entry.key));
    else table.set(entry.key, grant);
  }
  if (!right) return null;
  const unit = kind === null ? null : unitOf(kind);
  const fromStore = node.source.kind === "FromStore";
  return {
    name: node.name.text,
    file,
    span: node.name.span,
    by: node.by.text,
    kind,
    unit,
    rows: table,
    fromStore,
    otherwise,
  };
}

function checkDimension(
  { by }: LimitNode,
  context: Context,
  fail: (report: Context["report"], finding: Finding) => null,
): void {
  const known = [...scopes.filter((scope) => scope !== "global"), ...context.names.dimensions];
  if (!known.includes(by.text)) fail(context.report, names.dimension(by.span, by.text, closest(by.text, known)));
}

function noElse(node: LimitNode, rows: readonly RowInput[] | null): Finding {
  const place = { Table: "this table", FromStore: "the store", FromFile: "the file" }[node.source.kind];
  const first = rows?.[0];
  const example = first === undefined || first.plain ? "$50" : printAmount(first.amount);
  return say.noElse(node.span, node.by.text, place, example);
}

/** The limit that a row refers to, or null with a report. */
function reference(
  name: string,
  { amount, report }: RowInput,
  context: Context,
  follow: Follow,
): NamedLimitDraft | null {
  const { budgets, limits } = context.names;
  if (limits.has(name)) return follow(name, report, amount.span);
  if (budgets.has(name)) report(amounts.budgetInTable(amount.span, name));
  else report(names.otherLimit(amount.span, name, closest(name, limits.keys())));
  return null;
}

function kindIn(entry: RowInput, referred: ReadonlyMap<RowInput, NamedLimitDraft | null>): string | null {
  switch (entry.amount.kind) {
    case "Money":
    case "Count":
      return kindOfAmount(entry.amount);
    case "Ref":
      return referred.get(entry)?.kind ?? null;
    default:
      return null;
  }
}

const rowText = (amount: AmountNode): string => (amount.kind === "Rate" ? "a rate" : kindOfAmount(amount));

const unitOf = (kind: string): Unit => (kind === "money" || kind === "tokens" ? kind : "count");

function grantOf({ amount, plain, report }: RowInput, kind: string | null, context: Context): Grant | null {
  const inPlace: Context = { ...context, report };
  switch (amount.kind) {
    case "Ref":
      return { kind: "limit", limit: amount.name.text };
    case "Unlimited":
      return { kind: "unlimited" };
    case "Money":
      if (amount.currency !== "$") {
        report(amounts.currency(amount.span, amount.currency, printNumber(amount.value)));
        return null;
      }
      return granted(exact(amount.value, DOLLAR, null, inPlace));
    case "Count": {
      const dollars = plain && kind === "money";
      const noun = kind === null || kind === "a bare number" ? "counts" : kind;
      return granted(dollars ? exact(amount.value, DOLLAR, null, inPlace) : exact(amount.value, 1, noun, inPlace));
    }
    default:
      return null;
  }
}

const granted = (amount: number | null): Grant | null => (amount === null ? null : { kind: "amount", amount });
