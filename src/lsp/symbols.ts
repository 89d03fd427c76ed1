/**
 * The outline of a file: rules, budgets, limits, dimensions, tests.
 * @module
 */
import type { Span, StatementNode, TestNode } from "../policy/ast.ts";
import { printAmount, printIdentity, printSubject } from "../policy/print.ts";
import { parsePolicy, parseSuite } from "../policy/syntax.ts";

export interface Outlined {
  readonly kind: "rule" | "budget" | "limit" | "dimension" | "import" | "timezone" | "test";
  readonly name: string;
  readonly detail: string;
  readonly span: Span;
  /** What is selected: the name. Within `span`. */
  readonly selection: Span;
}

/** Everything that a policy file states, in its order; what cannot be read is left out. */
export const policySymbols = (text: string): readonly Outlined[] => parsePolicy(text).statements.flatMap(outlined);

/** The tests of a suite. */
export const suiteSymbols = (text: string): readonly Outlined[] => parseSuite(text).tests.map(ofTest);

function outlined(node: StatementNode): readonly Outlined[] {
  const { span } = node;
  switch (node.kind) {
    case "Rule": {
      const text = printIdentity(node);
      if (node.name === null) return [{ kind: "rule", name: text, detail: "", span, selection: span }];
      return [{ kind: "rule", name: node.name.text, detail: text, span, selection: node.name.span }];
    }
    case "Budget": {
      const detail = `${printAmount(node.amount)} of ${printSubject(node.subject)}`;
      return [{ kind: "budget", name: node.name.text, detail, span, selection: node.name.span }];
    }
    case "Limit":
      return [{ kind: "limit", name: node.name.text, detail: `by ${node.by.text}`, span, selection: node.name.span }];
    case "Dimension":
      return node.names.map((name) => ({
        kind: "dimension",
        name: name.text,
        detail: "",
        span: name.span,
        selection: name.span,
      }));
    case "Import":
      return [{ kind: "import", name: node.path.value || '""', detail: "import", span, selection: node.path.span }];
    case "Timezone":
      return [{ kind: "timezone", name: node.zone.value || '""', detail: "timezone", span, selection: node.zone.span }];
  }
}

function ofTest({ title, expect, span }: TestNode): Outlined {
  return { kind: "test", name: title.value || '""', detail: `expect ${expect.verdict}`, span, selection: title.span };
}
