/**
 * A checked policy before its meters are numbered, and what checking needs to know.
 * @module
 */
import type { Span } from "./ast.ts";
import type { Finding } from "./finding.ts";
import type { Models } from "./models.ts";
import type { Condition, Filter, Flag, Meter, Reading, Rule } from "./plan.ts";
import type { Unit } from "./vocabulary.ts";

/** An amount, or a share of a named limit in millionths. */
export type PlainLimit =
  | { readonly kind: "fixed"; readonly amount: number }
  | { readonly kind: "named"; readonly limit: string; readonly millionths: number };

export type LimitDraft = PlainLimit | { readonly kind: "share"; readonly millionths: number; readonly of: Meter };

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
  /** One for each action: of the model that it names, else of the whole. */
  readonly actionSpans: readonly Span[];
}

export interface BudgetDraft {
  readonly name: string;
  readonly file: string;
  readonly span: Span;
  readonly limit: PlainLimit;
  readonly meter: Meter;
  readonly filter: Filter | null;
}

/** What one row of a limit grants; another limit by its name. */
export type Grant =
  | { readonly kind: "amount"; readonly amount: number }
  | { readonly kind: "limit"; readonly limit: string }
  | { readonly kind: "unlimited" };

export interface NamedLimitDraft {
  readonly name: string;
  readonly file: string;
  readonly span: Span;
  readonly by: string;
  /** `money`, `tokens`, `calls`, `a bare number`: what its amounts are, for people. */
  readonly kind: string | null;
  /** `null` where no amount says it: then whatever is compared with the limit does. */
  readonly unit: Unit | null;
  readonly rows: ReadonlyMap<string, Grant>;
  readonly fromStore: boolean;
  readonly otherwise: Grant;
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
  /** Null where the limit itself has an error. */
  readonly limits: ReadonlyMap<string, NamedLimitDraft | null>;
  /** Units that limits without an amount got from what is compared with them. */
  readonly units: Map<string, Unit>;
}

export interface Context {
  readonly names: Names;
  /** The file's own time zone, for its calendar windows. */
  readonly timezone: string;
  /** What is known of models, for `route to`; null where nobody said. */
  readonly models: Models | null;
  readonly report: (finding: Finding) => void;
}

/** Reports why something has no meaning. */
export function refuse(context: Context, finding: Finding): null {
  context.report(finding);
  return null;
}
