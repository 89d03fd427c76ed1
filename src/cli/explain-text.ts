/**
 * What the rules made of a call, as rows of a table.
 * @module
 */
import { plainAmount } from "../policy/explain-amount.ts";
import type { ConditionReport, RuleReport } from "../policy/explain-call.ts";
import type { Plan, Rule } from "../policy/plan.ts";
import { timeText } from "../policy/words.ts";
import type { Row } from "./columns.ts";

export const READING_TITLES = ["RULE", "READS", "SPENT", "THIS CALL", "LIMIT", "LEFT", "VERDICT"] as const;

/** Rules in the order in which their author wrote them. */
export const inOrder = <Item extends { readonly rule: Rule }>(items: readonly Item[], plan: Plan): readonly Item[] =>
  [...items].sort(
    ({ rule: a }, { rule: b }) => plan.files.indexOf(a.file) - plan.files.indexOf(b.file) || a.line - b.line,
  );

const STOPS: ReadonlySet<string> = new Set(["hold", "deny", "deny for", "pause"]);

/** A row for each condition of a rule, or one where it has none, or does not concern the call. */
export function readingRows(report: RuleReport): readonly Row[] {
  const { rule, matches, conditions, fired } = report;
  const stops = !rule.shadow && rule.actions.some(({ kind }) => STOPS.has(kind));
  const colour = fired ? (stops ? "red" : "yellow") : matches ? "green" : "dim";
  const verdict = verdictText(report);
  const [first, ...others] = conditions;
  if (first === undefined) return [{ cells: [rule.id, "", "", "", "", "", verdict], colour }];
  return [
    { cells: [rule.id, ...conditionCells(first), verdict], colour },
    ...others.map((one) => ({ cells: ["", ...conditionCells(one), ""] })),
  ];
}

/** `deny`, `fits`, or why the rule has nothing to say. */
export function verdictText({ rule, matches, why, closed, fired }: RuleReport): string {
  if (closed !== null) {
    const until = closed.until === null ? "someone resumes it" : timeText(closed.until, closed.since);
    return `closed until ${until}`;
  }
  if (fired) {
    const acts = rule.actions.map(({ kind }) => kind).join(", ");
    return rule.shadow ? `would ${acts} (shadow)` : acts;
  }
  if (!matches) return `no: ${why ?? "its filter does not hold"}`;
  return why === null ? "fits" : `no: ${why}`;
}

function conditionCells({ condition, path, figures, total, headroom }: ConditionReport): readonly string[] {
  const { metric, scope, spent, held, estimate, limit } = figures;
  const own = condition.reading.kind === "call";
  const amount = (value: number): string => signed(metric, value);
  return [
    [path, ...Object.entries(scope).map(([name, value]) => `${name}=${value}`)].join(" "),
    own ? "" : amount(spent + held),
    own ? amount(total) : `+${amount(estimate)}`,
    amount(limit),
    amount(headroom),
  ];
}

/** `-$0.01`: the sign stands before the dollar. */
const signed = (metric: string, value: number): string =>
  value < 0 ? `-${plainAmount(metric, -value)}` : plainAmount(metric, value);
