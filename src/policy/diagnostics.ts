/**
 * What is wrong with a policy, as data, and how it is shown: file, line, column, caret, note, help.
 * The sentences themselves are in messages.ts.
 * @module
 */
import type { Span } from "./ast.ts";

/** Errors stop the process from starting; warnings do under `--strict`; infos never do. */
export type Severity = "error" | "warning" | "info";

export interface Diagnostic {
  /** A name, not a number: searchable. */
  readonly code: string;
  readonly severity: Severity;
  /** One sentence without a full stop. */
  readonly message: string;
  /** As shown to people. */
  readonly file: string;
  readonly span: Span;
  /** Stands right of the carets. */
  readonly label?: string;
  readonly note?: string;
  readonly help?: string;
}

/** A policy file as it was read. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

export interface Position {
  /** Both from 1; columns count characters, not bytes. */
  readonly line: number;
  readonly column: number;
}

/** Line and column of an offset. Only computed when something is shown: nodes carry offsets alone. */
export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  let line = 1;
  for (let at = before.indexOf("\n"); at !== -1; at = before.indexOf("\n", at + 1)) line++;
  return { line, column: [...before.slice(lineStart)].length + 1 };
}

/** The diagnostic as people read it, without a final newline. `source` is the file that it speaks of. */
export function render(diagnostic: Diagnostic, source: Source): string {
  const { span, label, note, help } = diagnostic;
  const { line, column } = positionAt(source.text, span.start);
  const lineStart = source.text.slice(0, span.start).lastIndexOf("\n") + 1;
  const newline = source.text.indexOf("\n", span.start);
  const lineText = source.text.slice(lineStart, newline === -1 ? undefined : newline).replace(/\r$/, "");
  const { shown, from, to } = clipped(lineText, span.start - lineStart, span.end - lineStart);
  const carets = "^".repeat(Math.max(1, [...shown.slice(from, to)].length));
  // Tabs stay tabs, so that the caret stands under its letter however wide they are shown.
  const indent = shown.slice(0, from).replace(/[^\t]/gu, " ");
  const gutter = " ".repeat(String(line).length);
  return [
    `${diagnostic.severity}[${diagnostic.code}]: ${diagnostic.message}`,
    `${gutter}--> ${diagnostic.file}:${line}:${column}`,
    `${gutter} |`,
    `${line} | ${shown}`,
    `${gutter} | ${indent}${carets}${label === undefined ? "" : ` ${label}`}`,
    ...(note === undefined ? [] : [`${gutter} = note: ${note}`]),
    ...(help === undefined ? [] : [`${gutter} = help: ${help}`]),
  ].join("\n");
}

/** More of a line than this is no help to anyone. */
const WIDEST = 200;

/**
 * The part of a long line that the marked piece stands in, and where it stands there. A span over several lines is
 * marked up to the end of its first.
 */
function clipped(
  line: string,
  start: number,
  end: number,
): { readonly shown: string; readonly from: number; readonly to: number } {
  const last = Math.min(end, line.length);
  if (line.length <= WIDEST) return { shown: line, from: start, to: last };
  const first = Math.max(0, Math.min(start - 60, line.length - WIDEST));
  const cut = line.slice(first, first + WIDEST);
  const before = first === 0 ? "" : "…";
  const from = start - first + before.length;
  return {
    shown: `${before}${cut}${first + WIDEST < line.length ? "…" : ""}`,
    from,
    to: Math.min(last - first, WIDEST) + before.length,
  };
}

/** All diagnostics, a blank line between them, each shown in its own file. */
export function renderAll(diagnostics: readonly Diagnostic[], sources: readonly Source[]): string {
  const byFile = new Map(sources.map((source) => [source.file, source]));
  return diagnostics
    .map((diagnostic) => render(diagnostic, byFile.get(diagnostic.file) ?? { file: diagnostic.file, text: "" }))
    .join("\n\n");
}
