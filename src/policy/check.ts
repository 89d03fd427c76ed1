/**
 * Is every rule well made? Names, units, actions; one report for each thing that is wrong.
 * In: the statements of all files and their names. Out: rules as drafts.
 * @module
 */
import { resolveActions } from "./action.ts";
import { resolveLimit } from "./amount.ts";
import type { ConditionNode, RuleNode, ThresholdNode } from "./ast.ts";
import { type ConditionDraft, type Context, type Names, type RuleDraft, refuse, type Subject } from "./draft.ts";
import { both, resolveFilter } from "./filter.ts";
import type { Finding } from "./finding.ts";
import { subjects as say } from "./messages.ts";
import type { Models } from "./models.ts";
import type { ParsedFile } from "./names.ts";
import type { Action, Filter, Flag } from "./plan.ts";
import { printCondition, printIdentity, printStatement } from "./print.ts";
import { routeErrors } from "./route.ts";
import { rules } from "./rule-messages.ts";
import { resolveSubject } from "./subject.ts";

export interface CheckInput {
  readonly files: readonly (ParsedFile & { readonly line: (offset: number) => number })[];
  readonly names: Names;
  readonly models: Models | null;
}

/** The rules without errors, in the order of the files; every error is reported with its file. */
export function checkRules(input: CheckInput, report: (file: string, finding: Finding) => void): RuleDraft[] {
  const drafts: RuleDraft[] = [];
  for (const { file, statements, line, timezone } of input.files) {
    const context: Context = {
      names: input.names,
      timezone,
      models: input.models,
      report: (finding) => report(file, finding),
    };
    for (const node of statements) {
      if (node.kind !== "Rule") continue;
      const draft = checkRule(node, file, line(node.span.start), context);
      if (draft !== null) drafts.push(draft);
    }
  }
  return drafts;
}

function checkRule(node: RuleNode, file: string, line: number, context: Context): RuleDraft | null {
  const checked = node.conditions.map((condition) => checkCondition(condition, node, context));
  const subjects = checked.flatMap((each) => each?.subject ?? []);
  const flag = oneFlag(node, subjects, context);
  const when = node.when === null ? null : resolveFilter(node.when, context);
  if (node.arrow.text !== "->") context.report(rules.arrow(node.arrow.span));
  // A subject that means nothing says nothing about what may follow: only the actions' own faults are reported then.
  const known = subjects.length === node.conditions.length;
  const actions = resolveActions(node, known ? subjects : [...subjects, anything], flag, context);
  const conditions = checked.flatMap((each) => each?.condition ?? []);
  const complete = conditions.length + (flag === null ? 0 : 1) === node.conditions.length;
  if (actions === null || !complete || (node.when !== null && when === null)) return null;
  const filter = filterOf(subjects, when);
  const actionSpans = node.actions.map((action) => (action.kind === "Route" ? action.model.span : action.span));
  const lost = context.models === null ? [] : routeErrors({ filter, actions, actionSpans }, context.models);
  for (const each of lost) context.report(each);
  const id = node.name?.text ?? printIdentity(node);
  return {
    id,
    text: printStatement(node),
    doc: node.doc,
    file,
    line,
    shadow: node.shadow,
    conditions,
    flag,
    filter,
    actions,
    closes: closedBy(subjects, actions),
    span: node.span,
    whenSpan: node.when?.span ?? null,
    actionSpans,
  };
}

interface CheckedCondition {
  readonly subject: Subject;
  /** Null for a flag. */
  readonly condition: ConditionDraft | null;
}

/** Stands for a subject that has an error of its own. */
const anything: Subject = {
  kind: "meter",
  path: "",
  meter: { id: "", scopes: [], metric: "cost", window: { kind: "last", ms: 1 } },
};

function checkCondition(node: ConditionNode, rule: RuleNode, context: Context): CheckedCondition | null {
  const subject = resolveSubject(node.subject, context);
  if (subject === null) return null;
  const first = rule.actions[0]?.kind.toLowerCase();
  if (node.kind === "Flag") {
    if (subject.kind === "flag") return { subject, condition: null };
    const example = exampleFor(subject);
    return refuse(context, say.noAmount(node.span, subject.path, example));
  }
  if (subject.kind === "flag") {
    const usual = subject.flag === "store.down" ? "local" : "deny";
    return refuse(
      context,
      say.flagAmount(node.amount.span, subject.path, first === "unknownaction" ? usual : (first ?? usual)),
    );
  }
  return checkThreshold(node, subject, context);
}

function checkThreshold(
  node: ThresholdNode,
  subject: Exclude<Subject, { kind: "flag" }>,
  context: Context,
): CheckedCondition | null {
  const op = node.op.text;
  if (op !== ">" && op !== ">=") {
    context.report(rules.below(node.span, op));
    return null;
  }
  const resolved = resolveLimit(node.amount, subject, op, context);
  if (resolved === null) return null;
  const reading =
    subject.kind === "call"
      ? ({ kind: "call", metric: subject.metric } as const)
      : ({ kind: "meter", meter: subject.kind === "budget" ? subject.budget.meter : subject.meter } as const);
  return {
    subject,
    condition: {
      reading,
      op,
      limit: resolved.limit,
      text: printCondition(node),
      budget: resolved.budget,
      path: subject.path,
    },
  };
}

function exampleFor(subject: Subject): string {
  if (subject.kind === "budget") return "80%";
  const metric = subject.kind === "meter" ? subject.meter.metric : subject.kind === "call" ? subject.metric : "cost";
  return metric === "cost" ? "$50" : metric.endsWith("tokens") ? "50K tokens" : "20";
}

function oneFlag(node: RuleNode, subjects: readonly Subject[], context: Context): Flag | null {
  const flags = subjects.filter((subject) => subject.kind === "flag");
  const [first, second] = flags;
  if (first === undefined) return null;
  if (second !== undefined) context.report(say.flagAlone(node.span, second.path));
  else if (first.flag === "store.down" && node.conditions.length > 1)
    context.report(say.flagAlone(node.span, first.path));
  return first.flag;
}

/** The rule's own filter together with those of the budgets it watches. */
function filterOf(subjects: readonly Subject[], when: Filter | null): Filter | null {
  // A budget that is named twice filters once.
  const budgets = new Set(subjects.flatMap((subject) => (subject.kind === "budget" ? subject.budget : [])));
  return [...budgets].map(({ filter }) => filter).reduce(both, when);
}

/** The scopes of the first subject that lives on after a call, where an action closes anything. */
function closedBy(subjects: readonly Subject[], actions: readonly Action[]): readonly string[] {
  if (!actions.some(({ kind }) => kind === "deny for" || kind === "pause")) return NO_SCOPES;
  for (const subject of subjects) {
    if (subject.kind === "meter") return subject.meter.scopes;
    if (subject.kind === "budget") return subject.budget.meter.scopes;
  }
  return NO_SCOPES;
}

const NO_SCOPES: readonly string[] = Object.freeze([]);
