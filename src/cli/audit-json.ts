/**
 * An audit as a program reads it: dollars, and the place of every rule.
 * @module
 */
import type { Ceiling } from "../policy/burn.ts";
import { filterText } from "../policy/burn-filter.ts";
import { measure } from "../policy/burn-verdict.ts";
import type { Rule } from "../policy/plan.ts";
import type { Audit, Audited } from "./audit.ts";
import { factorsOf, placeOf, reasonOf, usd } from "./audit-factors.ts";

type Json = Readonly<Record<string, unknown>>;

/** `{kinds, rules, idle}`. */
export function auditJson({ kinds, rows, idle }: Audit): Json {
  return {
    kinds: kinds.map(kindJson),
    rules: rows.map(({ rule, scopes, window, nano, within, hold, only, live, derived }) => ({
      ...ruleJson(rule),
      each: scopes,
      window: window ?? "run",
      usd: usd(nano),
      hour: within === null ? null : usd(within.hour),
      day: within === null ? null : usd(within.day),
      eleven_days: within === null ? null : usd(within.elevenDays),
      month: within === null ? null : usd(within.month),
      hold,
      only,
      live,
      derived,
    })),
    idle: idle.map(({ rule, why }) => ({ ...ruleJson(rule), why })),
  };
}

const ruleJson = (rule: Rule): Json => ({ rule: rule.id, source: placeOf(rule), text: rule.text });

function kindJson({ burn, budget, verdict, gaps }: Audited): Json {
  const { total, each, product, month } = burn;
  const parts = Object.entries(burn.population).map(([dimension, value]) =>
    filterText({ kind: "in", dimension, values: [value] }),
  );
  return {
    calls: parts.length === 0 ? "every call" : parts.join(" and "),
    verdict,
    max_burn: total === null ? null : usd(total.nano),
    max_burn_by: total === null ? null : reasonOf(total),
    share: total === null || budget === null ? null : total.nano / budget.nano,
    monthly_budget: budget === null ? null : usd(budget.nano),
    monthly_budget_source: budget?.source ?? null,
    each: each.map((ceiling: Ceiling) => ({
      each: ceiling.scopes,
      usd: usd(ceiling.nano),
      verdict: budget === null ? null : measure(ceiling.nano, budget),
      by: reasonOf(ceiling),
    })),
    month: month === null ? null : usd(month.nano),
    article: product === null ? null : usd(product),
    factors: factorsOf(burn).map(({ name, value, text, rule, otherwise }) => ({
      factor: name,
      value,
      text,
      rule: rule?.id ?? null,
      source: rule === null ? null : placeOf(rule),
      otherwise,
    })),
    gaps,
  };
}
