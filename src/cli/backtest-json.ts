/**
 * A backtest as a program reads it: dollars, counts, times in ISO 8601.
 * @module
 */
import type { Only } from "../backtest/compare.ts";
import type { Refusals, Tally } from "../backtest/tally.ts";
import type { Plan } from "../policy/plan.ts";
import { placeOf, usd } from "./audit-factors.ts";
import type { Backtested } from "./backtest.ts";

type Json = Readonly<Record<string, unknown>>;

/** `{files, policy, calls, spent, refused, rules, against, leftovers}`. */
export function backtestJson({ files, plan, tally, against, other, leftovers, ...rest }: Backtested): Json {
  return {
    files,
    ...policyJson(plan, tally),
    against:
      against === null || other === null
        ? null
        : {
            name: other.name,
            ...policyJson(other.plan, against.tally),
            both_refuse: against.comparison.both,
            only_this: onlyJson(against.comparison.ours),
            only_other: onlyJson(against.comparison.theirs),
            spent_difference: usd(tally.spent - against.tally.spent),
          },
    leftovers: {
      other_spans: leftovers.others,
      duplicates: rest.duplicates,
      doubles: rest.doubles,
      late: rest.late,
      unusable: Object.fromEntries(leftovers.unusable),
    },
  };
}

const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
const usdOrNull = (nano: number | null): number | null => (nano === null ? null : usd(nano));

const policyJson = (plan: Plan, tally: Tally): Json => ({
  policy: { files: plan.files, hash: plan.hash },
  from: iso(tally.from),
  to: iso(tally.to),
  calls: tally.calls,
  recorded: usd(tally.recorded),
  spent: usd(tally.spent),
  refused: tally.refused,
  harmed: tally.harmed,
  passed_anew: { calls: tally.passedAnew, estimated: usd(tally.passedAnewCost) },
  shaped: usd(tally.shaped),
  waited_seconds: tally.waitedMs / 1_000,
  first_refusal:
    tally.firstAt === null
      ? null
      : { at: iso(tally.firstAt), spent_before: usdOrNull(tally.firstSpent), rule: tally.firstRule },
  rules: [...tally.rules.values()].map(({ rule, refused, would, warned, held, delayed, routed, capped }) => ({
    rule: rule.id,
    source: placeOf(rule),
    shadow: rule.shadow,
    refused: refused.calls,
    ...refusalsJson(refused),
    would_refuse: rule.shadow ? { calls: would.calls, ...refusalsJson(would) } : null,
    warned,
    held,
    delayed,
    routed,
    capped,
  })),
});

const refusalsJson = ({ saved, harmed, firstAt, spentBefore }: Refusals): Json => ({
  saved: usd(saved),
  harmed,
  first_at: iso(firstAt),
  spent_before: usdOrNull(spentBefore),
});

const onlyJson = ({ calls, cost, rules, first }: Only): Json => ({
  calls,
  cost: usd(cost),
  rules: [...rules].map(([rule, found]) => ({ rule, calls: found.calls, cost: usd(found.cost) })),
  first: first.map((one) => ({ ...one, at: iso(one.at), cost: usd(one.cost) })),
});
