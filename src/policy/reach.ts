/**
 * Which rule always stops a call before another could: sound-ish, and never noisy.
 * @module
 */
import type { ConditionDraft, ReadingDraft, RuleDraft } from "./draft.ts";
import { conjuncts } from "./filter.ts";
import type { Filter, Window } from "./plan.ts";
import { strictness } from "./verdict.ts";

/** True where rule `a` stops every call that rule `b` could fire on. */
export function covers(a: RuleDraft, b: RuleDraft): boolean {
  return (
    stops(a) &&
    a.flag !== "store.down" &&
    b.flag !== "store.down" &&
    // A shape rule runs first and may make the call small enough for `a`.
    !b.actions.some(({ kind }) => kind === "cap" || kind === "route") &&
    (a.flag === null || a.flag === b.flag) &&
    a.conditions.every((wide) =>
      b.conditions.some((narrow) => implies(narrow, wide, strictestOf(b) > strictestOf(a))),
    ) &&
    includes(a.filter, b.filter)
  );
}

export const stops = (rule: RuleDraft): boolean =>
  !rule.shadow && rule.actions.some(({ kind }) => kind === "deny" || kind === "deny for" || kind === "pause");

/** As `stops`, and those that hold: they refuse once the time is up. */
export const enforces = (rule: RuleDraft): boolean =>
  stops(rule) || (!rule.shadow && rule.actions.some(({ kind }) => kind === "hold"));

const strictestOf = (rule: RuleDraft): number =>
  rule.actions.reduce((most, { kind }) => Math.max(most, isStrict(kind) ? strictness[kind] : 0), 0);

const isStrict = (kind: string): kind is keyof typeof strictness => kind in strictness;

/**
 * Whenever the narrow condition holds, so does the wide one; with `before`, the wide one held at a lower limit: at the
 * same limit both fire on one call, and of the two the stricter decides.
 */
function implies(narrow: ConditionDraft, wide: ConditionDraft, before: boolean): boolean {
  if (wide.limit.kind === "share" || narrow.limit.kind === "share") {
    return (
      wide.limit.kind === "share" &&
      narrow.limit.kind === "share" &&
      sameMeter(narrow.reading, wide.reading) &&
      (before
        ? wide.limit.millionths < narrow.limit.millionths
        : tighter(wide.limit.millionths, wide.op, narrow.limit.millionths, narrow.op))
    );
  }
  if (wide.limit.kind === "named" || narrow.limit.kind === "named") {
    // Two shares of one limit compare; how a limit compares with anything else depends on the call.
    return (
      wide.limit.kind === "named" &&
      narrow.limit.kind === "named" &&
      wide.limit.limit === narrow.limit.limit &&
      within(narrow.reading, wide.reading) &&
      (before
        ? wide.limit.millionths < narrow.limit.millionths
        : tighter(wide.limit.millionths, wide.op, narrow.limit.millionths, narrow.op))
    );
  }
  const [ours, theirs] = [wide.limit.amount, narrow.limit.amount];
  return within(narrow.reading, wide.reading) && (before ? ours < theirs : tighter(ours, wide.op, theirs, narrow.op));
}

/** Above `theirs` one is also above `ours`. */
const tighter = (ours: number, op: ">" | ">=", theirs: number, theirOp: ">" | ">="): boolean =>
  ours < theirs || (ours === theirs && (op === ">=" || theirOp === ">"));

const sameMeter = (a: ReadingDraft, b: ReadingDraft): boolean =>
  a.kind === "meter" && b.kind === "meter" && a.meter.id === b.meter.id;

/** What the first reading counts, the second counts too: a product of four small orders. */
function within(a: ReadingDraft, b: ReadingDraft): boolean {
  if (b.kind === "call") return a.kind === "call" && metricWithin(a.metric, b.metric);
  const { scopes, metric, window } = b.meter;
  // A meter's left side includes this very call; its attempt number is counted nowhere else.
  if (a.kind === "call") return a.metric !== "retries" && metricWithin(a.metric, metric);
  return (
    scopes.every((scope) => a.meter.scopes.includes(scope)) &&
    metricWithin(a.meter.metric, metric) &&
    windowWithin(a.meter.window, window)
  );
}

function metricWithin(a: string, b: string): boolean {
  if (a === b) return true;
  if (b === "tokens") return a === "input_tokens" || a === "output_tokens";
  return b === "calls" && (a === "retries" || a === "repeats" || a === "errors");
}

/** Longer calendar windows that hold each one whole; a week may lie in two months. */
const holders: Readonly<Record<string, readonly string[]>> = {
  hourly: ["daily", "weekly", "monthly"],
  daily: ["weekly", "monthly"],
};

function windowWithin(a: Window, b: Window): boolean {
  if (b.kind === "total" && a.kind !== "now") return true;
  // The scopes were compared before: both count one run, whose life holds any other window of it.
  if (b.kind === "run" && a.kind !== "now" && a.kind !== "total") return true;
  if (a.kind === "last" || b.kind === "last") return a.kind === "last" && b.kind === "last" && a.ms <= b.ms;
  // A day here is not within a day, nor within a month, of another zone.
  if ("timezone" in a && "timezone" in b && a.timezone !== b.timezone) return false;
  return a.kind === b.kind || (holders[a.kind]?.includes(b.kind) ?? false);
}

/** Filters that nobody writes by hand are not compared: nothing is said about them. */
const MOST_PAIRS = 1_000;

/** Every call that `narrow` lets in, `wide` lets in. Sets are compared per dimension, all else by its text. */
export function includes(wide: Filter | null, narrow: Filter | null): boolean {
  const given = conjuncts(narrow);
  const wanted = conjuncts(wide);
  if (given.length * wanted.length > MOST_PAIRS) return false;
  return wanted.every((part) => given.some((fact) => entails(fact, part)));
}

function entails(fact: Filter, part: Filter): boolean {
  if (part.kind === "in") {
    return fact.kind === "in" && fact.dimension === part.dimension && isSubset(fact.values, part.values);
  }
  if (fact === part || textOf(fact) === textOf(part)) return true;
  if (part.kind === "not" && part.of.kind === "in") {
    const { dimension, values } = part.of;
    if (fact.kind === "in") return fact.dimension === dimension && !fact.values.some((value) => values.includes(value));
    return (
      fact.kind === "not" &&
      fact.of.kind === "in" &&
      fact.of.dimension === dimension &&
      isSubset(values, fact.of.values)
    );
  }
  return false;
}

/** Of these a rule must have one (see `partKeys`) for the filter to take it in; none where many filters may. */
export function coverKeys(filter: Filter | null): readonly string[] {
  let keys: readonly string[] = [];
  for (const part of conjuncts(filter)) {
    if (part.kind === "not" && part.of.kind === "in") continue;
    const own = keysOf(part);
    if (keys.length === 0 || own.length < keys.length) keys = own;
  }
  return keys;
}

/** One key of each of a filter's parts: what takes in all its values takes in the first. */
export const partKeys = (filter: Filter | null): readonly string[] => [
  ...new Set(conjuncts(filter).flatMap((part) => keysOf(part).slice(0, 1))),
];

const keysOf = (part: Filter): readonly string[] =>
  part.kind === "in" ? part.values.map((value) => `${part.dimension}=${value}`) : [textOf(part)];

const texts = new WeakMap<Filter, string>();

/** The filter in one word, made once: thousands of rules are compared pairwise. */
function textOf(filter: Filter): string {
  const known = texts.get(filter);
  if (known !== undefined) return known;
  const text = JSON.stringify(filter);
  texts.set(filter, text);
  return text;
}

function isSubset(inner: readonly string[], outer: readonly string[]): boolean {
  if (inner.length * outer.length < 100) return inner.every((value) => outer.includes(value));
  const all = new Set(outer);
  return inner.every((value) => all.has(value));
}

/** The dimension of which the filter needs two values at once, null where it can match. */
export function impossible(filter: Filter | null): string | null {
  const facts = conjuncts(filter);
  if (facts.length * facts.length > MOST_PAIRS) return null;
  for (const [at, fact] of facts.entries()) {
    if (fact.kind !== "in") continue;
    for (const other of facts.slice(0, at).concat(facts.slice(at + 1))) {
      if (other.kind === "in" && other.dimension === fact.dimension) {
        const all = new Set(other.values);
        if (!fact.values.some((value) => all.has(value))) return fact.dimension;
      }
      if (other.kind === "not" && other.of.kind === "in" && other.of.dimension === fact.dimension) {
        if (isSubset(fact.values, other.of.values)) return fact.dimension;
      }
    }
  }
  return null;
}
