/**
 * The scopes that a policy counts by together, such as tenant and feature: what a person can pause beside single scopes.
 * @module
 */
import type { Plan } from "./policy/plan.ts";

const known = new WeakMap<Plan, readonly (readonly string[])[]>();

/**
 * The distinct pairs, triples, ... of scopes, in the order that the vocabulary has: processes whose policies differ name
 * one gate alike. Found once per plan, which may hold 10,000 rules.
 */
export function combinationsOf(plan: Plan): readonly (readonly string[])[] {
  let found = known.get(plan);
  if (found === undefined) {
    const all = [...plan.meters.map(({ scopes }) => scopes), ...plan.rules.map(({ closes }) => closes)];
    const several = all.filter((scopes) => scopes.length > 1);
    found = Object.freeze([...new Map(several.map((scopes) => [scopes.join("."), scopes])).values()]);
    known.set(plan, found);
  }
  return found;
}
