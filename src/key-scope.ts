/**
 * Whether a policy looks at the API key of a call: only then is its name worth making.
 * @module
 */
import type { Filter, Plan } from "./policy/plan.ts";

const known = new WeakMap<Plan, boolean>();

/** True where a meter counts, a rule filters, or a limit is set by `key`; a rule closes only scopes that its meter counts by. */
export function wantsKey(plan: Plan): boolean {
  let wanted = known.get(plan);
  if (wanted === undefined) {
    wanted =
      plan.meters.some(({ scopes }) => scopes.includes("key")) ||
      plan.limits.some(({ by }) => by === "key") ||
      plan.rules.some(({ filter }) => filter !== null && names(filter));
    known.set(plan, wanted);
  }
  return wanted;
}

function names(filter: Filter): boolean {
  switch (filter.kind) {
    case "and":
    case "or":
      return filter.of.some(names);
    case "not":
      return names(filter.of);
    default:
      return filter.dimension === "key";
  }
}
