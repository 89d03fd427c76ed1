/**
 * What stands at a place of a document: the word, and whether it is in a string or a comment.
 * @module
 */

export interface Spot {
  readonly kind: "word" | "string" | "comment" | "nothing";
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Characters of a line that anybody points at; engines recurse over longer strings. */
const LONGEST_LINE = 100_000;

const pattern = /"(?:\\[^\r\n]|[^"\\\r\n])*"?|#[^\r\n]*|[A-Za-z_](?:\w|-(?!>))*/g;

/** The word, string or comment at an offset; the end of a word belongs to it. */
export function spotAt(text: string, offset: number): Spot {
  const from = lineStart(text, offset);
  const newline = text.indexOf("\n", from);
  const line = text.slice(from, newline === -1 ? undefined : newline).slice(0, LONGEST_LINE);
  for (const { 0: found, index } of line.matchAll(pattern)) {
    const start = from + index;
    const end = start + found.length;
    if (offset < start) break;
    const kind = found.startsWith('"') ? "string" : found.startsWith("#") ? "comment" : "word";
    if (offset < end || (offset === end && kind !== "string")) return { kind, text: found, start, end };
  }
  return { kind: "nothing", text: "", start: offset, end: offset };
}

/** The statement that the offset is in: from its first line, which starts at the margin, up to its last. */
export function statementAround(text: string, offset: number): { readonly start: number; readonly end: number } {
  let start = lineStart(text, offset);
  while (start > 0 && /^(?:[ \t}#]|\r?$)/.test(lineAt(text, start))) start = lineStart(text, start - 1);
  let end = text.indexOf("\n", offset);
  while (end !== -1 && /^[ \t}]/.test(lineAt(text, end + 1))) end = text.indexOf("\n", end + 1);
  return { start, end: end === -1 ? text.length : end };
}

/** Where the line of an offset starts. */
export const lineStart = (text: string, offset: number): number =>
  // A negative position would be taken for 0, and a line break be found there.
  offset <= 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;

function lineAt(text: string, start: number): string {
  const end = text.indexOf("\n", start);
  return text.slice(start, end === -1 ? undefined : end);
}
