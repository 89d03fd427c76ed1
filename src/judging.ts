/**
 * One call before the store: judged and held there, or, while it is away, as `store.down` says.
 * @module
 */
import type { Call, Subject } from "./call/call.ts";
import { resolved } from "./comparisons.ts";
import { readGateKey } from "./keys.ts";
import { evaluate, type Readings } from "./policy/evaluate.ts";
import type { Condition, Plan, Rule } from "./policy/plan.ts";
import { type Outage, whenStoreDown } from "./policy/store-down.ts";
import { type Fired, stops, type Verdict } from "./policy/verdict.ts";
import { type Ask, askFor } from "./request.ts";
import { StoreDown } from "./store/down.ts";
import type { FallbackStore } from "./store/fallback.ts";
import type { Judgement } from "./store/store.ts";
import type { Log } from "./telemetry/log.ts";

export interface JudgingOptions {
  readonly store: FallbackStore;
  readonly plan: Plan;
  readonly holdMs: number;
  /** False in shadow mode: everything is read and held, nothing is stopped. */
  readonly enforce: boolean;
  /** With no `store.down` rule: refuse while the store is away. */
  readonly strict: boolean;
  /** The share of spending limits for this process alone, in millionths. */
  readonly localMillionths: number;
  readonly log: Log;
}

export interface Judged {
  readonly verdict: Verdict;
  /** What the verdict was made from; null where no store judged. */
  readonly readings: Readings | null;
  /** True where the call's amounts are held and must be settled. */
  readonly held: boolean;
  /** The store's clock at the judgement; null where no store judged. */
  readonly at: number | null;
  readonly attemptNumber: number;
  readonly repeat: boolean;
  /** What the run stood at: calls with this one, nano-dollars without it; null where no meter of the plan counts it. */
  readonly run: { readonly calls: number | null; readonly cost: number | null };
  /** True where the store is away. */
  readonly degraded: boolean;
}

/**
 * Asks the store whether the call may go, and says in the policy's words what it answered. `yields`: others have waited
 * for longer, so that nothing is held for this one even where there is room.
 */
export async function judge(
  options: JudgingOptions,
  call: Call,
  rules: readonly Rule[],
  yields = false,
): Promise<Judged> {
  const { store, plan, enforce } = options;
  const ask = askFor(plan, call, rules, options.holdMs, enforce, yields);
  let judgement: Judgement;
  try {
    judgement = await store.judge(ask.request);
  } catch (error) {
    // A ledger that answers nonsense (a damaged file) is as good as away: a call must not pass unjudged for it.
    if (!(error instanceof StoreDown)) options.log.error(`the ledger failed: ${told(error)}`);
    return judgeAlone(options, call, rules, ask, StoreDown.from(store.name, error));
  }
  return judged(options, call, rules, ask, judgement, false);
}

async function judgeAlone(
  options: JudgingOptions,
  call: Call,
  rules: readonly Rule[],
  ask: Ask,
  why: StoreDown,
): Promise<Judged> {
  const named = rules.some((rule) => rule.flag === "store.down" && !rule.shadow);
  const way: Outage = named || !options.strict ? whenStoreDown(rules, call) : { kind: "deny", fired: strictly(why) };
  const unjudged = {
    readings: null,
    held: false,
    at: null,
    attemptNumber: call.sdkRetry ?? 0,
    repeat: false,
    run: { calls: null, cost: null },
    degraded: true,
  };
  if (way.kind === "deny") {
    return { ...unjudged, verdict: { ...ALLOWED, kind: "deny", decided: way.fired } };
  }
  if (way.kind === "allow") return { ...unjudged, verdict: ALLOWED };
  const share = rules.map((rule) => alone(rule, options.plan, call.subject, options.localMillionths));
  const result = judged(options, call, share, ask, await options.store.local.judge(ask.request), true);
  const { decided } = result.verdict;
  if (decided === null || (!stops(result.verdict) && result.verdict.kind !== "hold")) return result;
  const saying = (fired: Fired): Fired => ({
    ...fired,
    message: `${fired.message} ${shareSentence(options.localMillionths)}`,
  });
  const { waits } = result.verdict;
  return { ...result, verdict: { ...result.verdict, decided: saying(decided), waits: waits.map(saying) } };
}

const shareSentence = (millionths: number): string =>
  `The ledger is away, and until it is back one process may spend ${millionths / 10_000}% of a limit.`;

const ALLOWED: Verdict = Object.freeze({ kind: "allow", decided: null, warnings: [], waits: [], shadows: [] });

function judged(
  { plan }: JudgingOptions,
  call: Call,
  rules: readonly Rule[],
  ask: Ask,
  judgement: Judgement,
  degraded: boolean,
): Judged {
  const readings = readingsOf(ask, judgement);
  return {
    verdict: evaluate(plan, call, rules, readings),
    readings,
    held: judgement.held,
    at: judgement.now,
    attemptNumber: judgement.attemptNumber,
    repeat: judgement.repeat,
    run: runOf(plan, judgement),
    degraded,
  };
}

function runOf(plan: Plan, { readings }: Judgement): Judged["run"] {
  const of = (id: string): Judgement["readings"][number] | undefined =>
    readings[plan.meters.findIndex((meter) => meter.id === id)];
  const [calls, cost] = [of("run.calls"), of("run.cost")];
  return {
    calls: calls === undefined ? null : calls.spent + calls.held + calls.add,
    cost: cost === undefined ? null : cost.spent + cost.held,
  };
}

/** What the store answered, by rule instead of by place in the request. */
function readingsOf({ gates, request }: Ask, judgement: Judgement): Readings {
  const closed = new Map<string, { readonly since: number; readonly until: number | null }>();
  const byHand: Readings["byHand"][number][] = [];
  judgement.closed.forEach((gate, index) => {
    const asked = gates[index];
    if (gate === null || asked === undefined) return;
    const { since, until } = gate;
    if (asked.kind === "rule") closed.set(asked.rule, { since, until });
    else byHand.push({ scope: readGateKey(asked.key).scope, since, until });
  });
  const limits = new Map<string, number>();
  judgement.limits.forEach((amount, index) => {
    const key = request.limits[index];
    if (amount !== null && key !== undefined) limits.set(key, amount);
  });
  const { now, readings: meters, attemptNumber } = judgement;
  return { now, meters, attemptNumber, closed, byHand, limits };
}

const told = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const SHARED = new Set(["cost", "tokens", "input_tokens", "output_tokens"]);

/** The rule with the limits that the local store judges by, so that the refusal names the figures that decided. */
function alone(rule: Rule, plan: Plan, subject: Subject, millionths: number): Rule {
  const part = (amount: number): number => Math.floor((amount * millionths) / 1_000_000);
  const scale = (condition: Condition): Condition => {
    const meter = condition.reading.kind === "meter" ? plan.meters[condition.reading.meter] : undefined;
    if (meter === undefined || !SHARED.has(meter.metric)) return condition;
    if (meter.window.kind === "run" || meter.scopes.includes("run")) return condition;
    const limit = resolved(plan, condition.limit, subject);
    if (limit.kind === "fixed") return { ...condition, limit: { kind: "fixed", amount: part(limit.amount) } };
    if (limit.kind === "named") return { ...condition, limit: { ...limit, millionths: part(limit.millionths) } };
    return condition;
  };
  return { ...rule, conditions: rule.conditions.map(scale) };
}

/** What refuses a call where the deployment, not the policy, wants no call without a ledger. */
function strictly(why: StoreDown): Fired {
  const action = { kind: "deny", message: null } as const;
  return {
    rule: {
      id: "store.strict",
      text: "store.down -> deny",
      doc: null,
      file: "budget-guard.json",
      line: 1,
      shadow: false,
      conditions: [],
      flag: "store.down",
      filter: null,
      actions: [action],
      closes: [],
    },
    action,
    figures: null,
    closed: null,
    message: `${why.message}, and "store": {"strict": true} in budget-guard.json lets no call go without it.`,
  };
}
