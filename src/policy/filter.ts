/**
 * Whose calls: a filter as written to a filter as data, and what can be said about filters without running them.
 * @module
 */
import type { FilterNode, MatchNode } from "./ast.ts";
import { type Context, refuse } from "./draft.ts";
import { names } from "./messages.ts";
import type { Filter } from "./plan.ts";
import { printPath } from "./print.ts";
import { rules } from "./rule-messages.ts";
import { closest } from "./suggest.ts";
import { scopes } from "./vocabulary.ts";

/** The filter as data, or null where any part of it is wrong; every part is reported. */
export function resolveFilter(node: FilterNode, context: Context): Filter | null {
  switch (node.kind) {
    case "And":
    case "Or": {
      const of = node.of.map((part) => resolveFilter(part, context)).filter((part) => part !== null);
      const kind = node.kind === "And" ? "and" : "or";
      return of.length === node.of.length ? Object.freeze({ kind, of: Object.freeze(of) }) : null;
    }
    case "Not": {
      const of = resolveFilter(node.of, context);
      return of === null ? null : Object.freeze({ kind: "not", of });
    }
    case "Compare": {
      const op = node.op.text === "=" ? "==" : node.op.text;
      if (node.amount.kind === "Ref" && (op === "==" || op === "!=")) {
        return refuse(context, rules.unquoted(node.span, printPath(node.path), op, node.amount.name.text));
      }
      return refuse(context, rules.numberInFilter(node.span));
    }
    case "Match":
      return resolveMatch(node, context);
  }
}

function resolveMatch(node: MatchNode, context: Context): Filter | null {
  const [first, second] = node.path;
  const value = node.values[0];
  if (first === undefined) return null;
  if (second !== undefined) return refuse(context, rules.onePath(node.span, printPath(node.path)));
  const dimension = first.text;
  const known = [...scopes.filter((scope) => scope !== "global"), ...context.names.dimensions];
  if (!known.includes(dimension)) {
    return refuse(context, names.dimension(first.span, dimension, closest(dimension, known)));
  }
  if (node.op === "=" && value !== undefined) {
    return refuse(context, rules.defines(node.span, dimension, `"${value.value}"`));
  }
  const starred = node.op === "matches" ? undefined : node.values.find((each) => each.value.includes("*"));
  if (starred !== undefined) {
    return refuse(context, rules.star(starred.span, node.op, dimension, `"${starred.value}"`));
  }
  if (node.op === "missing") return Object.freeze({ kind: "missing", dimension });
  if (node.op === "matches") return Object.freeze({ kind: "glob", dimension, pattern: value?.value ?? "" });
  const values = Object.freeze([...new Set(node.values.map((each) => each.value))]);
  const among: Filter = Object.freeze({ kind: "in", dimension, values });
  return node.op === "!=" ? Object.freeze({ kind: "not", of: among }) : among;
}

/** Both filters at once; null is no filter. */
export function both(a: Filter | null, b: Filter | null): Filter | null {
  if (a === null || b === null) return a ?? b;
  return Object.freeze({ kind: "and", of: Object.freeze([...conjuncts(a), ...conjuncts(b)]) });
}

/** The parts that must all hold, however they were grouped. */
export function conjuncts(filter: Filter | null): readonly Filter[] {
  if (filter === null) return [];
  return filter.kind === "and" ? filter.of.flatMap(conjuncts) : [filter];
}

/** Every dimension that the filter looks at. */
export function dimensionsOf(filter: Filter | null): readonly string[] {
  if (filter === null) return [];
  if (filter.kind === "not") return dimensionsOf(filter.of);
  return "of" in filter ? [...new Set(filter.of.flatMap(dimensionsOf))] : [filter.dimension];
}

/** The filter in the language's own words. */
export function filterText(filter: Filter): string {
  switch (filter.kind) {
    case "and":
    case "or":
      return filter.of
        .map((part) => (part.kind === "and" || part.kind === "or" ? `(${filterText(part)})` : filterText(part)))
        .join(` ${filter.kind} `);
    case "not":
      if (filter.of.kind === "in" && filter.of.values.length === 1)
        return `${filter.of.dimension} != "${filter.of.values[0]}"`;
      return filter.of.kind === "and" || filter.of.kind === "or"
        ? `not (${filterText(filter.of)})`
        : `not ${filterText(filter.of)}`;
    case "in":
      if (filter.values.length === 1) return `${filter.dimension} == "${filter.values[0]}"`;
      return `${filter.dimension} in [${filter.values.map((value) => `"${value}"`).join(", ")}]`;
    case "glob":
      return `${filter.dimension} matches "${filter.pattern}"`;
    case "missing":
      return `${filter.dimension} is missing`;
  }
}
