/**
 * What one policy did to all recorded calls, rule by rule.
 * @module
 */
import type { Plan, Rule } from "../policy/plan.ts";
import type { Fired } from "../policy/verdict.ts";
import type { Fate } from "./simulate.ts";

/** What a rule that refuses, or would, did. Nano-dollars. */
export interface Refusals {
  calls: number;
  /** What the record shows that these calls cost. */
  saved: number;
  /** Calls among them that had succeeded and were neither retry nor repeat. */
  harmed: number;
  firstAt: number | null;
  /** What had been spent in all before the first of them. */
  spentBefore: number | null;
}

export interface RuleTally {
  readonly rule: Rule;
  /** Calls that it refused. */
  readonly refused: Refusals;
  /** Calls that it would have refused, were it not in shadow. */
  readonly would: Refusals;
  warned: number;
  /** Calls that it made wait for room, whether they went or not. */
  held: number;
  delayed: number;
  routed: number;
  capped: number;
}

export interface Tally {
  readonly rules: ReadonlyMap<string, RuleTally>;
  calls: number;
  refused: number;
  harmed: number;
  /** Calls that the record shows as refused, and that this policy lets go: they are charged at their estimate. */
  passedAnew: number;
  passedAnewCost: number;
  /** Nano-dollars: as recorded, and under this policy. */
  recorded: number;
  spent: number;
  /** What routes and caps took off the bills of calls that went. */
  shaped: number;
  waitedMs: number;
  firstAt: number | null;
  firstSpent: number | null;
  firstRule: string | null;
  /** When the record begins and ends, ms since 1970. */
  from: number | null;
  to: number | null;
}

/** A tally in which every rule of the plan has its place, also those that never speak. */
export function newTally(plan: Plan): Tally {
  const rules = new Map(plan.rules.filter(({ flag }) => flag !== "store.down").map((rule) => [rule.id, newRule(rule)]));
  const money = { passedAnewCost: 0, recorded: 0, spent: 0, shaped: 0 };
  const first = { firstAt: null, firstSpent: null, firstRule: null, from: null, to: null };
  return { rules, calls: 0, refused: 0, harmed: 0, passedAnew: 0, waitedMs: 0, ...money, ...first };
}

const newRule = (rule: Rule): RuleTally => ({
  rule,
  refused: noRefusals(),
  would: noRefusals(),
  warned: 0,
  held: 0,
  delayed: 0,
  routed: 0,
  capped: 0,
});

const noRefusals = (): Refusals => ({ calls: 0, saved: 0, harmed: 0, firstAt: null, spentBefore: null });

/** Counts one call. */
export function count(tally: Tally, fate: Fate): void {
  const { recorded, verdict, by } = fate;
  const told = recordedCost(fate);
  tally.calls += 1;
  tally.recorded += told;
  tally.from = Math.min(tally.from ?? recorded.at, recorded.at);
  tally.to = Math.max(tally.to ?? 0, recorded.at + recorded.tookMs);
  tally.waitedMs += fate.waitedMs + fate.backoffMs;
  if (by !== null) refuse(tally, fate, by);
  else {
    tally.spent += fate.bill.cost.total;
    if (recorded.refused) {
      tally.passedAnew += 1;
      tally.passedAnewCost += fate.bill.cost.total;
    } else tally.shaped += told - fate.bill.cost.total;
  }
  const of = (fired: Fired): RuleTally | undefined => tally.rules.get(fired.rule.id);
  const each = (all: readonly Fired[], kind: "warned" | "routed" | "capped" | "delayed"): void => {
    for (const fired of all) {
      const rule = of(fired);
      if (rule !== undefined) rule[kind] += 1;
    }
  };
  each(verdict.warnings, "warned");
  if (by === null) {
    each(fate.routed, "routed");
    each(fate.capped, "capped");
    each(
      verdict.waits.filter(({ action }) => action.kind === "backoff"),
      "delayed",
    );
  }
  for (const fired of fate.held) {
    const rule = of(fired);
    if (rule !== undefined) rule.held += 1;
  }
  for (const fired of verdict.shadows) {
    const rule = REFUSING.has(fired.action.kind) ? of(fired) : undefined;
    if (rule !== undefined) add(rule.would, fate);
  }
}

const REFUSING: ReadonlySet<string> = new Set(["deny", "deny for", "pause", "hold"]);

function refuse(tally: Tally, fate: Fate, by: Fired): void {
  tally.refused += 1;
  if (isGood(fate)) tally.harmed += 1;
  if (tally.firstAt === null) {
    tally.firstAt = fate.at;
    tally.firstSpent = fate.spentBefore;
    tally.firstRule = by.rule.id;
  }
  const rule = tally.rules.get(by.rule.id);
  if (rule !== undefined) add(rule.refused, fate);
}

function add(refusals: Refusals, fate: Fate): void {
  refusals.calls += 1;
  refusals.saved += recordedCost(fate);
  if (isGood(fate)) refusals.harmed += 1;
  refusals.firstAt ??= fate.at;
  refusals.spentBefore ??= fate.spentBefore;
}

/** Nano-dollars that the record shows; nothing for a call that was refused then. */
export const recordedCost = ({ recorded }: Pick<Fate, "recorded">): number =>
  recorded.refused ? 0 : recorded.bill.cost.total;

/** A call that bought something: it succeeded, and was neither retry nor repeat. */
const isGood = ({ recorded }: Fate): boolean =>
  !recorded.refused && recorded.outcome.kind === "success" && recorded.attemptNumber === 0 && !recorded.repeat;
