/**
 * Where a diagnostic stands, as other programs count it.
 * @module
 */
import { relative, resolve, sep } from "node:path";
import type { Diagnostic, Source } from "../policy/diagnostics.ts";

/** Lines and columns from 1; columns in UTF-16 code units, as editors and SARIF count; the end is past the last. */
export interface Region {
  readonly startLine: number;
  readonly startColumn: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** The place of a diagnostic in the text of its file. */
export function regionOf({ span }: Diagnostic, text: string): Region {
  const start = point(text, span.start);
  const end = point(text, Math.max(span.start, span.end));
  return { startLine: start.line, startColumn: start.column, endLine: end.line, endColumn: end.column };
}

function point(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: before.length - lineStart + 1 };
}

/** Texts by the names of their files. */
export function textsOf(sources: readonly Source[]): (file: string) => string {
  const texts = new Map(sources.map(({ file, text }) => [file, text]));
  return (file) => texts.get(file) ?? "";
}

/** A file's name from the folder that reports are relative to; `file` is a name as shown to people, from `root`. */
export function relativeTo(base: string, root: string): (file: string) => string {
  return (file) => {
    const path = relative(base, resolve(root, file)).split(sep).join("/");
    return path.startsWith("../") || path === "" ? file : path;
  };
}
