/**
 * The conditions of a rule as the store compares them: with fixed amounts, shares of other meters, or limits that it keeps.
 * @module
 */
import type { Call, Subject } from "./call/call.ts";
import { entitlementOf, keptKeys } from "./policy/entitlement.ts";
import type { Condition, Limit, Plan, Rule } from "./policy/plan.ts";
import { figureOfCall } from "./policy/readings.ts";
import type { Test } from "./store/store.ts";

const WHOLE = 1_000_000;
const NOTHING_KEPT: ReadonlyMap<string, number> = new Map();

/** Tests of rules that ask the same of every call. */
const constant = new WeakMap<Rule, readonly Test[]>();

/** The keys of all limits that the store may keep and these rules ask for, each once. */
export function keptLimits(plan: Plan, call: Call, rules: readonly Rule[]): readonly string[] {
  if (!plan.limits.some(({ fromStore }) => fromStore)) return NONE_KEPT;
  const keys = new Set<string>();
  for (const { conditions } of rules) {
    for (const { limit } of conditions) {
      if (limit.kind !== "named") continue;
      for (const key of keptKeys(plan, limit.limit, call.subject)) keys.add(key);
    }
  }
  return Object.freeze([...keys]);
}

const NONE_KEPT: readonly string[] = Object.freeze([]);

/**
 * The tests that only the store can make; null where the call itself already shows that the rule cannot fire. `limits`:
 * the keys that the request names.
 */
export function testsOf(plan: Plan, rule: Rule, call: Call, limits: readonly string[]): readonly Test[] | null {
  const known = constant.get(rule);
  if (known !== undefined) return known;
  if (rule.flag === "call.unpriced" && !call.unpriced) return null;
  if (rule.flag === "call.unmetered" && call.spending !== "unmetered") return null;
  const tests: Test[] = [];
  for (const condition of rule.conditions) {
    const test = testOf(plan, condition, call, limits);
    if (test === "never") return null;
    if (test !== "always") tests.push(test);
  }
  const same = rule.conditions.every(({ reading, limit }) => {
    return limit.kind !== "named" && (reading.kind === "meter" || reading.metric === "retries");
  });
  if (rule.flag === null && same) constant.set(rule, Object.freeze(tests));
  return tests;
}

/**
 * A named limit as an amount where no store needs to be asked for it, whole; infinite where there is none. Other limits,
 * and shares of named ones, stay as they are: they are compared in millionths by store and evaluator alike.
 */
export function resolved(plan: Plan, limit: Limit, subject: Subject): Limit {
  if (limit.kind !== "named" || keptKeys(plan, limit.limit, subject).length > 0) return limit;
  const amount = entitlementOf(plan, limit.limit, subject, NOTHING_KEPT);
  return limit.millionths === WHOLE || amount === Number.POSITIVE_INFINITY ? { kind: "fixed", amount } : limit;
}

function testOf(
  plan: Plan,
  { reading, limit: given, op }: Condition,
  call: Call,
  limits: readonly string[],
): Test | "always" | "never" {
  const orEqual = op === ">=";
  const limit = resolved(plan, given, call.subject);
  if (limit.kind === "fixed" && limit.amount === Number.POSITIVE_INFINITY) return "never";
  const own = reading.kind === "call" && reading.metric !== "retries" ? figureOfCall(call, reading.metric, 0) : null;
  if (limit.kind === "named") {
    const keys = keptKeys(plan, limit.limit, call.subject);
    const otherwise = entitlementOf(plan, limit.limit, call.subject, NOTHING_KEPT);
    const endless = otherwise === Number.POSITIVE_INFINITY;
    if (own !== null && keys.length === 0) {
      return above(own * WHOLE, otherwise * limit.millionths, orEqual) ? "always" : "never";
    }
    return {
      kind: "kept",
      left: leftOf(reading, own),
      limits: keys.map((key) => limits.indexOf(key)),
      otherwise: endless ? null : otherwise,
      millionths: limit.millionths,
      orEqual,
    };
  }
  if (own !== null) {
    return limit.kind === "fixed" && above(own, limit.amount, orEqual) ? "always" : "never";
  }
  if (reading.kind === "call") {
    return { kind: "attempt", limit: limit.kind === "fixed" ? limit.amount : 0, orEqual };
  }
  return limit.kind === "fixed"
    ? { kind: "fixed", meter: reading.meter, limit: limit.amount, orEqual }
    : { kind: "share", meter: reading.meter, of: limit.of, millionths: limit.millionths, orEqual };
}

type Left = Extract<Test, { kind: "kept" }>["left"];

function leftOf(reading: Condition["reading"], own: number | null): Left {
  if (reading.kind === "meter") return { kind: "meter", meter: reading.meter };
  return own === null ? { kind: "attempt" } : { kind: "amount", amount: own };
}

const above = (figure: number, limit: number, orEqual: boolean): boolean =>
  orEqual ? figure >= limit : figure > limit;
