/**
 * What Max_Burn says of a policy, measured by the budget of a month.
 * @module
 */
import type { Burn } from "./burn.ts";
import { boundsFor } from "./burn-bounds.ts";
import { type Population, pinned } from "./burn-filter.ts";
import type { NamedBudget, Plan } from "./plan.ts";

/**
 * The article's words: over the whole monthly budget it is a prayer, over a tenth of it too loose, under a hundredth
 * genuine. Between a hundredth and a tenth it has no word: `enforced`. `unbounded`: no rule bounds it at all.
 */
export type BurnVerdict = "genuine" | "enforced" | "too loose" | "a prayer" | "unbounded";

/** What a month may cost, and who says so. */
export interface MonthlyBudget {
  readonly nano: number;
  /** For people: `budget research`, `--monthly-budget`. */
  readonly source: string;
}

/** Judges a Max_Burn by the budget of a month; null where it is bounded and there is no budget to measure it by. */
export function verdictOf(burn: Burn, budget: MonthlyBudget | null): BurnVerdict | null {
  if (burn.call === null) return "genuine";
  if (burn.total === null) return "unbounded";
  if (budget === null) return null;
  return measure(burn.total.nano, budget);
}

/** The article's word for so much of a month's budget. */
export function measure(nano: number, budget: MonthlyBudget): Exclude<BurnVerdict, "unbounded"> {
  if (nano > budget.nano) return "a prayer";
  if (nano * 10 > budget.nano) return "too loose";
  return nano * 100 < budget.nano ? "genuine" : "enforced";
}

/** Every call, and each kind of calls that the policy names a monthly budget for. */
export function populationsOf(
  plan: Plan,
): readonly { readonly population: Population; readonly budget: MonthlyBudget | null }[] {
  const found = new Map<string, { population: Population; budget: MonthlyBudget | null }>();
  found.set("{}", { population: {}, budget: globalBudget(plan) });
  for (const rule of plan.rules) {
    const population = identity(pinned(rule.filter));
    const key = JSON.stringify(population);
    if (key === "{}") continue;
    for (const { budget: name } of rule.conditions) {
      const named = plan.budgets.find((budget) => budget.name === name);
      const own = named === undefined ? null : monthly(plan, named, Object.keys(population));
      if (own === null) continue;
      const before = found.get(key)?.budget;
      if (before === undefined || before === null || own.nano < before.nano)
        found.set(key, { population, budget: own });
    }
  }
  return [...found.values()];
}

/** Models come and go in one run; a budget of one is no budget of some calls. */
function identity({ model: _model, provider: _provider, ...rest }: Population): Population {
  return rest;
}

/** A named budget in money over a month, of all calls or of values that are known. */
function monthly(plan: Plan, { name, meter, limit }: NamedBudget, known: readonly string[]): MonthlyBudget | null {
  const counted = plan.meters[meter];
  if (counted?.metric !== "cost" || counted.window.kind !== "monthly" || limit.kind !== "fixed") return null;
  if (counted.scopes.some((scope) => !known.includes(scope))) return null;
  return { nano: limit.amount, source: `budget ${name}` };
}

function globalBudget(plan: Plan): MonthlyBudget | null {
  const filtered = new Set(
    plan.rules
      .filter(({ filter }) => filter !== null)
      .flatMap(({ conditions }) => conditions.map(({ budget }) => budget)),
  );
  const named = plan.budgets
    .filter(({ name }) => !filtered.has(name))
    .flatMap((budget) => monthly(plan, budget, []) ?? [])
    .sort((a, b) => a.nano - b.nano);
  if (named[0] !== undefined) return named[0];
  const [bound] = boundsFor(plan, {})
    .filter(({ metric, window, scopes }) => metric === "cost" && window.kind === "monthly" && scopes.length === 0)
    .sort((a, b) => a.amount - b.amount);
  return bound === undefined ? null : { nano: bound.amount, source: bound.rule.text };
}
