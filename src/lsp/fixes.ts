/**
 * Quick fixes: what a diagnostic's help line says to write, offered only where it was tried and leaves less to complain about.
 * @module
 */
import type { Span } from "../policy/ast.ts";
import type { Diagnostic } from "../policy/diagnostics.ts";
import { lineStart } from "./cursor.ts";
import type { Project } from "./project.ts";

export interface Fix {
  readonly title: string;
  readonly span: Span;
  readonly text: string;
}

/** What is wrong now, and would be with another text. */
type Tried = Pick<Project, "diagnostics" | "tryWith">;

/** The fix for a diagnostic of a file with this text, or null where none is certain. */
export function fixFor(project: Tried, diagnostic: Diagnostic, text: string): Fix | null {
  const { file, help } = diagnostic;
  if (help === undefined) return null;
  const before = project.diagnostics.filter((one) => one.file === file);
  for (const fix of candidates(diagnostic, help, text)) {
    const edited = text.slice(0, fix.span.start) + fix.text + text.slice(fix.span.end);
    const after = project.tryWith(file, edited).filter((one) => one.file === file);
    if (isBetter(before, after)) return fix;
  }
  return null;
}

/** Diagnostics whose help says what the same thing is called or how it is written, and changes nothing else. */
const rewriting: ReadonlySet<string> = new Set(["unit", "currency", "number", "operator", "order"]);

/** Edits that the help line could mean, the likeliest first. */
function candidates({ code, span, message }: Diagnostic, help: string, text: string): readonly Fix[] {
  const marked = text.slice(span.start, span.end);
  const meant = /^did you mean (?:`([^`]+)`|("[^"]+"))\?/.exec(help);
  if (meant !== null) {
    const word = meant[1] ?? meant[2] ?? "";
    // Of a message the whole string is marked, and only a placeholder in it is wrong.
    const wrong = /`(\{[^`]*\})`/.exec(message)?.[1];
    const at = wrong === undefined ? -1 : marked.indexOf(wrong);
    if (wrong !== undefined && at !== -1) {
      const start = span.start + at;
      return [{ title: `Change to \`${word}\``, span: { start, end: start + wrong.length }, text: word }];
    }
    return [{ title: `Change to ${meant[1] === undefined ? word : `\`${word}\``}`, span, text: word }];
  }
  if (/plain `"` quotes/.test(help)) {
    const quoted = line(text, span);
    const plain = text.slice(quoted.start, quoted.end).replace(/[\u201C\u201D\u201E]/g, '"');
    return [{ title: 'Change to `"`', span: quoted, text: plain }];
  }
  if (code === "number" && marked.includes(",")) {
    const plain = marked.replaceAll(",", "_");
    return [{ title: `Write \`${plain}\``, span, text: plain }];
  }
  const written = /^write `([^`…]+)`(?:;|$)/.exec(help)?.[1];
  if (written === undefined || !rewriting.has(code)) return [];
  return [span, path(text, span), comparison(text, span)]
    .filter((place) => figures(text.slice(place.start, place.end)) === figures(written))
    .map((place) => ({ title: `Write \`${written}\``, span: place, text: written }));
}

/** The digits of a text: a rewriting that changes them was only an example. */
const figures = (text: string): string => text.replace(/\D/g, "");

/** The whole path or amount that the span is a part of. */
function path(text: string, { start, end }: Span): Span {
  const before = /[\w.$€£¥-]*$/.exec(text.slice(Math.max(0, start - 200), start))?.[0].length ?? 0;
  const after = /^[\w.,%]*/.exec(text.slice(end, end + 200))?.[0].length ?? 0;
  return { start: start - before, end: end + after };
}

/** The span with the dimension and the sign before it. */
function comparison(text: string, { start, end }: Span): Span {
  const before = /[\w-]+[ \t]*(?:==|!=|=)[ \t]*$/.exec(text.slice(Math.max(0, start - 200), start))?.[0].length ?? 0;
  return { start: start - before, end };
}

function line(text: string, { start }: Span): Span {
  const end = text.indexOf("\n", start);
  return { start: lineStart(text, start), end: end === -1 ? text.length : end };
}

/** Fewer errors, or as many and fewer warnings; nothing but the line numbers of the rest may change. */
function isBetter(before: readonly Diagnostic[], after: readonly Diagnostic[]): boolean {
  const count = (all: readonly Diagnostic[], severity: Diagnostic["severity"]): number =>
    all.filter((one) => one.severity === severity).length;
  const errors = count(after, "error") - count(before, "error");
  if (errors !== 0) return errors < 0;
  return count(after, "warning") < count(before, "warning");
}
