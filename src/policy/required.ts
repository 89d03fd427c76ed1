import { NONE } from "../call/call.ts";
import type { Filter } from "./plan.ts";

/** What a matching call must have in one dimension: one of the values, or a value that begins with one of the prefixes. */
export interface Required {
  readonly dimension: string;
  readonly values: readonly string[];
  /** None of them is empty. */
  readonly prefixes: readonly string[];
}

/** What every call has that the filter matches: an index can be made of it. Null where no one dimension tells. */
export function requiredOf(filter: Filter): Required | null {
  switch (filter.kind) {
    case "in":
      return { dimension: filter.dimension, values: filter.values, prefixes: [] };
    case "missing":
      return { dimension: filter.dimension, values: [NONE], prefixes: [] };
    case "glob":
      return ofPattern(filter.dimension, filter.pattern);
    case "and":
      return filter.of.map(requiredOf).reduce(narrower, null);
    case "or":
      return anyOf(filter.of.map(requiredOf));
    case "not":
      return null;
  }
}

function ofPattern(dimension: string, pattern: string): Required | null {
  const star = pattern.indexOf("*");
  if (star === -1) return { dimension, values: [pattern], prefixes: [] };
  return star === 0 ? null : { dimension, values: [], prefixes: [pattern.slice(0, star)] };
}

/** A value picks fewer calls than a prefix, and few pick fewer than many. */
function narrower(a: Required | null, b: Required | null): Required | null {
  if (a === null || b === null) return a ?? b;
  return rank(b) < rank(a) ? b : a;
}

const rank = ({ values, prefixes }: Required): number => values.length + prefixes.length * 1_000;

function anyOf(parts: readonly (Required | null)[]): Required | null {
  const values = new Set<string>();
  const prefixes = new Set<string>();
  let dimension: string | null = null;
  for (const part of parts) {
    if (part === null || (dimension !== null && part.dimension !== dimension)) return null;
    dimension = part.dimension;
    for (const value of part.values) values.add(value);
    for (const prefix of part.prefixes) prefixes.add(prefix);
  }
  return dimension === null ? null : { dimension, values: [...values], prefixes: [...prefixes] };
}
