/**
 * A policy's text in its one canonical layout: one space, labels and arrows below each other in a paragraph, lines of
 * at most 100 columns, every comment kept. The tree stays the same, and formatting again changes nothing.
 * @module
 */
import type { RuleNode, StatementNode, TestNode } from "./ast.ts";
import type { Finding } from "./finding.ts";
import { type Comment, commentsOf, marginal } from "./format-comments.ts";
import { attach, broken, oneLine, type Segment, WIDTH, widest, width } from "./format-lines.ts";
import {
  budgetSegments,
  dimensionSegments,
  labelOf,
  limitSegments,
  ruleHead,
  ruleTail,
  testSegments,
} from "./format-segments.ts";
import { printStatement } from "./print.ts";
import { parsePolicy, parseSuite } from "./syntax.ts";

/** The text in canonical form, or what keeps it from being read. */
export type Formatted =
  | { readonly kind: "formatted"; readonly text: string }
  | { readonly kind: "unreadable"; readonly findings: readonly Finding[] };

/** Formats the text of a policy, or of a test suite. */
export function format(given: string, what: "policy" | "suite"): Formatted {
  const parse = (text: string): { readonly nodes: readonly Node[]; readonly findings: readonly Finding[] } => {
    if (what === "suite") {
      const { tests, findings } = parseSuite(text);
      return { nodes: tests, findings };
    }
    const { statements, findings } = parsePolicy(text);
    return { nodes: statements, findings };
  };
  const { findings } = parse(given);
  if (findings.length > 0) return { kind: "unreadable", findings };
  const text = given.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");
  return { kind: "formatted", text: layOut(itemsOf(parse(text).nodes, text), text) };
}

type Node = StatementNode | TestNode;

/** A statement with what belongs to it, or a comment that belongs to none. */
type Item = { readonly blankBefore: boolean; readonly comments: readonly Comment[] } & (
  | { readonly kind: "statement"; readonly node: Node; readonly doc: readonly string[] }
  | { readonly kind: "comment" }
);

/** The file as a list of statements and free comments. */
function itemsOf(nodes: readonly Node[], text: string): readonly Item[] {
  const comments = commentsOf(text);
  const items: Item[] = [];
  let next = 0;
  /** The next comments, as long as they start before an offset. */
  const before = (offset: number): readonly Comment[] => {
    const first = next;
    while ((comments[next]?.start ?? Number.POSITIVE_INFINITY) < offset) next++;
    return comments.slice(first, next);
  };
  let end = 0;
  const blankBefore = (start: number): boolean => /\n[ \t]*\n/.test(text.slice(end, start));
  const free = (comment: Comment): void => {
    items.push({ kind: "comment", comments: [comment], blankBefore: blankBefore(comment.start) });
    end = comment.start + comment.text.length;
  };
  for (const node of nodes) {
    const { start } = node.span;
    const above = before(start);
    const docLines = node.doc === null ? 0 : node.doc.split("\n").length;
    const split = above.length - docLines;
    for (const comment of above.slice(0, split)) free(comment);
    const doc = above.slice(split);
    const lineEnd = text.indexOf("\n", node.span.end);
    const own = before(lineEnd === -1 ? text.length : lineEnd);
    items.push({
      kind: "statement",
      node,
      doc: doc.map((line) => line.text.replace(/^##(?=[^ ])/, "## ")),
      comments: own,
      blankBefore: blankBefore(doc[0]?.start ?? start),
    });
    end = lineEnd === -1 ? text.length : lineEnd;
  }
  for (const comment of before(text.length)) free(comment);
  return items;
}

/** A statement as lines; a rule whose arrow shares its last line says where, for the arrows of its neighbours. */
interface Laid {
  readonly above: readonly string[];
  readonly lines: readonly string[];
  /** To be joined with the last line, below the arrows of the paragraph. */
  readonly tail: string | null;
  /** At the end of the last line. */
  readonly comment: string | null;
}

function layOut(items: readonly Item[], text: string): string {
  const lines: string[] = [];
  for (const paragraph of paragraphs(items)) {
    const rules = paragraph.flatMap((item) =>
      item.kind === "statement" && item.node.kind === "Rule" ? [item.node] : [],
    );
    const body = widest(rules.map(labelOf));
    const laid = paragraph.map((item) => layOutItem(item, body, text));
    const arrow = widest(laid.map((one) => (one.tail === null ? "" : (one.lines.at(-1) ?? ""))));
    if (lines.length > 0 && paragraph[0]?.blankBefore === true) lines.push("");
    for (const one of laid) {
      lines.push(...one.above, ...one.lines.slice(0, -1), lastLine(one, arrow));
    }
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function lastLine({ lines, tail, comment }: Laid, arrow: number): string {
  const last = lines.at(-1) ?? "";
  // Where the column of the others would push it over the edge, an arrow stands where it stands.
  const aligned =
    tail !== null && arrow + 1 + width(tail) <= WIDTH ? last.padEnd(last.length + arrow - width(last)) : last;
  return [aligned, ...(tail === null ? [] : [tail]), ...(comment === null ? [] : [comment])].join(" ");
}

/** Rules that follow each other without a blank line, comments among them; everything else is a paragraph of its own. */
function paragraphs(items: readonly Item[]): readonly (readonly Item[])[] {
  const found: Item[][] = [];
  let open = false;
  for (const item of items) {
    const rules = item.kind === "comment" || item.node.kind === "Rule";
    if (rules && open && !item.blankBefore) found.at(-1)?.push(item);
    else found.push([item]);
    open = rules;
  }
  return found;
}

function layOutItem(item: Item, body: number, text: string): Laid {
  if (item.kind === "comment") {
    return { above: [], lines: item.comments.map(marginal), tail: null, comment: null };
  }
  const { node, doc, comments } = item;
  const { laid, hoisted } =
    node.kind === "Rule" ? layOutRule(node, comments, body, text) : layOutOther(node, comments, text);
  return { ...laid, above: [...hoisted.map(marginal), ...doc] };
}

type Placed = { readonly laid: Omit<Laid, "above">; readonly hoisted: readonly Comment[] };

function layOutRule(node: RuleNode, comments: readonly Comment[], body: number, text: string): Placed {
  const head = ruleHead(node, body);
  const margin = head[1]?.indent ?? (labelOf(node) === "" ? 0 : body) + 2;
  const { segments, hoisted } = attach([...head, ...ruleTail(node, margin, text)], comments);
  const before = segments.slice(0, head.length);
  const after = segments.slice(head.length);
  const comment = after.at(-1)?.after ?? null;
  const tail = oneLine(after);
  const short = oneLine(before);
  const joined = tail !== null && before.at(-1)?.after === null;
  const inOneLine = short !== null && joined && width(short) + 1 + width(tail) <= WIDTH && !isBroken(head, text);
  const lines = inOneLine ? [short] : broken(before);
  if (joined && width(lines.at(-1) ?? "") + 1 + width(tail) <= WIDTH)
    return { laid: { lines, tail, comment }, hoisted };
  return { laid: { lines: [...lines, ...broken(after)], tail: null, comment: null }, hoisted };
}

function layOutOther(node: Exclude<Node, RuleNode>, comments: readonly Comment[], text: string): Placed {
  const place = (segments: readonly Segment[]) => attach(segments, comments);
  const lines = ({ segments, hoisted }: ReturnType<typeof place>, wide: boolean): Placed => {
    const line = wide ? null : oneLine(segments);
    const fits = line !== null && width(line) <= WIDTH;
    const comment = fits ? (segments.at(-1)?.after ?? null) : null;
    return { laid: { lines: fits ? [line] : broken(segments), tail: null, comment }, hoisted };
  };
  switch (node.kind) {
    case "Test":
      return lines(place(testSegments(node, text)), true);
    case "Budget": {
      const segments = budgetSegments(node);
      return lines(place(segments), isBroken(segments, text));
    }
    case "Dimension":
      return lines(place(dimensionSegments(node)), false);
    case "Limit": {
      const flat = place(limitSegments(node, "line", text));
      const table = node.source.kind === "Table" ? node.source : null;
      const opened =
        table !== null && text.slice(table.span.start, table.rows[0]?.span.start ?? table.span.end).includes("\n");
      const line = oneLine(flat.segments);
      if (!opened && line !== null && width(line) <= WIDTH) return lines(flat, false);
      return lines(place(limitSegments(node, "lines", text)), true);
    }
    default:
      return lines(place([{ words: [printStatement(node)], start: node.span.start, indent: 0, breaks: true }]), false);
  }
}

/** True where the author has put an `and` or the `when` on a line of its own: it stays there. */
function isBroken(segments: readonly Segment[], text: string): boolean {
  return segments.some(({ breaks, start }, index) => {
    const previous = segments[index - 1];
    return breaks && previous !== undefined && text.slice(previous.start, start).includes("\n");
  });
}
