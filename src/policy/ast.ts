/**
 * The language as a tree: what the generated parser returns and the checker and printer read.
 * In: policy text. Out: plain nodes, each with the span it came from.
 * @module
 */

/** Offsets into the file's text: from `start` up to, not including, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

interface Node<Kind extends string> {
  readonly kind: Kind;
  readonly span: Span;
}

export interface NameNode extends Node<"Name"> {
  readonly text: string;
}

export interface StringNode extends Node<"String"> {
  readonly value: string;
}

/** `1_000` and a scale such as `K`, both as written. */
export interface NumberNode extends Node<"Number"> {
  readonly text: string;
  readonly scale: string;
}

export interface DurationNode extends Node<"Duration"> {
  readonly value: string;
  readonly unit: string;
}

export interface OperatorNode extends Node<"Operator"> {
  readonly text: string;
}

export interface RateNode extends Node<"Rate"> {
  readonly currency: string | null;
  readonly value: NumberNode;
  readonly per: string;
}

export interface MoneyNode extends Node<"Money"> {
  readonly currency: string;
  readonly value: NumberNode;
}

export interface PercentNode extends Node<"Percent"> {
  readonly value: NumberNode;
  readonly of: NameNode | null;
}

export interface CountNode extends Node<"Count"> {
  readonly value: NumberNode;
  readonly unit: string | null;
}

export interface RefNode extends Node<"Ref"> {
  readonly name: NameNode;
}

export type AmountNode = MoneyNode | RateNode | PercentNode | CountNode | Node<"Unlimited"> | RefNode;

export interface SubjectNode extends Node<"Subject"> {
  readonly path: readonly NameNode[];
  readonly last: DurationNode | null;
}

export interface ThresholdNode extends Node<"Threshold"> {
  readonly subject: SubjectNode;
  readonly op: OperatorNode;
  readonly amount: AmountNode;
}

/** A subject without an amount: `call.unpriced`. */
export interface FlagNode extends Node<"Flag"> {
  readonly subject: SubjectNode;
}

export type ConditionNode = ThresholdNode | FlagNode;

export interface MatchNode extends Node<"Match"> {
  readonly path: readonly NameNode[];
  readonly op: "==" | "!=" | "=" | "matches" | "in" | "missing";
  readonly values: readonly StringNode[];
}

/** A number in a filter: parsed only to be refused with a good sentence. */
export interface CompareNode extends Node<"Compare"> {
  readonly path: readonly NameNode[];
  readonly op: OperatorNode;
  readonly amount: AmountNode;
}

export interface JunctionNode extends Node<"And" | "Or"> {
  readonly of: readonly FilterNode[];
}

export interface NotNode extends Node<"Not"> {
  readonly of: FilterNode;
}

export type FilterNode = JunctionNode | NotNode | MatchNode | CompareNode;

export interface DenyNode extends Node<"Deny"> {
  readonly for: DurationNode | null;
  readonly message: StringNode | null;
}

export interface SayNode extends Node<"Pause" | "Warn"> {
  readonly message: StringNode | null;
}

export interface HoldNode extends Node<"Hold"> {
  readonly upTo: DurationNode;
}

export interface BackoffNode extends Node<"Backoff"> {
  readonly base: DurationNode;
}

export interface RouteNode extends Node<"Route"> {
  readonly model: StringNode;
}

export interface CapNode extends Node<"Cap"> {
  readonly amount: AmountNode;
}

export interface UnknownActionNode extends Node<"UnknownAction"> {
  readonly name: NameNode;
  readonly given: DurationNode | StringNode | null;
}

export type ActionNode =
  | DenyNode
  | SayNode
  | HoldNode
  | BackoffNode
  | RouteNode
  | CapNode
  | Node<"Allow" | "Local">
  | UnknownActionNode;

interface Statement<Kind extends string> extends Node<Kind> {
  /** The `##` lines right above, joined; null where there are none. */
  readonly doc: string | null;
}

export interface ImportNode extends Statement<"Import"> {
  readonly path: StringNode;
}

export interface TimezoneNode extends Statement<"Timezone"> {
  readonly zone: StringNode;
}

export interface DimensionNode extends Statement<"Dimension"> {
  readonly names: readonly NameNode[];
}

export interface BudgetNode extends Statement<"Budget"> {
  readonly name: NameNode;
  readonly amount: AmountNode;
  readonly subject: SubjectNode;
  readonly when: FilterNode | null;
}

export interface RowNode extends Node<"Row"> {
  readonly key: StringNode;
  readonly amount: AmountNode;
}

export interface TableNode extends Node<"Table"> {
  readonly rows: readonly RowNode[];
}

export interface FromFileNode extends Node<"FromFile"> {
  readonly path: StringNode;
}

export interface LimitNode extends Statement<"Limit"> {
  readonly name: NameNode;
  readonly by: NameNode;
  readonly source: TableNode | Node<"FromStore"> | FromFileNode;
  readonly otherwise: AmountNode | null;
}

export interface RuleNode extends Statement<"Rule"> {
  readonly shadow: boolean;
  readonly name: NameNode | null;
  readonly conditions: readonly ConditionNode[];
  readonly when: FilterNode | null;
  readonly arrow: OperatorNode;
  readonly actions: readonly ActionNode[];
}

export type StatementNode = ImportNode | TimezoneNode | DimensionNode | BudgetNode | LimitNode | RuleNode;

export interface PolicyNode extends Node<"Policy"> {
  readonly statements: readonly StatementNode[];
}

export interface GivenNode extends Node<"Given"> {
  readonly subject: SubjectNode;
  /** Null for a flag: `given store.down`. */
  readonly amount: AmountNode | null;
}

export interface FactNode extends Node<"Fact"> {
  readonly name: NameNode;
  readonly value: StringNode | AmountNode;
}

export interface ExpectNode extends Node<"Expect"> {
  readonly verdict: "allow" | "warn" | "deny" | "pause" | "hold" | "backoff" | "route" | "cap";
  /** The label of a rule, or its canonical text. */
  readonly by: NameNode | StringNode | null;
}

export interface TestNode extends Node<"Test"> {
  readonly title: StringNode;
  readonly givens: readonly GivenNode[];
  readonly at: StringNode | null;
  readonly call: readonly FactNode[];
  readonly expect: ExpectNode;
  /** The `##` lines right above, joined; null where there are none. */
  readonly doc: string | null;
}

export interface SuiteNode extends Node<"Suite"> {
  readonly tests: readonly TestNode[];
}

/** The generated parser. `base` is added to every offset: where the text starts in its file. */
export interface PeggyParser {
  (text: string, options: { readonly startRule: "Policy"; readonly base?: number }): PolicyNode;
  (text: string, options: { readonly startRule: "Suite"; readonly base?: number }): SuiteNode;
}

/** What the generated parser throws: how far it came, and what it would have liked to see there. */
export interface PeggyError extends Error {
  readonly location: { readonly start: { readonly offset: number } };
  readonly expected: readonly { readonly type: string; readonly text?: string; readonly description?: string }[];
}
