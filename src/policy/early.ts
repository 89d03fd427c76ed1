/**
 * What is said before the parser runs: what it would say badly, or could not survive.
 * @module
 */
import { type Finding, syntax } from "./finding.ts";
import type { Token } from "./tokens.ts";

/** Filters nested deeper than this are refused: the parser and the evaluator go down one frame a level. */
const DEEPEST = 100;

/** The first such fault of a statement, or null. */
export const faultOf = (tokens: readonly Token[]): Finding | null =>
  openString(tokens) ?? strangeSign(tokens) ?? unknownEscape(tokens) ?? tooDeep(tokens);

function openString(tokens: readonly Token[]): Finding | null {
  const open = tokens.find((token) => token.kind === "open string");
  if (open === undefined) return null;
  return syntax(
    { start: open.start, end: open.start + 1 },
    "string is never closed",
    'add the closing `"` on this line',
  );
}

/** What text processors put in place of quotes and spaces. */
function strangeSign(tokens: readonly Token[]): Finding | null {
  const invisible = tokens.find(({ kind, text }) => kind === "sign" && /^[\s\p{C}]$/u.test(text));
  if (invisible !== undefined) {
    const { start, end } = invisible;
    return syntax({ start, end }, "there is an invisible character here", "delete it, or write a plain space");
  }
  const quote = tokens.find((token) => /^[\u201C\u201D\u201E\u2018\u2019]$/.test(token.text));
  if (quote === undefined) return null;
  return syntax(
    { start: quote.start, end: quote.end },
    `\`${quote.text}\` is a typographic quote`,
    'write strings in plain `"` quotes',
  );
}

function unknownEscape(tokens: readonly Token[]): Finding | null {
  const path = ["import", "limit"].includes(tokens[0]?.text ?? "") && tokens[1]?.text !== ":";
  for (const { kind, text, start } of tokens) {
    if (kind !== "string") continue;
    for (const { 0: pair, index } of text.matchAll(/\\./gu)) {
      if (['\\"', "\\\\", "\\n", "\\t"].includes(pair)) continue;
      const span = { start: start + index, end: start + index + pair.length };
      const help = path ? "write the path with `/`" : "a backslash itself is written `\\\\`";
      return syntax(span, `\`${pair}\` means nothing in a string`, help);
    }
  }
  return null;
}

function tooDeep(tokens: readonly Token[]): Finding | null {
  const opened: number[] = [];
  let depth = 0;
  let nots = 0;
  for (const token of tokens) {
    if (token.text === "not" || token.text === "!") {
      nots++;
    } else if (token.text === "(") {
      opened.push(nots + 1);
      depth += nots + 1;
      nots = 0;
    } else {
      if (token.text === ")") depth -= opened.pop() ?? 0;
      nots = 0;
    }
    if (depth + nots > DEEPEST) {
      return syntax(
        { start: token.start, end: token.end },
        `this filter is nested more than ${DEEPEST} deep`,
        "use `in [...]`, or write several rules",
      );
    }
  }
  return null;
}
