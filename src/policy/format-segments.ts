/**
 * Statements to segments: where each may be broken, in the words of print.ts.
 * @module
 */
import type {
  ActionNode,
  BudgetNode,
  DimensionNode,
  FactNode,
  FilterNode,
  LimitNode,
  RowNode,
  RuleNode,
  Span,
  TestNode,
} from "./ast.ts";
import { type Segment, widest, width } from "./format-lines.ts";
import { printAction, printAmount, printCondition, printFilter, printPath, printSubject } from "./print.ts";

/** The part of a rule before its arrow. `body` is the column where the bodies of the paragraph's labelled rules start. */
export function ruleHead(node: RuleNode, body: number): readonly Segment[] {
  const label = labelOf(node);
  const margin = label === "" ? 0 : body;
  const segments: Segment[] = node.conditions.map((condition, index) => ({
    words: [index === 0 ? printCondition(condition) : `and ${printCondition(condition)}`],
    start: condition.span.start,
    indent: margin + 2,
    breaks: true,
  }));
  if (node.when !== null) segments.push(...whenSegments(node.when, margin + 2));
  const [first, ...rest] = segments;
  if (first === undefined) return [];
  const [word = "", ...words] = first.words;
  return [
    { ...first, words: [`${label.padEnd(margin)}${word}`, ...words], start: node.span.start, indent: 0 },
    ...rest,
  ];
}

/** `shadow tighter: `, or nothing where the rule has no label. */
export function labelOf({ shadow, name }: RuleNode): string {
  return `${shadow ? "shadow " : ""}${name === null ? "" : `${name.text}: `}`;
}

/** The arrow and what comes after it. */
export function ruleTail(node: RuleNode, indent: number, text: string): readonly Segment[] {
  return node.actions.map((action, index) => ({
    words: [
      `${index === 0 ? `${node.arrow.text} ` : ""}${actionText(action, text)}${index < node.actions.length - 1 ? "," : ""}`,
    ],
    start: index === 0 ? node.arrow.span.start : action.span.start,
    indent: index === 0 ? indent : indent + 3,
    breaks: false,
  }));
}

const actionText = (action: ActionNode, text: string): string =>
  action.kind === "UnknownAction" && action.given !== null
    ? `${action.name.text} ${raw(action.given, text)}`
    : printAction(action);

/** As it was written: what has no spaces of its own but those that are meant. */
const raw = ({ span }: { readonly span: Span }, text: string): string => text.slice(span.start, span.end);

export function budgetSegments(node: BudgetNode): readonly Segment[] {
  const words = [`budget ${node.name.text} = ${printAmount(node.amount)} of ${printSubject(node.subject)}`];
  return [
    { words, start: node.span.start, indent: 0, breaks: true },
    ...(node.when === null ? [] : whenSegments(node.when, 2)),
  ];
}

export function dimensionSegments(node: DimensionNode): readonly Segment[] {
  return node.names.map(({ text, span }, index) => ({
    words: [`${index === 0 ? "dimension " : ""}${text}${index < node.names.length - 1 ? "," : ""}`],
    start: index === 0 ? node.span.start : span.start,
    indent: index === 0 ? 0 : 2,
    breaks: false,
  }));
}

/** `rows` says how a table is written: one a line with the amounts below each other, or all on one line. */
export function limitSegments(node: LimitNode, rows: "lines" | "line", text: string): readonly Segment[] {
  const head = `limit ${node.name.text} by ${node.by.text}`;
  const otherwise = node.otherwise === null ? "" : ` else ${printAmount(node.otherwise)}`;
  const whole = (words: string): readonly Segment[] => [
    { words: [words + otherwise], start: node.span.start, indent: 0, breaks: true },
  ];
  const { source } = node;
  if (source.kind === "FromStore") return whole(`${head} from store`);
  if (source.kind === "FromFile") return whole(`${head} from ${raw(source.path, text)}`);
  if (source.rows.length === 0 && rows === "line") return whole(`${head} {}`);
  const key = (row: RowNode): string => `${raw(row.key, text)}:`;
  const column = widest(source.rows.map(key));
  return [
    { words: [`${head} {`], start: node.span.start, indent: 0, breaks: true },
    ...source.rows.map((row, index) => ({
      words: [
        rows === "line"
          ? `${key(row)} ${printAmount(row.amount)}${index < source.rows.length - 1 ? "," : ""}`
          : `${key(row)}${" ".repeat(column - width(key(row)))} ${printAmount(row.amount)}`,
      ],
      start: row.span.start,
      indent: 2,
      breaks: true,
    })),
    { words: [`}${otherwise}`], start: source.span.end - 1, indent: 0, commentIndent: 2, breaks: true },
  ];
}

export function testSegments(node: TestNode, text: string): readonly Segment[] {
  const { title, givens, at, call, expect } = node;
  const line = (words: string, start: number): Segment => ({ words: [words], start, indent: 2, breaks: true });
  const before = [
    ...givens.map((given) => {
      const amount = given.amount === null ? "" : ` = ${printAmount(given.amount)}`;
      return line(`given ${printSubject(given.subject)}${amount}`, given.span.start);
    }),
    ...(at === null ? [] : [line(`at ${raw(at, text)}`, at.span.start)]),
  ];
  const by = expect.by === null ? "" : ` by ${raw(expect.by, text)}`;
  return [
    { ...line(`test ${raw(title, text)}`, node.span.start), indent: 0 },
    ...before.sort((a, b) => a.start - b.start),
    ...call.map((one, index) => ({
      words: [`${index === 0 ? "call " : ""}${factText(one, text)}${index < call.length - 1 ? "," : ""}`],
      start: one.span.start,
      indent: index === 0 ? 2 : 4,
      breaks: index === 0,
    })),
    line(`expect ${expect.verdict}${by}`, expect.span.start),
  ];
}

const factText = ({ name, value }: FactNode, text: string): string =>
  `${name.text} = ${value.kind === "String" ? raw(value, text) : printAmount(value)}`;

/** `when` starts a line, the parts of its `and` or `or` only where they must. */
function whenSegments(filter: FilterNode, indent: number): Segment[] {
  const parts = filter.kind === "And" || filter.kind === "Or" ? filter.of : [filter];
  const joint = filter.kind === "Or" ? "or" : "and";
  return parts.map((part, index) => ({
    words: prefixed(index === 0 ? "when " : `${joint} `, part === filter ? filterWords(part) : inner(part, filter)),
    start: part.span.start,
    indent: index === 0 ? indent : indent + 2,
    breaks: index === 0,
  }));
}

/** A filter as words between which a line may end. */
function filterWords(node: FilterNode): readonly string[] {
  switch (node.kind) {
    case "And":
    case "Or":
      return node.of.flatMap((part, index) =>
        prefixed(index === 0 ? "" : `${node.kind.toLowerCase()} `, inner(part, node)),
      );
    case "Not":
      return prefixed("not ", inner(node.of, node));
    case "Match": {
      if (node.op !== "in") return [printFilter(node)];
      // One by one, as print.ts writes a list of one: `tenant in ["acme"]`.
      const path = `${printPath(node.path)} in [`;
      const last = node.values.length - 1;
      return node.values.map((value, index) => {
        const alone = printFilter({ ...node, values: [value] }).slice(path.length, -1);
        return `${index === 0 ? path : ""}${alone}${index === last ? "]" : ","}`;
      });
    }
    case "Compare":
      return [printFilter(node)];
  }
}

/** A part of a junction or of a `not`, in parentheses where it was read from some. */
function inner(part: FilterNode, outer: FilterNode): readonly string[] {
  const words = filterWords(part);
  const needs = part.kind === "Or" || (part.kind === "And" && outer.kind !== "Or");
  if (!needs) return words;
  const opened = prefixed("(", words);
  return [...opened.slice(0, -1), `${opened.at(-1) ?? ""})`];
}

const prefixed = (prefix: string, [first = "", ...rest]: readonly string[]): readonly string[] => [
  `${prefix}${first}`,
  ...rest,
];
