/**
 * Which rules the tests have put to work: each should have fired on one call, and let another one pass.
 * @module
 */
import type { Plan, Rule } from "./plan.ts";
import { onlyShapes, type Simulated } from "./simulate.ts";

export interface Coverage {
  /** Rules that fired in no test. */
  readonly neverFired: readonly Rule[];
  /** Rules that concerned no call that they let pass. */
  readonly neverPassed: readonly Rule[];
}

/** What the simulated calls of all tests leave untried. */
export function coverageOf(plan: Plan, calls: readonly Simulated[]): Coverage {
  const fired = new Set(calls.flatMap((call) => [...call.fired]));
  const passed = new Set(calls.flatMap((call) => plan.rules.filter((rule) => passes(rule, call)).map(({ id }) => id)));
  return Object.freeze({
    neverFired: plan.rules.filter(({ id }) => !fired.has(id)),
    neverPassed: plan.rules.filter(({ id }) => !passed.has(id)),
  });
}

/** Whether the rule was asked and did not fire. A rule that is all filter is asked by its filter. */
function passes(rule: Rule, { asked, judged, fired, outage }: Simulated): boolean {
  if (fired.has(rule.id)) return false;
  const { rules } = onlyShapes(rule) ? asked : judged;
  const matches = rules.some(({ id }) => id === rule.id);
  if (rule.flag === "store.down") return outage === null && matches;
  if (outage !== null && outage.kind !== "local") return false;
  return rule.conditions.length === 0 && rule.flag === null ? !matches : matches;
}
