/**
 * What the files declare: dimensions, budgets, limits and labels, in one name space over all files.
 * In: the statements of all files. Out: the names, with what is wrong about them reported.
 * @module
 */

import { resolveAmount, resolveReference } from "./amount.ts";
import type { AmountNode, NameNode, StatementNode } from "./ast.ts";
import { limits as sayOfLimits } from "./declaration-messages.ts";
import {
  type BudgetDraft,
  type Context,
  type NamedLimitDraft,
  type Names,
  type PlainLimit,
  refuse,
  type Subject,
} from "./draft.ts";
import { resolveFilter } from "./filter.ts";
import type { Finding } from "./finding.ts";
import { isElsewhere, type ReadFile } from "./imports.ts";
import { type FoundLimit, resolveLimits } from "./limit.ts";
import { type RowInput, readRows } from "./limit-file.ts";
import { amounts, names as say, subjects } from "./messages.ts";
import { resolveSubject } from "./subject.ts";
import {
  callFlags,
  isOneOf,
  keywords,
  metrics,
  scopes,
  subjects as special,
  type Unit,
  windows,
} from "./vocabulary.ts";

/** A file after parsing. `place` says where an offset is: `a.budget:3`. */
export interface ParsedFile {
  readonly file: string;
  readonly statements: readonly StatementNode[];
  readonly broken: readonly { readonly kind: string; readonly name: string }[];
  readonly place: (offset: number) => string;
  readonly timezone: string;
}

export interface Reading {
  readonly read: ReadFile | undefined;
  readonly report: (file: string, finding: Finding) => void;
  /** Told of each file that a limit names; `null`: it was looked for in vain. */
  readonly seen: (file: string, text: string | null) => void;
}

/** Collects and checks every declaration; `report` is told the file of each finding. */
export function collectNames(files: readonly ParsedFile[], { read, report, seen }: Reading): Names {
  const dimensions = new Set<string>();
  const limits = new Map<string, NamedLimitDraft | null>();
  const budgets = new Map<string, BudgetDraft | null>();
  const names: Names = { dimensions, budgets, limits, units: new Map<string, Unit>() };
  for (const { kind, name } of files.flatMap(({ broken }) => broken)) {
    if (kind === "dimension") dimensions.add(name);
    if (kind === "limit") limits.set(name, null);
    if (kind === "budget") budgets.set(name, null);
  }
  const firstAt = new Map<string, string>();
  const claim = (name: NameNode, { file, place }: ParsedFile): void => {
    const first = firstAt.get(name.text);
    if (first === undefined) firstAt.set(name.text, place(name.span.start));
    else report(file, say.twice(name.span, name.text, first));
  };
  // Dimensions first, so that a file may use what another declares whatever their order.
  for (const file of files) {
    for (const node of file.statements) {
      if (node.kind !== "Dimension") continue;
      for (const name of node.names) {
        if (isReserved(name.text)) report(file.file, say.reserved(name.span, name.text));
        else if (!dimensions.has(name.text)) {
          dimensions.add(name.text);
          claim(name, file);
        }
      }
    }
  }
  for (const file of files) {
    for (const node of file.statements) {
      if (node.kind === "Rule") {
        if (node.name?.text === "shadow") report(file.file, say.shadowLabel(node.name.span));
        else if (node.name !== null) claim(node.name, file);
      } else if (node.kind === "Budget" || node.kind === "Limit") {
        claim(node.name, file);
        if (isReserved(node.name.text)) report(file.file, say.reserved(node.name.span, node.name.text));
        if (node.kind === "Limit") limits.set(node.name.text, null);
      }
    }
  }
  const contextOf = ({ file, timezone }: ParsedFile): Context => {
    return { names, timezone, models: null, report: (finding) => report(file, finding) };
  };
  const found: FoundLimit[] = [];
  for (const file of files) {
    const context = contextOf(file);
    for (const node of file.statements) {
      if (node.kind !== "Limit") continue;
      found.push({ node, file: file.file, context, rows: rowsOf(node, file.file, context, { read, seen }) });
    }
  }
  for (const [name, limit] of resolveLimits(found)) limits.set(name, limit);
  for (const file of files) {
    for (const node of file.statements) {
      if (node.kind !== "Budget") continue;
      const draft = resolveBudget(node, file.file, contextOf(file));
      if (!budgets.has(node.name.text)) budgets.set(node.name.text, draft);
    }
  }
  return names;
}

/** The rows of a limit's table or file; null where the file cannot be used. The store's come when calls do. */
function rowsOf(
  { source }: Extract<StatementNode, { kind: "Limit" }>,
  from: string,
  { report }: Context,
  { read, seen }: Pick<Reading, "read" | "seen">,
): readonly RowInput[] | null {
  if (source.kind === "FromStore") return [];
  if (source.kind === "Table") {
    return source.rows.map(({ key, amount }) => ({ key: key.value, plain: false, amount, report }));
  }
  const { value, span } = source.path;
  const found =
    isElsewhere(value) || !value.endsWith(".json")
      ? { why: "it must be a relative path with `/` to a `*.json` file" }
      : (read?.(from, value) ?? { why: "no other file can be read here" });
  if ("why" in found) {
    report(sayOfLimits.unreadable(span, value, found.why));
    if (found.file !== undefined) seen(found.file, null);
    return null;
  }
  seen(found.file, found.text);
  return readRows(found.file, found.text, span, report);
}

function resolveBudget(
  node: Extract<StatementNode, { kind: "Budget" }>,
  file: string,
  context: Context,
): BudgetDraft | null {
  const filter = node.when === null ? null : resolveFilter(node.when, context);
  const subject = resolveSubject(node.subject, context);
  if (subject === null) return null;
  if (subject.kind !== "meter") return refuse(context, subjects.budgetOfFlag(node.subject.span));
  const limit = budgetLimit(node.amount, subject, context);
  if (limit === null || (node.when !== null && filter === null)) return null;
  return { name: node.name.text, file, span: node.name.span, limit, meter: subject.meter, filter };
}

function budgetLimit(
  node: AmountNode,
  subject: Extract<Subject, { kind: "meter" }>,
  context: Context,
): PlainLimit | null {
  if (node.kind === "Ref") {
    const { text } = node.name;
    if (context.names.budgets.has(text)) return refuse(context, amounts.budgetOfBudget(node.span, text, subject.path));
    return resolveReference(node, subject, context);
  }
  const amount = resolveAmount(node, subject, context);
  return amount === null ? null : { kind: "fixed", amount };
}

function isReserved(word: string): boolean {
  return (
    // Values are kept by name in plain objects, and there this one is no name.
    word === "__proto__" ||
    keywords.has(word) ||
    isOneOf(scopes, word) ||
    isOneOf(special, word) ||
    isOneOf(windows, word) ||
    isOneOf(callFlags, word) ||
    [...metrics.keys()].some((metric) => metric === word)
  );
}
