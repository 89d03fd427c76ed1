/**
 * A tree back to text in its one canonical form. `parse(print(tree))` is the same tree.
 * @module
 */
import type {
  ActionNode,
  AmountNode,
  ConditionNode,
  DurationNode,
  FilterNode,
  NameNode,
  NumberNode,
  RuleNode,
  StatementNode,
  StringNode,
  SubjectNode,
  TestNode,
} from "./ast.ts";

/** A whole policy, a statement a line, doc lines above. */
export const printPolicy = (statements: readonly StatementNode[]): string =>
  statements.map((statement) => `${doc(statement)}${printStatement(statement)}\n`).join("");

/** One statement on one line, without its doc lines. */
export function printStatement(node: StatementNode): string {
  switch (node.kind) {
    case "Import":
      return `import ${string(node.path)}`;
    case "Timezone":
      return `timezone ${string(node.zone)}`;
    case "Dimension":
      return `dimension ${node.names.map(({ text }) => text).join(", ")}`;
    case "Budget":
      return `budget ${node.name.text} = ${printAmount(node.amount)} of ${printSubject(node.subject)}${when(node.when)}`;
    case "Limit": {
      const rest = node.otherwise === null ? "" : ` else ${printAmount(node.otherwise)}`;
      return `limit ${node.name.text} by ${node.by.text} ${source(node.source)}${rest}`;
    }
    case "Rule":
      return `${node.shadow ? "shadow " : ""}${node.name === null ? "" : `${node.name.text}: `}${ruleBody(node, printAction)}`;
  }
}

/**
 * What a rule is known by where it has no label: its canonical text without its messages, so that rewording a message
 * does not open what the rule has closed.
 */
export const printIdentity = (node: RuleNode): string =>
  `${node.shadow ? "shadow " : ""}${ruleBody(node, actionWithoutMessage)}`;

function ruleBody(node: RuleNode, act: (action: ActionNode) => string): string {
  const conditions = node.conditions.map(printCondition).join(" and ");
  return `${`${conditions}${when(node.when)}`.trimStart()} ${node.arrow.text} ${node.actions.map(act).join(", ")}`;
}

export function printCondition(node: ConditionNode): string {
  if (node.kind === "Flag") return printSubject(node.subject);
  return `${printSubject(node.subject)} ${node.op.text} ${printAmount(node.amount)}`;
}

export const printSubject = (node: SubjectNode): string =>
  `${printPath(node.path)}${node.last === null ? "" : ` last ${duration(node.last)}`}`;

export const printPath = (path: readonly NameNode[]): string => path.map(({ text }) => text).join(".");

export function printAmount(node: AmountNode): string {
  switch (node.kind) {
    case "Money":
      return `${node.currency}${printNumber(node.value)}`;
    case "Rate":
      return `${node.currency ?? ""}${printNumber(node.value)}/${node.per}`;
    case "Percent":
      return `${printNumber(node.value)}%${node.of === null ? "" : ` of ${node.of.text}`}`;
    case "Count":
      return `${printNumber(node.value)}${node.unit === null ? "" : ` ${node.unit}`}`;
    case "Unlimited":
      return "unlimited";
    case "Ref":
      return node.name.text;
  }
}

export const printNumber = (node: NumberNode): string => `${node.text}${node.scale}`;

export function printFilter(node: FilterNode): string {
  switch (node.kind) {
    case "And":
      // A junction directly inside another was written in parentheses.
      return node.of.map((part) => wrapped(part, part.kind === "And" || part.kind === "Or")).join(" and ");
    case "Or":
      return node.of.map((part) => wrapped(part, part.kind === "Or")).join(" or ");
    case "Not":
      return `not ${wrapped(node.of, node.of.kind === "And" || node.of.kind === "Or")}`;
    case "Compare":
      return `${printPath(node.path)} ${node.op.text} ${printAmount(node.amount)}`;
    case "Match": {
      const values = node.values.map(string).join(", ");
      if (node.op === "missing") return `${printPath(node.path)} is missing`;
      return `${printPath(node.path)} ${node.op} ${node.op === "in" ? `[${values}]` : values}`;
    }
  }
}

const wrapped = (node: FilterNode, parentheses: boolean): string =>
  parentheses ? `(${printFilter(node)})` : printFilter(node);

export function printAction(node: ActionNode): string {
  const plain = actionWithoutMessage(node);
  return "message" in node && node.message !== null ? `${plain} ${string(node.message)}` : plain;
}

function actionWithoutMessage(node: ActionNode): string {
  switch (node.kind) {
    case "Deny":
      return node.for === null ? "deny" : `deny for ${duration(node.for)}`;
    case "Hold":
      return `hold ${duration(node.upTo)}`;
    case "Backoff":
      return `backoff ${duration(node.base)}`;
    case "Route":
      return `route to ${string(node.model)}`;
    case "Cap":
      return `cap ${printAmount(node.amount)}`;
    case "UnknownAction":
      return node.given === null ? node.name.text : `${node.name.text} ${printGiven(node.given)}`;
    default:
      return node.kind.toLowerCase();
  }
}

/** What stands behind a word that is no action. */
export const printGiven = (node: DurationNode | StringNode): string =>
  node.kind === "String" ? string(node) : duration(node);

/** A file of tests, an empty line between two of them. */
export const printSuite = (tests: readonly TestNode[]): string => tests.map(printTest).join("\n");

/** One test with its doc lines. */
export function printTest(test: TestNode): string {
  const lines = [
    ...test.givens.map(({ subject, amount }) =>
      amount === null ? `given ${printSubject(subject)}` : `given ${printSubject(subject)} = ${printAmount(amount)}`,
    ),
    ...(test.at === null ? [] : [`at ${string(test.at)}`]),
    `call ${test.call.map(({ name, value }) => `${name.text} = ${value.kind === "String" ? string(value) : printAmount(value)}`).join(", ")}`,
    `expect ${test.expect.verdict}${by(test.expect)}`,
  ];
  return `${doc(test)}test ${string(test.title)}\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

const by = ({ by: rule }: TestNode["expect"]): string =>
  rule === null ? "" : ` by ${rule.kind === "Name" ? rule.text : string(rule)}`;

function source(node: Extract<StatementNode, { kind: "Limit" }>["source"]): string {
  if (node.kind === "FromStore") return "from store";
  if (node.kind === "FromFile") return `from ${string(node.path)}`;
  if (node.rows.length === 0) return "{}";
  return `{ ${node.rows.map((row) => `${string(row.key)}: ${printAmount(row.amount)}`).join(", ")} }`;
}

const when = (filter: FilterNode | null): string => (filter === null ? "" : ` when ${printFilter(filter)}`);

const duration = (node: DurationNode): string => `${node.value}${node.unit}`;

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t" };

const string = (node: StringNode): string =>
  `"${node.value.replace(/[\\"\n\t]/g, (letter) => escapes[letter] ?? letter)}"`;

const doc = (node: StatementNode | TestNode): string =>
  node.doc === null
    ? ""
    : node.doc
        .split("\n")
        .map((line) => (line === "" ? "##\n" : `## ${line}\n`))
        .join("");
