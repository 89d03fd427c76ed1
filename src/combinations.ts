/**
 * The scopes that a policy counts by together, such as tenant and feature: what a person can pause beside single scopes.
 * @module
 */
import type { Plan } from "./policy/plan.ts";

const known = new WeakMap<Plan, readonly (readonly string[])[]>();

/** The distinct pairs, triples, ... of scopes, each in one order; found once per plan, which may hold 10,000 rules. */
export function combinationsOf(plan: Plan): readonly (readonly string[])[] {
  let found = known.get(plan);
  if (found === undefined) {
    // Meters have one order for the same scopes in any policy: processes whose policies differ name one gate alike.
    const several = [...plan.meters.map(({ scopes }) => scopes), ...plan.rules.map(({ closes }) => closes)].filter(
      (scopes) => scopes.length > 1,
    );
    const distinct = new Map<string, readonly string[]>();
    for (const scopes of several) {
      const name = [...scopes].sort().join(".");
      if (!distinct.has(name)) distinct.set(name, scopes);
    }
    found = Object.freeze([...distinct.values()]);
    known.set(plan, found);
  }
  return found;
}
