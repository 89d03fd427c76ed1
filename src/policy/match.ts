/**
 * Which rules concern a call: closures over the filters, indexed by dimension and value, so that 10,000 rules each for
 * one tenant cost about what ten cost.
 * In: a plan, once; then a call's subject. Out: its rules, in plan order.
 * @module
 */
import { type Call, NONE, type Subject } from "../call/call.ts";
import type { Filter, Plan, Rule } from "./plan.ts";

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
  const general: Entry[] = [];
  const byValue = new Map<string, Map<string, Entry[]>>();
  for (const [at, rule] of plan.rules.entries()) {
    const entry: Entry = { rule, at, holds: predicate(rule.filter) };
    if (rule.filter === null) {
      always.push(entry);
      continue;
    }
    const required = requiredValues(rule.filter);
    if (required === null) {
      general.push(entry);
      continue;
    }
    const values = byValue.get(required.dimension) ?? new Map<string, Entry[]>();
    byValue.set(required.dimension, values);
    for (const value of required.values) {
      const entries = values.get(value);
      if (entries === undefined) values.set(value, [entry]);
      else entries.push(entry);
    }
  }
  const alone = Object.freeze(always.map(({ rule }) => rule));
  return function match(call) {
    const found = general.filter(({ holds }) => holds(call));
    for (const [dimension, values] of byValue) {
      const entries = values.get(valueIn(call.subject, dimension));
      if (entries === undefined) continue;
      for (const entry of entries) if (entry.holds(call)) found.push(entry);
    }
    if (found.length === 0) return alone;
    for (const entry of always) found.push(entry);
    return found.sort((a, b) => a.at - b.at).map(({ rule }) => rule);
  };
}

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

interface Required {
  readonly dimension: string;
  readonly values: readonly string[];
}

/** Values of one dimension of which a matching call must have one; null where no such dimension is found. */
function requiredValues(filter: Filter | null): Required | null {
  if (filter === null) return null;
  if (filter.kind === "in") return filter;
  if (filter.kind === "missing") return { dimension: filter.dimension, values: [NONE] };
  if (filter.kind === "and") {
    let fewest: Required | null = null;
    for (const part of filter.of) {
      const required = requiredValues(part);
      if (required !== null && (fewest === null || required.values.length < fewest.values.length)) fewest = required;
    }
    return fewest;
  }
  if (filter.kind !== "or") return null;
  const values = new Set<string>();
  let dimension: string | null = null;
  for (const part of filter.of) {
    const required = requiredValues(part);
    if (required === null || (dimension !== null && required.dimension !== dimension)) return null;
    dimension = required.dimension;
    for (const value of required.values) values.add(value);
  }
  return dimension === null ? null : { dimension, values: [...values] };
}
