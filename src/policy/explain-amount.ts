/**
 * How much, in plain English: `95% of the research budget ($5,700)`, `the plan's quota ($5 for "free", else $1)`.
 * @module
 */
import { callsOf, scopeNoun } from "./explain-subject.ts";
import { PERCENT } from "./number.ts";
import type { Condition, Entitlement, NamedLimit, Plan } from "./plan.ts";
import { amountText } from "./words.ts";

/** `$50`, `$0.50`, `200,000`: nano-dollars for `cost`, else a count. */
export const plainAmount = (metric: string, amount: number): string =>
  Number.isFinite(amount) ? amountText(metric, amount).replace(/^(\$[\d,]+)\.00$/, "$1") : "unlimited";

/** The limit of a condition. */
export function limitPhrase({ limit, budget, text, reading }: Condition, plan: Plan): string {
  const meter = reading.kind === "meter" ? plan.meters[reading.meter] : undefined;
  const metric = meter?.metric ?? (reading.kind === "call" ? reading.metric : "cost");
  if (limit.kind === "share") {
    const calls = plan.meters[limit.of];
    return `${limit.millionths / PERCENT}% of ${calls === undefined ? "all calls" : callsOf(calls)}`;
  }
  const share = limit.kind === "named" ? limit.millionths / PERCENT : percentIn(text);
  const portion = share === null || share === 100 ? "" : `${share}% of `;
  if (limit.kind === "named") {
    const named = plan.limits[limit.limit];
    return named === undefined ? "its limit" : `${portion}${namedPhrase(named, plan)}`;
  }
  const amount = plainAmount(metric, limit.amount);
  if (budget !== null) return `${portion}the ${budget} budget (${amount})`;
  const rate = rateIn(text);
  return rate === null ? amount : `a rate of ${rate} (${amount})`;
}

/** `the plan's quota ($5 for "free", $200 for "pro", else $1)`. */
function namedPhrase(named: NamedLimit, plan: Plan): string {
  const metric = named.unit === "money" ? "cost" : named.unit;
  return `${scopeNoun(named.by)}'s ${named.name} (${rows(named, plan, metric)})`;
}

/** More rows than this are counted instead of told. */
const MOST_ROWS = 5;

function rows(named: NamedLimit, plan: Plan, metric: string): string {
  const told = [...named.rows].map(
    ([value, given]) => `${entitlement(given, plan, metric)} for ${JSON.stringify(value)}`,
  );
  const table = told.length > MOST_ROWS ? [`a table of ${told.length}`] : told;
  const source = named.fromStore ? ["as the store keeps it"] : table;
  return [...source, `else ${entitlement(named.otherwise, plan, metric)}`].join(", ");
}

function entitlement(given: Entitlement, plan: Plan, metric: string): string {
  if (given.kind === "unlimited") return "no limit";
  if (given.kind === "amount") return plainAmount(metric, given.amount);
  const other = plan.limits[given.limit];
  return other === undefined ? "no limit" : `${scopeNoun(other.by)}'s ${other.name}: ${rows(other, plan, metric)}`;
}

/** The percentage that the author wrote, null where there is none. */
function percentIn(text: string): number | null {
  const [, digits] = /([\d_.]+)%/.exec(text) ?? [];
  return digits === undefined ? null : Number(digits.replaceAll("_", ""));
}

const perNames: Readonly<Record<string, string>> = {
  ms: "millisecond",
  s: "second",
  m: "minute",
  h: "hour",
  d: "day",
  w: "week",
};

/** `$500 an hour` where the author wrote a rate, else null. */
function rateIn(text: string): string | null {
  const [, amount, per = ""] = /(\$[\d_.]+[KMB]?)\/([a-z]+)/.exec(text) ?? [];
  const name = perNames[per];
  if (amount === undefined || name === undefined) return null;
  return `${amount.replaceAll("_", "")} ${name === "hour" ? "an" : "a"} ${name}`;
}

/** `1st`, `2nd`, `3rd`, `11th`. */
export function ordinal(n: number): string {
  const tens = n % 100;
  const ending = tens >= 11 && tens <= 13 ? "th" : ({ 1: "st", 2: "nd", 3: "rd" }[n % 10] ?? "th");
  return `${n}${ending}`;
}
