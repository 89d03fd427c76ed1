/**
 * What the files declare: dimensions, budgets, limits and labels, in one name space over all files.
 * In: the statements of all files. Out: the names, with what is wrong about them reported.
 * @module
 */

import { kindOfAmount, resolveAmount } from "./amount.ts";
import type { LimitNode, NameNode, StatementNode, TimezoneNode } from "./ast.ts";
import { type BudgetDraft, type Context, type Names, refuse } from "./draft.ts";
import { resolveFilter } from "./filter.ts";
import type { Finding } from "./finding.ts";
import { amounts, names as say, subjects } from "./messages.ts";
import { printAmount } from "./print.ts";
import { declarations, later } from "./rule-messages.ts";
import { resolveSubject } from "./subject.ts";
import { closest } from "./suggest.ts";
import { callFlags, isOneOf, keywords, metrics, scopes, subjects as special, windows } from "./vocabulary.ts";

/** A file after parsing. `place` says where an offset is: `a.budget:3`. */
export interface ParsedFile {
  readonly file: string;
  readonly statements: readonly StatementNode[];
  readonly broken: readonly { readonly kind: string; readonly name: string }[];
  readonly place: (offset: number) => string;
}

/** Collects and checks every declaration; `report` is told the file of each finding. */
export function collectNames(files: readonly ParsedFile[], report: (file: string, finding: Finding) => void): Names {
  const dimensions = new Set<string>();
  const limits = new Set<string>();
  const budgets = new Map<string, BudgetDraft | null>();
  const names: Names = { dimensions, budgets, limits };
  for (const { kind, name } of files.flatMap(({ broken }) => broken)) {
    if (kind === "dimension") dimensions.add(name);
    if (kind === "limit") limits.add(name);
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
        if (node.name !== null) claim(node.name, file);
      } else if (node.kind === "Budget" || node.kind === "Limit") {
        claim(node.name, file);
        if (isReserved(node.name.text)) report(file.file, say.reserved(node.name.span, node.name.text));
        if (node.kind === "Limit") limits.add(node.name.text);
      }
    }
  }
  for (const file of files) {
    const context: Context = { names, models: null, report: (finding) => report(file.file, finding) };
    for (const node of file.statements) {
      if (node.kind === "Budget") {
        const draft = resolveBudget(node, file.file, context);
        if (!budgets.has(node.name.text)) budgets.set(node.name.text, draft);
      } else if (node.kind === "Limit") checkLimit(node, context);
      else if (node.kind === "Import") context.report(later.imports(node.span));
    }
    checkTimezones(
      file.statements.filter((node) => node.kind === "Timezone"),
      context,
    );
  }
  return names;
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
  const amount = resolveAmount(node.amount, subject, context);
  if (amount === null || (node.when !== null && filter === null)) return null;
  return { name: node.name.text, file, span: node.name.span, amount, meter: subject.meter, filter };
}

/** Limits do not run yet: one that is otherwise right says so, one that is wrong says what is wrong. */
function checkLimit(node: LimitNode, context: Context): void {
  let wrong = 0;
  const complain = (finding: Finding): void => {
    wrong++;
    context.report(finding);
  };
  const { by, source, otherwise } = node;
  const known = [...scopes.filter((scope) => scope !== "global"), ...context.names.dimensions];
  if (!known.includes(by.text)) complain(say.dimension(by.span, by.text, closest(by.text, known)));
  const first = source.kind === "Table" ? source.rows[0]?.amount : undefined;
  if (otherwise === null) {
    const place = { Table: "this table", FromStore: "the store", FromFile: "the file" }[source.kind];
    complain(declarations.noElse(node.span, by.text, place, first === undefined ? "$50" : printAmount(first)));
  }
  if (source.kind === "Table" && first !== undefined) {
    for (const { amount } of source.rows) {
      if (kindOfAmount(amount) !== kindOfAmount(first) && amount.kind !== "Unlimited") {
        complain(amounts.rowUnit(amount.span, kindOfAmount(amount), kindOfAmount(first)));
      }
    }
  }
  if (wrong === 0) context.report(later.limit({ start: node.span.start, end: node.name.span.end }));
}

function checkTimezones(nodes: readonly TimezoneNode[], context: Context): void {
  for (const [index, { zone, span }] of nodes.entries()) {
    if (index > 0) context.report(declarations.twoZones(span));
    if (["UTC", "Etc/UTC"].includes(zone.value)) continue;
    if (isTimezone(zone.value)) context.report(later.timezone(zone.span));
    else {
      const meant = closest(zone.value, ["UTC", ...Intl.supportedValuesOf("timeZone")]);
      context.report(declarations.timezone(zone.span, zone.value, meant));
    }
  }
}

/** Aliases such as US/Eastern are zones too, though `supportedValuesOf` leaves them out. */
function isTimezone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
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
