/**
 * How a diagnostic is made before it knows its file. The sentences are in messages.ts and rule-messages.ts.
 * @module
 */
import type { Span } from "./ast.ts";
import type { Diagnostic, Severity } from "./diagnostics.ts";

/** A diagnostic before it knows its file. */
export type Finding = Omit<Diagnostic, "file">;

type Extra = Pick<Finding, "label" | "note" | "help">;

/** A maker of findings with this severity and code. */
export const finding =
  (severity: Severity, code: string) =>
  (span: Span, message: string, help?: string, extra: Extra = {}): Finding => ({
    code,
    severity,
    span,
    message: clip(message),
    ...extra,
    ...(help === undefined ? {} : { help: clip(help) }),
  });

/** What is quoted may be as long as a file. */
const clip = (text: string): string => (text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`);

const LONGEST = 500;

/** A help line that names what was probably meant. */
export const didYouMean = (meant: string | null, otherwise: string): string =>
  meant === null ? otherwise : `did you mean \`${meant}\`?`;

/** The parser's own. */
export const syntax = finding("error", "syntax");
