/**
 * Whose calls a rule judges, in plain English: `a call whose feature is "research" and that names no tenant`.
 * @module
 */
import type { Filter } from "./plan.ts";

/** The filter as a relative clause behind `a call`, with a space before it; empty where there is none. */
export function relative(filter: Filter | null): string {
  if (filter === null) return "";
  const positive = settled(filter, true);
  if (positive.kind === "is") return ` ${positive.whose}`;
  const simple = positive.of.every(({ kind }) => kind === "is");
  if (simple) return ` ${list(positive.of.map(whose), positive.kind)}`;
  // Clauses in clauses: commas keep apart what the words alone would run together.
  return ` for which ${positive.of.map(inner).join(`, ${positive.kind} `)},`;
}

/** A filter without `not`: the opposite of a junction is the other junction of opposites. */
type Settled =
  | { readonly kind: "and" | "or"; readonly of: readonly Settled[] }
  | { readonly kind: "is"; readonly whose: string; readonly its: string };

function settled(filter: Filter, wanted: boolean): Settled {
  switch (filter.kind) {
    case "not":
      return settled(filter.of, !wanted);
    case "and":
    case "or": {
      const kind = (filter.kind === "and") === wanted ? "and" : "or";
      // `a and (b and c)` is one list.
      const of = filter.of
        .map((part) => settled(part, wanted))
        .flatMap((part) => (part.kind === kind ? part.of : part));
      return { kind, of };
    }
    case "in": {
      const values = filter.values.map((value) => JSON.stringify(value));
      if (wanted) return has(filter.dimension, `is ${list(values, "or")}`);
      return has(filter.dimension, values.length === 1 ? `is not ${values[0]}` : `is neither ${list(values, "nor")}`);
    }
    case "glob":
      return has(filter.dimension, `${wanted ? "matches" : "does not match"} ${JSON.stringify(filter.pattern)}`);
    case "missing": {
      const text = `names ${wanted ? "no" : "a"} ${filter.dimension}`;
      return { kind: "is", whose: `that ${text}`, its: `it ${text}` };
    }
  }
}

const has = (dimension: string, what: string): Settled => ({
  kind: "is",
  whose: `whose ${dimension} ${what}`,
  its: `its ${dimension} ${what}`,
});

const whose = (part: Settled): string => (part.kind === "is" ? part.whose : inner(part));

/** A part of a junction that has junctions in it. */
function inner(part: Settled): string {
  if (part.kind === "is") return part.its;
  const joined = list(part.of.map(inner), part.kind);
  return part.kind === "or" ? `either ${joined}` : part.of.length === 2 ? `both ${joined}` : `${joined} together`;
}

/** `a`, `a and b`, `a, b and c`. */
export function list(parts: readonly string[], word: string): string {
  const last = parts.at(-1) ?? "";
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(", ")} ${word} ${last}`;
}
