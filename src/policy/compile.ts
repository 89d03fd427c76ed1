/**
 * Policy text to a plan: parse, collect names, check, lint, number the meters, freeze.
 * In: the text of all files. Out: a plan, or null where any of it has an error, and everything there is to say.
 * @module
 */
import { createHash } from "node:crypto";
import { checkRules } from "./check.ts";
import type { Diagnostic, Source } from "./diagnostics.ts";
import type { BudgetDraft, ConditionDraft, RuleDraft } from "./draft.ts";
import { type Finding, syntax } from "./finding.ts";
import { lint } from "./lint.ts";
import { collectNames } from "./names.ts";
import type { Condition, Meter, Plan, Rule } from "./plan.ts";
import { parsePolicy } from "./syntax.ts";

export interface Compiled {
  /** Null where there is any error. */
  readonly plan: Plan | null;
  /** By file and position. */
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: readonly Source[];
}

export interface CompileOptions {
  /** What is known of models, for what `route to` names; without it nothing is said about them. */
  readonly models?: Models;
  /** Reads a file that a policy names, relative to the file that names it; without it imports and limit files are errors. */
  readonly read?: ReadFile;
}

export interface Models {
  /** Models with a known price. */
  readonly names: readonly string[];
  /** The provider of a model as calls name it, and its price (input + output, nano-dollars a million tokens each); null where none is known. */
  readonly find: (model: string) => { readonly provider: string; readonly price: number } | null;
}

/** `file` is the name as shown to people, the same however it is reached. `why` is for people: `there is no such file`. */
export type ReadFile = (
  from: string,
  path: string,
) => { readonly file: string; readonly text: string } | { readonly why: string };

/** Compiles a set of policy files; their order means nothing. */
export function compile(sources: readonly Source[], options: CompileOptions = {}): Compiled {
  const diagnostics: Diagnostic[] = [];
  const report = (file: string, finding: Finding): void => {
    diagnostics.push(Object.freeze({ ...finding, file }));
  };
  const files = sources.map(({ file, text }) => {
    const { statements, broken, findings } = parsePolicy(text);
    for (const finding of findings) report(file, finding);
    const line = lines(text);
    return { file, statements, broken, line, place: (offset: number) => `${file}:${line(offset)}` };
  });
  const names = collectNames(files, report);
  const rules = checkRules({ files, names, models: options.models?.names ?? null }, report);
  const budgets = [...names.budgets.values()].filter((budget) => budget !== null);
  const failed = diagnostics.some(({ severity }) => severity === "error");
  // With errors about, a rule that seems missing may only be broken: lints would mislead.
  if (!failed) lint({ rules, budgets, order: sources.map(({ file }) => file) }, report);
  const fileOrder = new Map(sources.map(({ file }, index) => [file, index]));
  diagnostics.sort(
    (a, b) => (fileOrder.get(a.file) ?? 0) - (fileOrder.get(b.file) ?? 0) || a.span.start - b.span.start,
  );
  return {
    plan: failed ? null : makePlan(rules, budgets, [...names.dimensions], sources),
    diagnostics,
    sources,
  };
}

/** The diagnostic for a policy that could not be read at all. */
export const unreadable = (file: string, why: string): Diagnostic => ({
  ...syntax({ start: 0, end: 0 }, `this file cannot be read: ${why}`),
  file,
});

function makePlan(
  drafts: readonly RuleDraft[],
  budgets: readonly BudgetDraft[],
  dimensions: readonly string[],
  sources: readonly Source[],
): Plan {
  const byId = new Map<string, Meter>();
  const add = (meter: Meter): void => {
    byId.set(meter.id, meter);
  };
  for (const { conditions } of drafts) {
    for (const { reading, limit } of conditions) {
      if (reading.kind === "meter") add(reading.meter);
      if (limit.kind === "share") add(limit.of);
    }
  }
  for (const { meter } of budgets) add(meter);
  const meters = [...byId.values()].sort((a, b) => compare(a.id, b.id));
  const indexOf = new Map(meters.map(({ id }, index) => [id, index]));
  const index = (meter: Meter): number => indexOf.get(meter.id) ?? -1;
  const rules = distinct(drafts).map((draft) => makeRule(draft, index));
  return Object.freeze({
    meters: Object.freeze(meters),
    rules: Object.freeze(rules),
    budgets: Object.freeze(
      budgets
        .map(({ name, amount, meter }) => Object.freeze({ name, amount, meter: index(meter) }))
        .sort((a, b) => compare(a.name, b.name)),
    ),
    dimensions: Object.freeze([...dimensions].sort(compare)),
    files: Object.freeze(sources.map(({ file }) => file)),
    hash: hashOf(sources),
  });
}

/** The same rule twice is one rule. Sorted by id, so that the order of files and statements cannot matter. */
function distinct(drafts: readonly RuleDraft[]): RuleDraft[] {
  const sorted = [...drafts].sort(
    (a, b) => compare(a.id, b.id) || compare(a.text, b.text) || compare(a.file, b.file) || a.line - b.line,
  );
  return sorted.filter((draft, at) => draft.id !== sorted[at - 1]?.id);
}

function makeRule(draft: RuleDraft, index: (meter: Meter) => number): Rule {
  const { id, text, doc, file, line, shadow, flag, filter, actions, closes } = draft;
  const conditions = Object.freeze(draft.conditions.map((condition) => makeCondition(condition, index)));
  return Object.freeze({ id, text, doc, file, line, shadow, conditions, flag, filter, actions, closes });
}

function makeCondition(
  { reading, op, limit, text, budget }: ConditionDraft,
  index: (meter: Meter) => number,
): Condition {
  return Object.freeze({
    reading: Object.freeze(reading.kind === "meter" ? { kind: "meter", meter: index(reading.meter) } : reading),
    op,
    limit: Object.freeze(limit.kind === "share" ? { ...limit, of: index(limit.of) } : limit),
    text,
    budget,
  });
}

function hashOf(sources: readonly Source[]): string {
  const hash = createHash("sha256");
  for (const text of sources.map((source) => source.text).sort()) hash.update(`${text.length}:`).update(text);
  return hash.digest("hex").slice(0, 12);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The line of an offset, found by halving. */
function lines(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return function line(offset) {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}
