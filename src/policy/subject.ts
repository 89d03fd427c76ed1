/**
 * What a dotted path measures: a meter, this call's own figure, a flag or a named budget.
 * In: `tenant.feature.tokens.daily`. Out: its meaning, or null with a report.
 * @module
 */
import type { NameNode, Span, SubjectNode } from "./ast.ts";
import { type Context, refuse, type Subject } from "./draft.ts";
import { names, subjects } from "./messages.ts";
import { makeMeter } from "./meter.ts";
import { milliseconds } from "./number.ts";
import type { Metric, Window } from "./plan.ts";
import { printPath, printSubject } from "./print.ts";
import { closest } from "./suggest.ts";
import { callFlags, callMetrics, isOneOf, metrics, scopes, subjects as special, windows } from "./vocabulary.ts";

/** Windows that the calendar does not have here, and the rolling one that comes nearest. */
const lengths: ReadonlyMap<string, string> = new Map([
  ["secondly", "1s"],
  ["second", "1s"],
  ["minutely", "1m"],
  ["minute", "1m"],
  ["fortnightly", "14d"],
  ["quarterly", "90d"],
  ["quarter", "90d"],
  ["yearly", "365d"],
  ["annually", "365d"],
  ["annual", "365d"],
  ["year", "365d"],
]);

type Calendar = (typeof windows)[number];

/** The meaning of a subject, or null where it has none; every reason is reported. */
export function resolveSubject(node: SubjectNode, context: Context): Subject | null {
  const [first, ...rest] = node.path;
  if (first === undefined) return null;
  const budget = context.names.budgets.get(first.text);
  if (budget !== undefined) {
    if (rest[0] !== undefined) return refuse(context, subjects.budgetPath(pathSpan(node), first.text));
    if (budget === null) return null;
    if (node.last !== null) {
      const path = [...(budget.meter.scopes.length === 0 ? ["global"] : budget.meter.scopes)].join(".");
      return refuse(context, subjects.budgetWindow(node.last.span, first.text, path));
    }
    return { kind: "budget", budget, path: first.text };
  }
  if (first.text === "store") return storeFlag(node, context);
  if (first.text === "call") return ofCall(node, rest, context);
  return counted(node, context);
}

function storeFlag(node: SubjectNode, context: Context): Subject | null {
  const path = printSubject(node);
  if (path === "store.down") return { kind: "flag", flag: "store.down", path };
  return refuse(context, names.flag(node.span, path, "store.down"));
}

function ofCall(node: SubjectNode, rest: readonly NameNode[], context: Context): Subject | null {
  const path = printSubject(node);
  let metric: (typeof callMetrics)[number] | null = null;
  let flag: (typeof callFlags)[number] | null = null;
  for (const { text, span } of rest) {
    if (isOneOf(windows, text)) return refuse(context, subjects.callWindow(span));
    if (isOneOf(scopes, text) || context.names.dimensions.has(text))
      return refuse(context, subjects.callAlone(span, "call"));
    if (isOneOf(callFlags, text)) flag = text;
    else if (isOneOf(callMetrics, text)) {
      if (metric !== null) return refuse(context, subjects.twoMetrics(span, metric, text));
      metric = text;
    } else if (isMetric(text)) return refuse(context, subjects.notOfCall(span, text));
    else return refuse(context, names.metricOrWindow(span, text, closest(text, [...callMetrics, ...callFlags])));
  }
  if (node.last !== null) return refuse(context, subjects.callWindow(node.last.span));
  if (flag === null) return { kind: "call", metric: metric ?? "cost", path };
  if (metric !== null) return refuse(context, subjects.twoMetrics(node.span, metric, flag));
  return { kind: "flag", flag: `call.${flag}`, path };
}

/** A path that names a meter: scopes, then at most one metric, then at most one window. */
function counted(node: SubjectNode, context: Context): Subject | null {
  const found: string[] = [];
  let metric: Metric | null = null;
  let calendar: Calendar | null = null;
  let calendarSpan: Span = node.span;
  for (const [index, { text, span }] of node.path.entries()) {
    if (isOneOf(scopes, text) || context.names.dimensions.has(text)) {
      if (found.includes(text)) return refuse(context, subjects.scopeTwice(span, text));
      if (metric !== null || calendar !== null) {
        return refuse(
          context,
          subjects.order(span, text, calendar === null ? "metric" : "window", inOrder(node, context)),
        );
      }
      found.push(text);
    } else if (isMetric(text)) {
      if (metric !== null) return refuse(context, subjects.twoMetrics(span, metric, text));
      if (calendar !== null && found.length > 0)
        return refuse(context, subjects.order(span, text, "window", inOrder(node, context)));
      metric = text;
    } else if (isOneOf(windows, text)) {
      if (calendar !== null) return refuse(context, subjects.twoWindows(span));
      calendar = text;
      calendarSpan = span;
    } else if (isOneOf(special, text)) {
      return refuse(context, subjects.callAlone(span, text));
    } else if (index === 0) {
      if (context.names.limits.has(text)) return refuse(context, names.limitAsSubject(span, text));
      const known = [...scopes, ...context.names.dimensions, ...context.names.budgets.keys(), "call"];
      const unscoped = closest(text, [...metrics.keys(), ...windows]);
      const meant = closest(text, known) ?? (unscoped === null ? null : `tenant.${unscoped}`);
      return refuse(context, names.scopeOrBudget(span, text, meant));
    } else {
      const known = [...metrics.keys(), ...windows, ...scopes, ...context.names.dimensions];
      const length = lengths.get(text.toLowerCase().replace("per_", ""));
      if (length !== undefined)
        return refuse(
          context,
          subjects.noSuchWindow(span, text, [...found, ...(metric === null ? [] : [metric])].join("."), length),
        );
      return refuse(context, names.metricOrWindow(span, text, closest(text, known)));
    }
  }
  const path = printPath(node.path);
  if (found.length === 0) return refuse(context, subjects.noScope(pathSpan(node), path));
  if (found.includes("global") && found.length > 1) {
    return refuse(context, subjects.globalAlone(node.span, inOrder(node, context, "global")));
  }
  const window = resolveWindow(node, found, metric, calendar, calendarSpan, context);
  if (window === null) return null;
  if (metric === "runs" && found.includes("run")) return refuse(context, subjects.runsOfRun(pathSpan(node)));
  const counts = found[0] === "global" ? [] : found;
  return { kind: "meter", meter: makeMeter(counts, metric ?? "cost", window), path: printSubject(node) };
}

function resolveWindow(
  node: SubjectNode,
  found: readonly string[],
  metric: Metric | null,
  calendar: Calendar | null,
  calendarSpan: Span,
  context: Context,
): Window | null {
  if (metric === "concurrency") {
    if (calendar === null && node.last === null) return { kind: "now" };
    const path = printPath(node.path.filter(({ text }) => !isOneOf(windows, text)));
    return refuse(context, subjects.nowWindow(node.last?.span ?? calendarSpan, path));
  }
  if (node.last !== null) {
    if (calendar !== null) return refuse(context, subjects.twoWindows(node.last.span));
    const ms = milliseconds(node.last, context);
    return ms === null ? null : { kind: "last", ms };
  }
  if (calendar === "total") return { kind: "total" };
  if (calendar !== null) return { kind: calendar, timezone: context.timezone };
  if (found.includes("run")) return { kind: "run" };
  return refuse(context, subjects.noWindow(pathSpan(node), printPath(node.path)));
}

/** The path's words sorted as they should be: scopes, metric, window. */
function inOrder(node: SubjectNode, context: Context, without?: string): string {
  const words = node.path.map(({ text }) => text).filter((text) => text !== without);
  const rank = (word: string): number => {
    if (isOneOf(windows, word)) return 2;
    return isMetric(word) && !context.names.dimensions.has(word) ? 1 : 0;
  };
  return words.sort((a, b) => rank(a) - rank(b)).join(".");
}

function pathSpan(node: SubjectNode): Span {
  return { start: node.path[0]?.span.start ?? node.span.start, end: node.path.at(-1)?.span.end ?? node.span.end };
}

function isMetric(word: string): word is Metric {
  return [...metrics.keys()].some((metric) => metric === word);
}
