/**
 * A checked policy before its meters are numbered, and what checking needs to know.
 * @module
 */
import type { Span } from "./ast.ts";
import type { Finding } from "./finding.ts";
import type { Condition, Filter, Flag, Meter, Reading, Rule } from "./plan.ts";

export type LimitDraft =
  | { readonly kind: "fixed"; readonly amount: number }
  | { readonly kind: "share"; readonly millionths: number; readonly of: Meter };

export type ReadingDraft = { readonly kind: "meter"; readonly meter: Meter } | Extract<Reading, { kind: "call" }>;

export interface ConditionDraft extends Omit<Condition, "reading" | "limit"> {
  readonly reading: ReadingDraft;
  readonly limit: LimitDraft;
  /** The subject as written, for lints. */
  readonly path: string;
}

export interface RuleDraft extends Omit<Rule, "conditions"> {
  readonly conditions: readonly ConditionDraft[];
  readonly span: Span;
  /** Of the rule's own filter, null where it has none. */
  readonly whenSpan: Span | null;
}

export interface BudgetDraft {
  readonly name: string;
  readonly file: string;
  readonly span: Span;
  /** Nano-dollars or a count. */
  readonly amount: number;
  readonly meter: Meter;
  readonly filter: Filter | null;
}

/** What a subject turned out to be. `path` is as written. */
export type Subject =
  | { readonly kind: "meter"; readonly meter: Meter; readonly path: string }
  | { readonly kind: "call"; readonly metric: Extract<Reading, { kind: "call" }>["metric"]; readonly path: string }
  | { readonly kind: "flag"; readonly flag: Flag; readonly path: string }
  | { readonly kind: "budget"; readonly budget: BudgetDraft; readonly path: string };

/** All declared names of all files. */
export interface Names {
  readonly dimensions: ReadonlySet<string>;
  /** Null where the budget itself has an error: what uses it is not reported again. */
  readonly budgets: ReadonlyMap<string, BudgetDraft | null>;
  readonly limits: ReadonlySet<string>;
}

export interface Context {
  readonly names: Names;
  /** Models with a known price, for `route to`; null where nobody said. */
  readonly models: readonly string[] | null;
  readonly report: (finding: Finding) => void;
}

/** Reports why something has no meaning. */
export function refuse(context: Context, finding: Finding): null {
  context.report(finding);
  return null;
}
