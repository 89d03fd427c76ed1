/**
 * Filters before any call is known: which rules surely concern every call of a population.
 * @module
 */
import { globs } from "./match.ts";
import type { Filter } from "./plan.ts";

/** What all calls of a population have in common: dimension → value. What is not named may be anything. */
export type Population = Readonly<Record<string, string>>;

export type Certainty = "yes" | "no" | "maybe";

/** Whether a filter holds for every call of the population, for none, or for some. `sent`: the model as requests name it. */
export function certainty(filter: Filter | null, known: Population, sent: string | null = null): Certainty {
  if (filter === null) return "yes";
  switch (filter.kind) {
    case "and":
      return least(filter.of.map((part) => certainty(part, known, sent)));
    case "or":
      return greatest(filter.of.map((part) => certainty(part, known, sent)));
    case "not": {
      const inner = certainty(filter.of, known, sent);
      return inner === "maybe" ? "maybe" : inner === "yes" ? "no" : "yes";
    }
    case "in":
      return decide(known[filter.dimension], (value) => filter.values.includes(value));
    case "missing":
      return decide(known[filter.dimension], () => false);
    case "glob": {
      const { dimension, pattern } = filter;
      const isSent = dimension === "model" && sent !== null && globs(pattern, sent);
      return isSent ? "yes" : decide(known[dimension], (value) => globs(pattern, value));
    }
  }
}

function decide(value: string | undefined, holds: (value: string) => boolean): Certainty {
  if (value === undefined) return "maybe";
  return holds(value) ? "yes" : "no";
}

const least = (all: readonly Certainty[]): Certainty =>
  all.includes("no") ? "no" : all.includes("maybe") ? "maybe" : "yes";

const greatest = (all: readonly Certainty[]): Certainty =>
  all.includes("yes") ? "yes" : all.includes("maybe") ? "maybe" : "no";

/** The one value that a filter pins a dimension to, for every dimension that it pins; `and` only. */
export function pinned(filter: Filter | null): Population {
  if (filter === null) return {};
  if (filter.kind === "and") return Object.assign({}, ...filter.of.map(pinned));
  const [value, ...others] = filter.kind === "in" ? filter.values : [];
  return filter.kind === "in" && value !== undefined && others.length === 0 ? { [filter.dimension]: value } : {};
}

/** A filter as people write it; empty where there is none. */
export function filterText(filter: Filter | null): string {
  if (filter === null) return "";
  switch (filter.kind) {
    case "and":
    case "or":
      return filter.of.map((part) => nested(part)).join(` ${filter.kind} `);
    case "not":
      return `not ${nested(filter.of)}`;
    case "in": {
      const values = filter.values.map((value) => JSON.stringify(value));
      return values.length === 1
        ? `${filter.dimension} == ${values[0]}`
        : `${filter.dimension} in [${values.join(", ")}]`;
    }
    case "glob":
      return `${filter.dimension} matches ${JSON.stringify(filter.pattern)}`;
    case "missing":
      return `${filter.dimension} is missing`;
  }
}

const nested = (filter: Filter): string =>
  filter.kind === "and" || filter.kind === "or" ? `(${filterText(filter)})` : filterText(filter);
