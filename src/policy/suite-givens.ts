/**
 * What a test gives to be so before its call: meters, budgets, limits that the store keeps, a store that is away.
 * In: `given tenant.hourly = $49.99`. Out: readings for the test's call, or null with a report.
 * @module
 */
import { type Call, NONE } from "../call/call.ts";
import { limitKey } from "../keys.ts";
import type { AmountNode, GivenNode, TestNode } from "./ast.ts";
import { type Context, refuse } from "./draft.ts";
import { entitlementOf } from "./entitlement.ts";
import { meterPath, windowWord } from "./explain-path.ts";
import { durationText, makeMeter } from "./meter.ts";
import { DOLLAR, exact, milliseconds, percentMillionths } from "./number.ts";
import type { Meter, NamedBudget, NamedLimit, Plan } from "./plan.ts";
import { printAmount, printSubject } from "./print.ts";
import { closest } from "./suggest.ts";
import { givens as say } from "./suite-messages.ts";
import { isOneOf, metrics, shareMetrics, type Unit, windows } from "./vocabulary.ts";

export interface Given {
  /** Index of a meter → nano-dollars or counts. */
  readonly meters: ReadonlyMap<number, number>;
  /** By `limitKey`. */
  readonly limits: ReadonlyMap<string, number>;
  readonly storeDown: boolean;
}

/** Everything that the test gives, for this call, or null with every reason reported. */
export function readGivens(test: Pick<TestNode, "givens">, plan: Plan, call: Call, context: Context): Given | null {
  const limits = new Map<string, number>();
  const meters = new Map<number, number>();
  let storeDown = false;
  let right = true;
  // Limits first: how much 80% of a budget is may depend on them.
  const isLimit = (node: GivenNode): boolean => nameOf(node) !== null && limitNamed(plan, nameOf(node) ?? "") !== -1;
  for (const node of [...test.givens.filter(isLimit), ...test.givens.filter((one) => !isLimit(one))]) {
    const found = readGiven(node, plan, call, limits, context);
    if (found === null) right = false;
    else if (found.kind === "store.down") storeDown = true;
    else if (found.kind === "limit") limits.set(found.key, found.amount);
    else if (found.indices.some((index) => meters.has(index))) {
      right = refuse(context, say.twice(node.subject.span, printSubject(node.subject))) ?? false;
    } else for (const index of found.indices) meters.set(index, found.amount);
  }
  return right ? { meters: withCalls(plan, meters), limits, storeDown } : null;
}

/** Whoever gives 21 retries gives 21 calls at least: a share of fewer calls than retries would be no share. */
function withCalls(plan: Plan, given: ReadonlyMap<number, number>): ReadonlyMap<number, number> {
  const all = new Map(given);
  for (const [index, amount] of given) {
    const meter = plan.meters[index];
    if (meter === undefined || !shareMetrics.has(meter.metric)) continue;
    const calls = makeMeter(meter.scopes, "calls", meter.window).id;
    const at = plan.meters.findIndex(({ id }) => id === calls);
    if (at !== -1 && !given.has(at)) all.set(at, Math.max(all.get(at) ?? 0, amount));
  }
  return all;
}

type Found =
  | { readonly kind: "store.down" }
  | { readonly kind: "limit"; readonly key: string; readonly amount: number }
  | { readonly kind: "meters"; readonly indices: readonly number[]; readonly amount: number };

function readGiven(
  node: GivenNode,
  plan: Plan,
  call: Call,
  kept: ReadonlyMap<string, number>,
  context: Context,
): Found | null {
  const path = printSubject(node.subject);
  const { span } = node.subject;
  const [first] = node.subject.path;
  if (path === "store.down") {
    return node.amount === null ? { kind: "store.down" } : refuse(context, say.flagAmount(node.amount.span, path));
  }
  if (first?.text === "call") {
    const flag = /^call\.(unpriced|unmetered)$/.exec(path)?.[1];
    return refuse(context, flag === undefined ? say.ofCall(span, path) : say.flagOfCall(span, path, flag));
  }
  if (node.amount === null) return refuse(context, say.noAmount(node.span, path));
  const name = nameOf(node);
  const limit = name === null ? -1 : limitNamed(plan, name);
  const named = plan.limits[limit];
  if (named !== undefined) return givenLimit(node.amount, named, call, context);
  const budget = plan.budgets.find((one) => one.name === name);
  if (budget !== undefined) return givenBudget(node.amount, budget, plan, call, kept, context);
  const indices = metersNamed(node, plan, context);
  const meter = plan.meters[indices[0] ?? -1];
  if (meter === undefined) {
    const known = [...new Set([...plan.meters.map(meterPath), ...plan.budgets.map((one) => one.name)])];
    return refuse(context, say.unread(span, path, closest(path, known), known));
  }
  const amount = amountOf(node.amount, path, unitOf(meter), context);
  return amount === null ? null : { kind: "meters", indices, amount };
}

/** A word alone: a budget or a limit may be called so. */
const nameOf = ({ subject }: GivenNode): string | null =>
  subject.path.length === 1 && subject.last === null ? (subject.path[0]?.text ?? null) : null;

const limitNamed = (plan: Plan, name: string): number => plan.limits.findIndex((limit) => limit.name === name);

function givenLimit(node: AmountNode, named: NamedLimit, call: Call, context: Context): Found | null {
  if (!named.fromStore) return refuse(context, say.notKept(node.span, named.name));
  const key = limitKey(named.name, named.by, call.subject[named.by] ?? NONE);
  if (node.kind === "Unlimited") return { kind: "limit", key, amount: Number.POSITIVE_INFINITY };
  const amount = amountOf(node, named.name, named.unit, context);
  return amount === null ? null : { kind: "limit", key, amount };
}

function givenBudget(
  node: AmountNode,
  { name, limit, meter }: NamedBudget,
  plan: Plan,
  call: Call,
  kept: ReadonlyMap<string, number>,
  context: Context,
): Found | null {
  if (node.kind !== "Percent") {
    const own = plan.meters[meter];
    const amount = own === undefined ? null : amountOf(node, name, unitOf(own), context);
    return amount === null ? null : { kind: "meters", indices: [meter], amount };
  }
  const millionths = percentMillionths(node.value, context);
  if (millionths === null) return null;
  const of = limit.kind === "fixed" ? 1_000_000 : limit.millionths;
  const whole = limit.kind === "fixed" ? limit.amount : entitlementOf(plan, limit.limit, call.subject, kept);
  if (whole === Number.POSITIVE_INFINITY) return refuse(context, say.endless(node.span, name));
  return { kind: "meters", indices: [meter], amount: Math.floor((((whole * of) / 1e6) * millionths) / 1e6) };
}

const nouns: Readonly<Record<Unit, string>> = { money: "dollars", tokens: "tokens", count: "whole numbers" };
const examples: Readonly<Record<Unit, string>> = { money: "$50", tokens: "50K tokens", count: "20" };

function amountOf(node: AmountNode, path: string, unit: Unit, context: Context): number | null {
  if (node.kind === "Percent") return refuse(context, say.percent(node.span, path));
  if (unit === "money" && node.kind === "Money" && node.currency === "$")
    return exact(node.value, DOLLAR, null, context);
  const fits =
    node.kind === "Count" &&
    unit !== "money" &&
    (node.unit === null || (node.unit === "tokens") === (unit === "tokens"));
  if (fits) return exact(node.value, 1, unit === "tokens" ? "tokens" : "counts", context);
  const digits = printAmount(node).replace(/[^\d._KMB]/g, "");
  const example =
    digits === "" ? examples[unit] : `${unit === "money" ? "$" : ""}${digits}${unit === "tokens" ? " tokens" : ""}`;
  return refuse(context, say.amount(node.span, path, nouns[unit], example));
}

/** The meters that a path names: one, or one in each time zone that the policy counts it in. */
function metersNamed({ subject }: GivenNode, plan: Plan, context: Context): readonly number[] {
  const named: string[] = [];
  let metric = "cost";
  let window = "";
  for (const { text } of subject.path) {
    if (isOneOf(windows, text)) window = text;
    else if ([...metrics.keys()].some((one) => one === text) && !context.names.dimensions.has(text)) metric = text;
    else if (text !== "global") named.push(text);
  }
  if (subject.last !== null) window = `last ${durationText(milliseconds(subject.last, context) ?? 0)}`;
  const wanted = [...named.sort(), metric, window].join(" ");
  return plan.meters.flatMap((meter, index) => (identity(meter) === wanted ? index : []));
}

const identity = ({ scopes: of, metric, window }: Meter): string =>
  [...[...of].sort(), metric, windowWord(window)].join(" ");

const unitOf = (meter: Meter): Unit => metrics.get(meter.metric)?.unit ?? "count";
