/**
 * A file's text in pieces: a statement starts at column 1 and goes on while lines are indented.
 * In: the text of a policy or of tests. Out: where each statement starts and ends, its doc lines included.
 * @module
 */

/** Offsets into the file's text. */
export interface Piece {
  readonly start: number;
  readonly end: number;
}

/** The text of each statement with the doc lines right above it. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let docStart: number | null = null;
  let open: { start: number; end: number } | null = null;
  // A byte order mark is no part of the first line.
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  while (at < text.length) {
    const newline = text.indexOf("\n", at);
    const end = newline === -1 ? text.length : newline + 1;
    const line = text.slice(at, end);
    if (line.startsWith("##")) {
      docStart ??= at;
      open = null;
    } else if (/^[ \t]*(?:#|\r?\n|$)/.test(line)) {
      docStart = null;
    } else if (/^[ \t}]/.test(line) && open !== null) {
      open.end = end;
    } else {
      // Doc lines belong to a statement. Above a slip they are comments, which no error needs: the parser would look
      // through all of them again for each of them.
      open = { start: /^[a-zA-Z_]/.test(line) ? (docStart ?? at) : at, end };
      docStart = null;
      found.push(open);
    }
    at = end;
  }
  return found;
}
