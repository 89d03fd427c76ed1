/**
 * Which rules concern a call: closures over the filters, indexed by dimension and value, so that 10,000 rules each for
 * one tenant cost about what ten cost.
 * In: a plan, once; then a call's subject. Out: its rules, in plan order.
 * @module
 */
import { type Call, NONE, type Subject } from "../call/call.ts";
import type { Filter, Plan, Rule } from "./plan.ts";
import { type Required, requiredOf } from "./required.ts";

/** The part of a call that filters see. */
export type Matched = Pick<Call, "subject" | "modelAsSent">;

type Predicate = (call: Matched) => boolean;

interface Entry {
  readonly rule: Rule;
  /** Place in the plan. */
  readonly at: number;
  readonly holds: Predicate;
}

/** The rules whose filter holds for a call, in plan order. */
export type RuleIndex = (call: Matched) => readonly Rule[];

/** Indexes the plan's rules; the function it returns gives those whose filter holds for a call. */
export function indexRules(plan: Plan): RuleIndex {
  /** Rules without a filter: all that most calls have. */
  const always: Entry[] = [];
  /** Rules whose filters name no value that a call must have. */
  const general: Entry[] = [];
  const byDimension = new Map<string, DimensionIndex>();
  for (const [at, rule] of plan.rules.entries()) {
    const entry: Entry = { rule, at, holds: predicate(rule.filter) };
    const required = rule.filter === null ? null : requiredOf(rule.filter);
    if (rule.filter === null) always.push(entry);
    else if (required === null) general.push(entry);
    else add(byDimension, required, entry);
  }
  const alone = Object.freeze(always.map(({ rule }) => rule));
  if (always.length === plan.rules.length) return () => alone;

  function find(call: Matched): readonly Rule[] {
    const found = general.filter(({ holds }) => holds(call));
    for (const [dimension, index] of byDimension) {
      const value = valueIn(call.subject, dimension);
      collect(index, value, call, found);
      if (dimension === "model" && call.modelAsSent !== value) collect(index, call.modelAsSent, call, found);
    }
    if (found.length === 0) return alone;
    const entries = [...always, ...found].sort((a, b) => a.at - b.at);
    // A rule may be found by two values of its own.
    return entries.filter((entry, place) => entry !== entries[place - 1]).map(({ rule }) => rule);
  }

  // Subjects with the same values are one object, and a process calls for few of them at a time.
  const known = new WeakMap<Subject, { readonly modelAsSent: string; readonly rules: readonly Rule[] }>();
  return function match(call) {
    const found = known.get(call.subject);
    if (found?.modelAsSent === call.modelAsSent) return found.rules;
    const rules = find(call);
    known.set(call.subject, { modelAsSent: call.modelAsSent, rules });
    return rules;
  };
}

/** Rules by what they ask of one dimension. */
interface DimensionIndex {
  readonly values: Map<string, Entry[]>;
  /** By length, then by prefix. */
  readonly prefixes: Map<number, Map<string, Entry[]>>;
}

function add(indexes: Map<string, DimensionIndex>, { dimension, values, prefixes }: Required, entry: Entry): void {
  let index = indexes.get(dimension);
  if (index === undefined) {
    index = { values: new Map(), prefixes: new Map() };
    indexes.set(dimension, index);
  }
  for (const value of values) listIn(index.values, value).push(entry);
  for (const prefix of prefixes) {
    const sameLength = index.prefixes.get(prefix.length) ?? new Map<string, Entry[]>();
    index.prefixes.set(prefix.length, sameLength);
    listIn(sameLength, prefix).push(entry);
  }
}

function listIn(lists: Map<string, Entry[]>, key: string): Entry[] {
  let list = lists.get(key);
  if (list === undefined) {
    list = [];
    lists.set(key, list);
  }
  return list;
}

function collect({ values, prefixes }: DimensionIndex, value: string, call: Matched, found: Entry[]): void {
  for (const entry of values.get(value) ?? NONE_FOUND) if (entry.holds(call)) found.push(entry);
  for (const [length, lists] of prefixes) {
    for (const entry of lists.get(value.slice(0, length)) ?? NONE_FOUND) if (entry.holds(call)) found.push(entry);
  }
}

const NONE_FOUND: readonly Entry[] = Object.freeze([]);

/** Whether a `*` pattern covers the whole value; `*` stands for any letters, none included. Linear in the value's length. */
export function globs(pattern: string, value: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return value === first;
  if (value.length < first.length + last.length || !value.startsWith(first) || !value.endsWith(last)) return false;
  const end = value.length - last.length;
  let at = first.length;
  for (const part of rest) {
    const found = value.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

const valueIn = (subject: Subject, dimension: string): string => subject[dimension] ?? NONE;

/** A filter as a closure: no code is made from strings, which hardened processes forbid. */
function predicate(filter: Filter | null): Predicate {
  if (filter === null) return () => true;
  switch (filter.kind) {
    case "and": {
      const parts = filter.of.map(predicate);
      return (call) => parts.every((holds) => holds(call));
    }
    case "or": {
      const parts = filter.of.map(predicate);
      return (call) => parts.some((holds) => holds(call));
    }
    case "not": {
      const holds = predicate(filter.of);
      return (call) => !holds(call);
    }
    case "in": {
      const { dimension } = filter;
      const values = new Set(filter.values);
      return ({ subject }) => values.has(valueIn(subject, dimension));
    }
    case "missing": {
      const { dimension } = filter;
      return ({ subject }) => valueIn(subject, dimension) === NONE;
    }
    case "glob": {
      const { dimension, pattern } = filter;
      if (dimension !== "model") return ({ subject }) => globs(pattern, valueIn(subject, dimension));
      // A canonical name has lost its date and its provider; a pattern may well ask for them.
      return ({ subject, modelAsSent }) => globs(pattern, valueIn(subject, "model")) || globs(pattern, modelAsSent);
    }
  }
}
