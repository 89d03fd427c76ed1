/**
 * Text to statements. A statement starts at column 1, so a file is split there and each piece parsed alone:
 * one slip does not hide the next, and every error of a file is reported at once.
 * In: a policy file. Out: its statements and what is wrong with the rest.
 * @module
 */
import type { PeggyError, StatementNode } from "./ast.ts";
import { type Finding, syntax } from "./finding.ts";
import { parse } from "./parser.js";
import { reword } from "./reword.ts";
import { type Token, tokenize } from "./tokens.ts";

export interface Parsed {
  readonly statements: readonly StatementNode[];
  /** Names that unreadable statements would have declared: who uses them is not to blame. */
  readonly broken: readonly { readonly kind: string; readonly name: string }[];
  readonly findings: readonly Finding[];
}

/** Filters nested deeper than this are refused: the parser and the evaluator go down one frame a level. */
const DEEPEST = 100;

/** All statements of a policy file that can be read, and a finding for each that cannot. */
export function parsePolicy(text: string): Parsed {
  const statements: StatementNode[] = [];
  const findings: Finding[] = [];
  const broken: { kind: string; name: string }[] = [];
  const fail = (tokens: readonly Token[], finding: Finding): void => {
    findings.push(finding);
    const [kind, name] = tokens;
    if (kind !== undefined && name !== undefined) broken.push({ kind: kind.text, name: name.text });
  };
  for (const { start, end } of pieces(text)) {
    const piece = text.slice(start, end);
    const tokens = tokenize(piece, start);
    const early = openString(tokens) ?? strangeSign(tokens) ?? unknownEscape(tokens) ?? tooDeep(tokens);
    if (early !== null) {
      fail(tokens, early);
      continue;
    }
    try {
      statements.push(...parse(piece, { startRule: "Policy", base: start }).statements);
    } catch (error) {
      if (!isPeggyError(error)) throw error;
      fail(tokens, reword(tokens, start + error.location.start.offset, error.expected));
    }
  }
  return { statements, broken, findings };
}

interface Piece {
  readonly start: number;
  readonly end: number;
}

/** The text of each statement with the doc lines right above it. */
function pieces(text: string): Piece[] {
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
      open = { start: docStart ?? at, end };
      docStart = null;
      found.push(open);
    }
    at = end;
  }
  return found;
}

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
  for (const { kind, text, start } of tokens) {
    if (kind !== "string") continue;
    for (const { 0: pair, index } of text.matchAll(/\\./gu)) {
      if (['\\"', "\\\\", "\\n", "\\t"].includes(pair)) continue;
      const span = { start: start + index, end: start + index + pair.length };
      return syntax(span, `\`${pair}\` means nothing in a string`, `a backslash itself is written \`\\\\\``);
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

function isPeggyError(error: unknown): error is PeggyError {
  return error instanceof Error && "expected" in error && "location" in error;
}
