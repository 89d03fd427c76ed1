/**
 * What every rule had to say to one call: whether it concerns it, what it read, how much room there was.
 * In: a simulated call. Out: one report a rule, in the order of the plan.
 * @module
 */
import { type Call, NONE } from "../call/call.ts";
import { list } from "./explain-filter.ts";
import { meterPath } from "./explain-path.ts";
import { globs } from "./match.ts";
import type { Condition, Filter, Plan, Rule } from "./plan.ts";
import { type Closed, figuresOf } from "./readings.ts";
import { type Moment, onlyShapes, type Simulated } from "./simulate.ts";
import { UNKNOWN_MODEL } from "./simulate-call.ts";
import type { Figures } from "./verdict.ts";

/** One condition and what it compared. Amounts: nano-dollars for cost, else counts. */
export interface ConditionReport {
  readonly condition: Condition;
  /** What is measured, as a policy names it: `tenant.hourly`, `call.cost`. */
  readonly path: string;
  readonly figures: Figures;
  /** Spent and held by others, and what this call adds. */
  readonly total: number;
  /** How much more would have fitted; below zero where it is over. Infinite without a limit. */
  readonly headroom: number;
}

export interface RuleReport {
  readonly rule: Rule;
  /** Whether the rule's filter holds for the call. */
  readonly matches: boolean;
  /** Why the filter does not hold, or the flag is down; null where neither is so. */
  readonly why: string | null;
  readonly conditions: readonly ConditionReport[];
  /** Set where the rule had closed its scope before this call: then it stops it whatever it reads. */
  readonly closed: Closed | null;
  readonly fired: boolean;
}

/** Every rule of the plan and what it made of the call. */
export function explainCall(plan: Plan, simulated: Simulated): readonly RuleReport[] {
  return plan.rules.map((rule) => explainOne(plan, rule, simulated));
}

/** One rule and what it made of the call. */
export function explainOne(plan: Plan, rule: Rule, simulated: Simulated): RuleReport {
  const moment = onlyShapes(rule) ? simulated.asked : simulated.judged;
  const matches = moment.rules.some(({ id }) => id === rule.id);
  const fired = simulated.fired.has(rule.id);
  const flag = fired ? null : downFlag(rule, moment);
  return Object.freeze({
    rule,
    matches,
    why: matches || rule.filter === null ? flag : mismatch(rule.filter, moment.call),
    closed: matches && fired ? (moment.readings.closed.get(rule.id) ?? null) : null,
    conditions: matches ? rule.conditions.map((condition) => compared(condition, plan, moment)) : [],
    fired,
  });
}

function compared(condition: Condition, plan: Plan, { call, readings }: Moment): ConditionReport {
  const figures = figuresOf(condition, plan, call, readings);
  const total = figures.spent + figures.held + figures.estimate;
  const meter = condition.reading.kind === "meter" ? plan.meters[condition.reading.meter] : undefined;
  const path = meter === undefined ? figures.meter : meterPath(meter);
  return Object.freeze({ condition, path, figures, total, headroom: figures.limit - total });
}

function downFlag({ flag }: Rule, { call }: Moment): string | null {
  if (flag === "store.down") return "the store can be reached";
  if (flag === "call.unmetered") return "the call can be metered";
  if (flag !== "call.unpriced") return null;
  return call.modelAsSent === UNKNOWN_MODEL ? "the call names no model" : `the price of ${call.modelAsSent} is known`;
}

/** Why a filter does not hold for a call: the comparisons that fail; null where it holds. */
export function mismatch(filter: Filter, call: Call): string | null {
  const { holds, because } = look(filter, call);
  return holds ? null : because;
}

interface Look {
  readonly holds: boolean;
  /** What makes it so. */
  readonly because: string;
}

function look(filter: Filter, call: Call): Look {
  switch (filter.kind) {
    case "not": {
      const { holds, because } = look(filter.of, call);
      return { holds: !holds, because };
    }
    case "and":
    case "or": {
      const parts = filter.of.map((part) => look(part, call));
      const holds = filter.kind === "and" ? parts.every((part) => part.holds) : parts.some((part) => part.holds);
      // Those that agree with the whole are the reason for it.
      const because = parts.filter((part) => part.holds === holds).map((part) => part.because);
      return { holds, because: list((filter.kind === "and") === holds ? because : because.slice(0, 1), "and") };
    }
    default:
      return single(filter, call);
  }
}

function single(filter: Exclude<Filter, { readonly of: unknown }>, call: Call): Look {
  const value = call.subject[filter.dimension] ?? NONE;
  const is =
    value === NONE ? `the call names no ${filter.dimension}` : `${filter.dimension} is ${JSON.stringify(value)}`;
  if (filter.kind === "missing") return { holds: value === NONE, because: is };
  if (filter.kind === "in") {
    const holds = filter.values.includes(value);
    const wanted = list(
      filter.values.map((one) => JSON.stringify(one)),
      "or",
    );
    return { holds, because: holds || value === NONE ? is : `${is}, not ${wanted}` };
  }
  const holds =
    globs(filter.pattern, value) || (filter.dimension === "model" && globs(filter.pattern, call.modelAsSent));
  return { holds, because: holds ? is : `${is}, which does not match ${JSON.stringify(filter.pattern)}` };
}
