/**
 * A plan and a call as the store is asked about them, and what is charged when the call is over.
 * @module
 */
import { type Bill, type Call, NONE, type Outcome } from "./call/call.ts";
import { keptLimits, testsOf } from "./comparisons.ts";
import { type AskedGate, namesFor } from "./names.ts";
import { strictestStop } from "./policy/evaluate.ts";
import type { Metric, Plan, Rule } from "./policy/plan.ts";
import type { Charge, JudgeRequest, MeterAsk, Stop } from "./store/store.ts";

/** A judge request, and what its gates stand for, in order. */
export interface Ask {
  readonly request: JudgeRequest;
  readonly gates: readonly AskedGate[];
}

/**
 * What the store must know to judge this call by these rules. `enforce` false reads and holds, but stops nothing;
 * `yields` stops it whatever the meters say, because others have waited for longer.
 */
export function askFor(
  plan: Plan,
  call: Call,
  rules: readonly Rule[],
  holdMs: number,
  enforce: boolean,
  yields = false,
): Ask {
  const names = namesFor(plan, call.subject);
  const gates: AskedGate[] = [];
  const stops: Stop[] = [];
  const limits = keptLimits(plan, call, rules);
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
      const tests = testsOf(plan, rule, call, limits);
      if (tests !== null) stops.push({ tests, closes });
    }
    if (yields) stops.push(ALWAYS);
  }
  return {
    gates,
    request: {
      attempt: call.attempt,
      holdMs,
      meters: meterAsks(plan, call, names.meters),
      stops,
      gates,
      limits,
      run: runOf(call),
      fingerprint: fingerprintKey(call),
      sdkRetry: call.sdkRetry,
    },
  };
}

const ALWAYS: Stop = Object.freeze({ tests: Object.freeze([]), closes: null });

/**
 * What the call has really used, on every meter of the plan. `now`: the plan that is in force when the call ends; what
 * it counts beyond the other is charged too, so that no spend is lost between them.
 */
export function chargesFor(plan: Plan, call: Call, bill: Bill, outcome: Outcome, now = plan): readonly Charge[] {
  const failed = isFailure(outcome);
  const charges = (of: Plan): Charge[] => {
    const keys = namesFor(of, call.subject).meters;
    return of.meters.map(({ metric, window }, index) => {
      return { key: keys[index] ?? "", window, amount: charged(metric, bill, failed) };
    });
  };
  const own = charges(plan);
  if (now === plan) return own;
  const known = new Set(own.map(({ key }) => key));
  return [...own, ...charges(now).filter(({ key }) => !known.has(key))];
}

/** The run of a call, as the ledger counts runs. */
export const runOf = (call: Call): string => call.subject.run ?? NONE;

/**
 * Runs share no fingerprints: the same question in another run is no repeat. Joined, it is one text in memory, where a
 * ledger may keep it for a day; a template would keep its pieces.
 */
export function fingerprintKey(call: Call): string | null {
  return call.fingerprint === null ? null : [runOf(call), call.fingerprint].join("|");
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
    case "runs":
      // Seen is seen: nothing is left to be charged if the process dies.
      return { add: "run", floor: 0 };
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
    case "runs":
      return "run";
  }
}
