/**
 * What a subject is compared with: units are types, and mixing them is an error.
 * @module
 */
import type { AmountNode, CountNode, MoneyNode, PercentNode, RateNode, RefNode } from "./ast.ts";
import { limits } from "./declaration-messages.ts";
import {
  type BudgetDraft,
  type Context,
  type LimitDraft,
  type Names,
  type PlainLimit,
  refuse,
  type Subject,
} from "./draft.ts";
import { amounts, names } from "./messages.ts";
import { makeMeter, windowText } from "./meter.ts";
import { DOLLAR, exact, percentMillionths, scaled, shareOf, WHOLE } from "./number.ts";
import { printAmount, printNumber } from "./print.ts";
import { closest } from "./suggest.ts";
import { durations, metrics, shareMetrics, type Unit } from "./vocabulary.ts";

type Measured = Exclude<Subject, { kind: "flag" }>;
type Counted = Exclude<Measured, { kind: "budget" }>;

export interface Resolved {
  readonly limit: LimitDraft;
  /** The named budget that the subject or the share refers to. */
  readonly budget: string | null;
}

/** The limit that an amount means for a subject, or null with a report. */
export function resolveLimit(node: AmountNode, subject: Measured, op: ">" | ">=", context: Context): Resolved | null {
  if (node.kind === "Percent") return percentage(node, subject, op, context);
  if (subject.kind === "budget") return refuse(context, amounts.ofItself(node.span, subject.path));
  if (node.kind === "Ref") {
    const limit = resolveReference(node, subject, context);
    return limit === null ? null : { limit, budget: null };
  }
  const amount = resolveAmount(node, subject, context);
  return amount === null ? null : { limit: { kind: "fixed", amount }, budget: null };
}

/** A plain amount in the subject's own unit (nano-dollars, tokens or counts), or null with a report. */
export function resolveAmount(node: Exclude<AmountNode, RefNode>, subject: Counted, context: Context): number | null {
  switch (node.kind) {
    case "Money":
      return isMoney(subject) ? money(node, context) : refuse(context, notMoney(node, subject));
    case "Rate":
      return rate(node, subject, context);
    case "Count":
      return count(node, subject, context);
    case "Unlimited":
      return refuse(context, amounts.unlimited(node.span));
    case "Percent":
      return refuse(context, amounts.noPercent(node.span, subject.path));
  }
}

/** `money`, `tokens`, ...: what kind of amount was written, for people. */
export function kindOfAmount(node: AmountNode): string {
  switch (node.kind) {
    case "Money":
    case "Rate":
      return "money";
    case "Percent":
      return "a percentage";
    case "Count":
      return node.unit ?? "a bare number";
    case "Unlimited":
      return "unlimited";
    case "Ref":
      return "a name";
  }
}

export const metricOf = (subject: Counted): string => (subject.kind === "call" ? subject.metric : subject.meter.metric);

const isMoney = (subject: Counted): boolean => metricOf(subject) === "cost";

const nounOf = (subject: Counted): string =>
  [...metrics].find(([metric]) => metric === metricOf(subject))?.[1].noun ?? "calls";

function money(node: MoneyNode | RateNode, context: Context): number | null {
  if (node.currency !== null && node.currency !== "$") {
    return refuse(context, amounts.currency(node.span, node.currency, printNumber(node.value)));
  }
  return exact(node.value, DOLLAR, null, context);
}

function rate(node: RateNode, subject: Counted, context: Context): number | null {
  if (node.currency === null) return refuse(context, amounts.rateMoney(node.span));
  if (!isMoney(subject)) return refuse(context, notMoney(node, subject));
  const per = durations.get(node.per);
  if (per === undefined) return refuse(context, amounts.rateUnit(node.span, node.per));
  if (subject.kind !== "meter" || subject.meter.window.kind !== "last") {
    const whose = subject.kind === "meter" ? subject.meter.scopes.join(".") || "global" : "tenant";
    return refuse(context, amounts.rateWindow(node.span, whose, printAmount(node)));
  }
  const amount = money(node, context);
  return amount === null ? null : scaled(amount, subject.meter.window.ms, per, node.span, context);
}

function count(node: CountNode, subject: Counted, context: Context): number | null {
  const noun = nounOf(subject);
  if (isMoney(subject)) {
    if (node.unit === null) return refuse(context, amounts.bareMoney(node.span, subject.path, printNumber(node.value)));
    const help = `to limit ${node.unit}, write \`${withMetric(subject, node.unit)}\``;
    return refuse(context, amounts.mismatch(node.span, subject.path, noun, node.unit, help));
  }
  if (node.unit !== null && node.unit !== noun) {
    const help = `write \`${printNumber(node.value)} ${noun}\``;
    return refuse(context, amounts.mismatch(node.span, subject.path, noun, node.unit, help));
  }
  return exact(node.value, 1, noun, context);
}

function percentage(node: PercentNode, subject: Measured, op: ">" | ">=", context: Context): Resolved | null {
  const text = printNumber(node.value);
  if (node.of !== null) {
    const known = context.names.budgets.get(node.of.text);
    if (known === undefined) {
      if (context.names.limits.has(node.of.text)) {
        return refuse(context, limits.shareOfLimit(node.span, node.of.text, text, wholePath(subject)));
      }
      return refuse(
        context,
        names.budget(node.of.span, node.of.text, closest(node.of.text, context.names.budgets.keys())),
      );
    }
    const millionths = percentMillionths(node.value, context);
    if (known === null || millionths === null) return null;
    const unit = subject.kind === "call" ? subject.metric : meterOf(subject).metric;
    if (unitOf(unit) !== unitOf(known.meter.metric)) {
      const noun = subject.kind === "budget" ? "another unit" : nounOf(subject);
      return refuse(context, amounts.budgetUnit(node.span, subject.path, noun, known.name));
    }
    return { limit: shareOfBudget(known, millionths, op), budget: known.name };
  }
  if (subject.kind === "budget") {
    const millionths = percentMillionths(node.value, context);
    if (millionths === null) return null;
    return { limit: shareOfBudget(subject.budget, millionths, op), budget: subject.budget.name };
  }
  if (subject.kind === "meter" && shareMetrics.has(subject.meter.metric)) {
    const millionths = percentMillionths(node.value, context);
    const of = makeMeter(subject.meter.scopes, "calls", subject.meter.window);
    return millionths === null ? null : { limit: { kind: "share", millionths, of }, budget: null };
  }
  if (subject.kind === "call") return refuse(context, amounts.noPercent(node.span, subject.path));
  const example = { money: "$200", tokens: "20M tokens", count: "1K" }[unitOf(subject.meter.metric)];
  return refuse(context, amounts.ofWhat(node.span, text, subject.path, example));
}

/** A share of a budget: an amount, or a share of the limit that the budget is. */
function shareOfBudget({ limit }: BudgetDraft, millionths: number, op: ">" | ">="): PlainLimit {
  if (limit.kind === "named") return { ...limit, millionths };
  return { kind: "fixed", amount: shareOf(limit.amount, millionths, op) };
}

/** What a limit of its own can be set against, for a sentence about it. */
const wholePath = (subject: Measured): string =>
  subject.kind === "meter" && subject.meter.window.kind !== "last" ? subject.path : "tenant.monthly";

/** A named limit in place of an amount, or null with a report. */
export function resolveReference(
  { name: { text }, span }: RefNode,
  subject: Counted,
  context: Context,
): PlainLimit | null {
  const { names: known } = context;
  const limit = known.limits.get(text);
  if (limit === undefined) {
    if (known.budgets.has(text)) return refuse(context, names.budgetAsLimit(span, text));
    return refuse(context, names.limit(span, text, closest(text, known.limits.keys())));
  }
  if (limit === null) return null;
  const unit = unitOf(metricOf(subject));
  const given = limit.unit ?? known.units.get(text) ?? null;
  if (given === null) adopt(text, unit, known);
  else if (unit !== given && !(unit === "tokens" && limit.kind === "a bare number")) {
    const help =
      given === "money"
        ? `to limit dollars, drop \`.${metricOf(subject)}\``
        : `compare it with \`${withMetric(subject, given === "tokens" ? "tokens" : "calls")}\``;
    const what =
      given === "money" ? "in dollars" : limit.kind === "a bare number" ? limit.kind : `in ${limit.kind ?? given}`;
    return refuse(context, amounts.limitUnit(span, subject.path, nounOf(subject), text, what, help));
  }
  return { kind: "named", limit: text, millionths: WHOLE };
}

/** A limit without any amount is in the unit of what is compared with it first, and so are those that it falls back on. */
function adopt(name: string, unit: Unit, names: Names): void {
  const open = [name];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const limit = names.limits.get(next);
    if (!limit || limit.unit !== null || names.units.has(next)) continue;
    names.units.set(next, unit);
    for (const grant of [limit.otherwise, ...limit.rows.values()]) if (grant.kind === "limit") open.push(grant.limit);
  }
}

function notMoney(node: AmountNode, subject: Counted): ReturnType<typeof amounts.mismatch> {
  const help = `to limit dollars, drop \`.${metricOf(subject)}\``;
  return amounts.mismatch(node.span, subject.path, nounOf(subject), kindOfAmount(node), help);
}

/** The subject's path with this metric in place of money. */
function withMetric(subject: Counted, metric: string): string {
  if (subject.kind === "call") return `call.${metric}`;
  const { scopes, window } = subject.meter;
  const over = windowText(window);
  const path = [...(scopes.length === 0 ? ["global"] : scopes), metric].join(".");
  return over === null ? path : window.kind === "last" ? `${path} ${over}` : `${path}.${over}`;
}

const meterOf = (subject: Extract<Measured, { kind: "meter" | "budget" }>) =>
  subject.kind === "budget" ? subject.budget.meter : subject.meter;

const unitOf = (metric: string): Unit => [...metrics].find(([name]) => name === metric)?.[1].unit ?? "count";
