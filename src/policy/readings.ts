/**
 * What conditions compare: the state of every meter as the store read it, and this call's own figures.
 * @module
 */
import { type Call, NONE } from "../call/call.ts";
import { entitlementOf } from "./entitlement.ts";
import { windowText } from "./meter.ts";
import type { Condition, Limit, Plan } from "./plan.ts";
import type { Figures } from "./verdict.ts";

export interface Readings {
  /** The store's clock, ms since 1970. */
  readonly now: number;
  /** By index of the plan's meters: the state before this call, and what this call would add. */
  readonly meters: readonly MeterState[];
  /** 0 for a first attempt. */
  readonly attemptNumber: number;
  /** Gates that rules had closed before this call, by rule id. */
  readonly closed: ReadonlyMap<string, Closed>;
  /** Gates that people closed, as far as they concern this call. */
  readonly byHand: readonly (Closed & { readonly scope: Readonly<Record<string, string>> })[];
  /** Limits that the store keeps for this call's subject, by `limitKey`; infinite where they are `unlimited`. */
  readonly limits: ReadonlyMap<string, number>;
}

export interface MeterState {
  readonly spent: number;
  /** Held by others. */
  readonly held: number;
  readonly add: number;
  readonly resetsAt: number | null;
}

/** Times in ms since 1970; `until` null: until someone opens it. */
export interface Closed {
  readonly since: number;
  readonly until: number | null;
}

const NOTHING: MeterState = Object.freeze({ spent: 0, held: 0, add: 0, resetsAt: null });

const WHOLE = 1_000_000;

export const stateOf = (readings: Pick<Readings, "meters">, meter: number): MeterState =>
  readings.meters[meter] ?? NOTHING;

/** What a meter would stand at with this call. */
export const reached = ({ spent, held, add }: MeterState): number => spent + held + add;

/** This call's own figure: nano-dollars, tokens, or its attempt number. */
export function figureOfCall(call: Call, metric: string, attemptNumber: number): number {
  switch (metric) {
    case "cost":
      return call.cost.total;
    case "tokens":
      return call.inputTokens + call.outputTokens;
    case "input_tokens":
      return call.inputTokens;
    case "output_tokens":
      return call.outputTokens;
    default:
      return attemptNumber;
  }
}

/** Whether the condition is over its limit, with this call counted in. */
export function holds(
  { reading, op, limit }: Condition,
  plan: Pick<Plan, "limits">,
  call: Call,
  readings: Readings,
): boolean {
  const left =
    reading.kind === "meter"
      ? reached(stateOf(readings, reading.meter))
      : figureOfCall(call, reading.metric, readings.attemptNumber);
  if (limit.kind === "fixed") return op === ">=" ? left >= limit.amount : left > limit.amount;
  // Both sides in millionths, so that nothing is divided and nothing is rounded.
  const right = limit.millionths * wholeOf(limit, plan, call, readings);
  return op === ">=" ? left * WHOLE >= right : left * WHOLE > right;
}

/** What a share is taken of: all calls of a window, or what the call's subject is entitled to. */
function wholeOf(
  limit: Exclude<Limit, { kind: "fixed" }>,
  plan: Pick<Plan, "limits">,
  { subject }: Pick<Call, "subject">,
  readings: Pick<Readings, "meters" | "limits">,
): number {
  return limit.kind === "share"
    ? reached(stateOf(readings, limit.of))
    : entitlementOf(plan, limit.limit, subject, readings.limits);
}

/** The limit as an amount of what the condition measures; infinite where there is none. */
export function limitAmount(
  limit: Limit,
  plan: Pick<Plan, "limits">,
  call: Pick<Call, "subject">,
  readings: Pick<Readings, "meters" | "limits">,
): number {
  if (limit.kind === "fixed") return limit.amount;
  return Math.floor((limit.millionths * wholeOf(limit, plan, call, readings)) / WHOLE);
}

/** The figures of a condition for people and spans. */
export function figuresOf({ reading, limit }: Condition, plan: Plan, call: Call, readings: Readings): Figures {
  const meter = reading.kind === "meter" ? plan.meters[reading.meter] : undefined;
  if (reading.kind === "call" || meter === undefined) {
    const metric = reading.kind === "call" ? reading.metric : "cost";
    const estimate = figureOfCall(call, metric, readings.attemptNumber);
    const own = { spent: 0, held: 0, estimate, limit: limitAmount(limit, plan, call, readings), resetsAt: null };
    return Object.freeze({ meter: `call.${metric}`, metric, scope: Object.freeze({}), window: null, ...own });
  }
  const { spent, held, add, resetsAt } = stateOf(readings, reading.meter);
  return Object.freeze({
    meter: meter.id,
    metric: meter.metric,
    scope: scopeOf(meter.scopes, call),
    window: meter.window.kind === "run" ? "run" : windowText(meter.window),
    spent,
    held,
    estimate: add,
    limit: limitAmount(limit, plan, call, readings),
    resetsAt,
  });
}

/** The call's values of these scopes. */
export const scopeOf = (scopes: readonly string[], call: Pick<Call, "subject">): Readonly<Record<string, string>> =>
  Object.freeze(Object.fromEntries(scopes.map((scope) => [scope, call.subject[scope] ?? NONE])));
