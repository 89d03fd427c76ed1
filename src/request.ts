/**
 * A plan and a call as the store is asked about them, and what is charged when the call is over.
 * @module
 */
import { type Bill, type Call, NONE, type Outcome } from "./call/call.ts";
import { type AskedGate, namesFor } from "./names.ts";
import { strictestStop } from "./policy/evaluate.ts";
import type { Condition, Metric, Plan, Rule } from "./policy/plan.ts";
import { figureOfCall } from "./policy/readings.ts";
import type { Charge, JudgeRequest, MeterAsk, Stop, Test } from "./store/store.ts";

/** A judge request, and what its gates stand for, in order. */
export interface Ask {
  readonly request: JudgeRequest;
  readonly gates: readonly AskedGate[];
}

/** What the store must know to judge this call by these rules. `enforce` false reads and holds, but stops nothing. */
export function askFor(plan: Plan, call: Call, rules: readonly Rule[], holdMs: number, enforce: boolean): Ask {
  const names = namesFor(plan, call.subject);
  const gates: AskedGate[] = [];
  const stops: Stop[] = [];
  if (enforce) {
    gates.push(...names.byHand);
    for (const rule of rules) {
      if (rule.shadow || rule.flag === "store.down") continue;
      const ending = strictestStop(rule.actions);
      if (ending === null) continue;
      let closes: Stop["closes"] = null;
      if (ending.kind === "deny for" || ending.kind === "pause") {
        closes = { gate: gates.length, ms: ending.kind === "pause" ? null : ending.ms };
        gates.push(names.gate(rule));
      }
      const tests = testsOf(rule, call);
      if (tests !== null) stops.push({ tests, closes });
    }
  }
  return {
    gates,
    request: {
      attempt: call.attempt,
      holdMs,
      meters: meterAsks(plan, call, names.meters),
      stops,
      gates,
      fingerprint: fingerprintKey(call),
      sdkRetry: call.sdkRetry,
    },
  };
}

/** What the call has really used, on every meter of the plan. */
export function chargesFor(plan: Plan, call: Call, bill: Bill, outcome: Outcome): readonly Charge[] {
  const failed = isFailure(outcome);
  const keys = namesFor(plan, call.subject).meters;
  return plan.meters.map(({ metric, window }, index) => {
    return { key: keys[index] ?? "", window, amount: charged(metric, bill, failed) };
  });
}

/** Runs share no fingerprints: the same question in another run is no repeat. */
export function fingerprintKey(call: Call): string | null {
  return call.fingerprint === null ? null : `${call.subject.run ?? NONE}|${call.fingerprint}`;
}

/** Whether the provider let the caller down; a caller who hangs up has not met an error. */
export const isFailure = (outcome: Outcome): boolean => outcome.kind !== "success" && outcome.kind !== "aborted";

/** The amounts of this call on every meter: what it holds, and what is charged if its process dies. */
function meterAsks(plan: Plan, call: Call, keys: readonly string[]): readonly MeterAsk[] {
  // A plan has many meters and few metrics.
  const amounts: Partial<Record<Metric, ReturnType<typeof held>>> = {};
  return plan.meters.map(({ metric, window }, index) => {
    amounts[metric] ??= held(metric, call);
    const { add, floor } = amounts[metric];
    return { key: keys[index] ?? "", window, add, floor };
  });
}

/** A million dollars, or as many tokens: more than any call can be worth, and still a number that ledgers add up exactly. */
const MOST = 1e15;

/** Whether a ledger can add up what a provider says was used. */
export const isPlausible = ({ cost, usage }: Bill): boolean =>
  [cost.total, usage.inputTokens, usage.outputTokens].every((amount) => amount >= 0 && amount <= MOST);

/**
 * The floor is what a process that dies mid-call has surely spent: the request itself, not the answer. Both are bounded,
 * because a request may ask for more than numbers hold, and what no ledger can add up would be judged by none.
 */
export function held(metric: Metric, call: Call): { readonly add: MeterAsk["add"]; readonly floor: number } {
  const { add, floor } = asked(metric, call);
  return { add: typeof add === "number" ? Math.min(add, MOST) : add, floor: Math.min(floor, MOST) };
}

function asked(metric: Metric, call: Call): { readonly add: MeterAsk["add"]; readonly floor: number } {
  switch (metric) {
    case "cost":
      return { add: call.cost.total, floor: call.cost.total - call.cost.output - call.cost.reasoning };
    case "tokens":
      return { add: call.inputTokens + call.outputTokens, floor: call.inputTokens };
    case "input_tokens":
      return { add: call.inputTokens, floor: call.inputTokens };
    case "output_tokens":
      return { add: call.outputTokens, floor: 0 };
    case "calls":
      return { add: 1, floor: 1 };
    case "retries":
      return { add: "retry", floor: 1 };
    case "repeats":
      return { add: "repeat", floor: 1 };
    case "errors":
      return { add: 0, floor: 0 };
    case "concurrency":
      return { add: 1, floor: 0 };
  }
}

function charged(metric: Metric, bill: Bill, failed: boolean): Charge["amount"] {
  switch (metric) {
    case "cost":
      return bill.cost.total;
    case "tokens":
      return bill.usage.inputTokens + bill.usage.outputTokens;
    case "input_tokens":
      return bill.usage.inputTokens;
    case "output_tokens":
      return bill.usage.outputTokens;
    case "calls":
      return 1;
    case "retries":
      return "retry";
    case "repeats":
      return "repeat";
    case "errors":
      return failed ? 1 : 0;
    case "concurrency":
      return 0;
  }
}

/** Tests of rules that ask the same of every call. */
const constant = new WeakMap<Rule, readonly Test[]>();

/** The tests that only the store can make; null where the call itself already shows that the rule cannot fire. */
function testsOf(rule: Rule, call: Call): readonly Test[] | null {
  const known = constant.get(rule);
  if (known !== undefined) return known;
  if (rule.flag === "call.unpriced" && !call.unpriced) return null;
  if (rule.flag === "call.unmetered" && call.spending !== "unmetered") return null;
  const tests: Test[] = [];
  for (const condition of rule.conditions) {
    const { reading } = condition;
    if (reading.kind === "meter" || reading.metric === "retries") tests.push(testOf(condition));
    else if (!exceeds(figureOfCall(call, reading.metric, 0), condition)) return null;
  }
  if (rule.flag === null && tests.length === rule.conditions.length) constant.set(rule, Object.freeze(tests));
  return tests;
}

function exceeds(figure: number, { op, limit }: Condition): boolean {
  if (limit.kind !== "fixed") return false;
  return op === ">=" ? figure >= limit.amount : figure > limit.amount;
}

function testOf({ reading, limit, op }: Condition): Test {
  const orEqual = op === ">=";
  if (reading.kind === "call") {
    return { kind: "attempt", limit: limit.kind === "fixed" ? limit.amount : 0, orEqual };
  }
  return limit.kind === "fixed"
    ? { kind: "fixed", meter: reading.meter, limit: limit.amount, orEqual }
    : { kind: "share", meter: reading.meter, of: limit.of, millionths: limit.millionths, orEqual };
}
