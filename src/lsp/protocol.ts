/**
 * What the features say, in the numbers and shapes of the Language Server Protocol 3.17
 * (microsoft.github.io/language-server-protocol). Offsets become positions here and nowhere else.
 * @module
 */
import type { CompletionItem, DocumentSymbol, Range, Diagnostic as Shown } from "vscode-languageserver";
import type { TextDocument } from "vscode-languageserver-textdocument";
import type { Span } from "../policy/ast.ts";
import type { Diagnostic } from "../policy/diagnostics.ts";
import type { Completion, Completions } from "./completion.ts";
import type { Outlined } from "./symbols.ts";

export const rangeOf = (document: TextDocument, { start, end }: Span): Range => ({
  start: document.positionAt(start),
  end: document.positionAt(Math.max(start, end)),
});

/** DiagnosticSeverity. */
const severities = { error: 1, warning: 2, info: 3 } as const;

/** DiagnosticTag.Unnecessary: shown faded. */
const UNNECESSARY = 1;

/** The diagnostic with its note and help below the sentence. */
export function shownDiagnostic(diagnostic: Diagnostic, document: TextDocument): Shown {
  const { code, severity, message, note, help, span } = diagnostic;
  const lines = [
    message,
    ...(note === undefined ? [] : [`note: ${note}`]),
    ...(help === undefined ? [] : [`help: ${help}`]),
  ];
  return {
    range: rangeOf(document, span),
    severity: severities[severity],
    code,
    source: "budget-guard",
    message: lines.join("\n"),
    ...(code.startsWith("unused-") ? { tags: [UNNECESSARY] } : {}),
  };
}

/** CompletionItemKind. */
const completionKinds: Readonly<Record<Completion["kind"], CompletionItem["kind"] & number>> = {
  scope: 7,
  metric: 10,
  window: 20,
  flag: 20,
  action: 3,
  keyword: 14,
  placeholder: 6,
  test: 14,
  budget: 21,
  limit: 21,
  dimension: 7,
  rule: 18,
  model: 12,
  value: 12,
  duration: 11,
  zone: 12,
};

/** The items in the order in which they were given. */
export function shownCompletions({ start, end, items }: Completions, document: TextDocument): CompletionItem[] {
  const range = rangeOf(document, { start, end });
  return items.map(({ label, kind, insert, detail, doc }, index) => ({
    label,
    kind: completionKinds[kind],
    detail,
    sortText: String(index).padStart(4, "0"),
    textEdit: { range, newText: insert },
    ...(doc === null ? {} : { documentation: { kind: "markdown" as const, value: doc } }),
  }));
}

/** SymbolKind. */
const symbolKinds: Readonly<Record<Outlined["kind"], DocumentSymbol["kind"]>> = {
  rule: 12,
  budget: 14,
  limit: 10,
  dimension: 8,
  import: 2,
  timezone: 7,
  test: 6,
};

export const shownSymbol = (
  { kind, name, detail, span, selection }: Outlined,
  document: TextDocument,
): DocumentSymbol => ({
  name,
  detail,
  kind: symbolKinds[kind],
  range: rangeOf(document, span),
  selectionRange: rangeOf(document, selection),
});
