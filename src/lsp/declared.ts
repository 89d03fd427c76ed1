/**
 * What the files of a policy declare, and where: read from their trees, so that it is known of a broken policy, too.
 * @module
 */
import type { Span, StatementNode } from "../policy/ast.ts";
import type { Source } from "../policy/diagnostics.ts";
import { printStatement } from "../policy/print.ts";
import { parsePolicy } from "../policy/syntax.ts";

export interface Declaration {
  readonly kind: "budget" | "limit" | "dimension" | "rule";
  readonly name: string;
  readonly file: string;
  /** Of the name. */
  readonly span: Span;
  /** Of the whole statement. */
  readonly whole: Span;
  /** Canonical text. */
  readonly text: string;
  readonly doc: string | null;
}

export interface ParsedSource extends Source {
  readonly statements: readonly StatementNode[];
}

/** Files to statements. */
export const parsed = (sources: readonly Source[]): readonly ParsedSource[] =>
  sources.map(({ file, text }) => ({ file, text, statements: parsePolicy(text).statements }));

/** Every named thing of the files, in their order. */
export const declarationsOf = (sources: readonly ParsedSource[]): readonly Declaration[] =>
  sources.flatMap(({ file, statements }) => statements.flatMap((node) => declared(node, file)));

function declared(node: StatementNode, file: string): readonly Declaration[] {
  const common = { file, whole: node.span, doc: node.doc };
  switch (node.kind) {
    case "Budget":
    case "Limit":
      return [
        {
          ...common,
          kind: node.kind === "Budget" ? "budget" : "limit",
          name: node.name.text,
          span: node.name.span,
          text: printStatement(node),
        },
      ];
    case "Dimension":
      return node.names.map(({ text, span }) => ({
        ...common,
        kind: "dimension",
        name: text,
        span,
        text: `dimension ${text}`,
      }));
    case "Rule":
      return node.name === null
        ? []
        : [{ ...common, kind: "rule", name: node.name.text, span: node.name.span, text: printStatement(node) }];
    default:
      return [];
  }
}
