/**
 * A backtest as people read it.
 * @module
 */
import type { Only } from "../backtest/compare.ts";
import type { Refusals, RuleTally, Tally } from "../backtest/tally.ts";
import type { Plan } from "../policy/plan.ts";
import { money, placeOf } from "./audit-factors.ts";
import type { Backtested } from "./backtest.ts";
import { figure, lasting } from "./figures.ts";
import { count } from "./phrases.ts";
import type { Paint } from "./terminal.ts";

/** The whole page. */
export function backtestText(found: Backtested, paint: Paint): string {
  const { files, plan, tally, other, against } = found;
  const dim = (text: string): string => paint("dim", text);
  const period =
    tally.from === null || tally.to === null
      ? ""
      : ` from ${time(tally.from)} to ${time(tally.to)} (${lasting(tally.to - tally.from)})`;
  return [
    `${dim("Read   ")}  ${count(files.length, "file")}: ${calls(tally.calls)}${period}`,
    ...leftoverLines(found).map((line) => `         ${line}`),
    `${dim("Policy ")}  ${policyText(plan)}`,
    ...(tally.calls === 0
      ? ["", "No call was found that could be replayed."]
      : [...outcomeLines(tally, dim), "", ...ruleTable(tally, paint)]),
    ...(other === null || against === null || tally.calls === 0
      ? []
      : ["", ...againstLines(found, other, against, paint)]),
    ...(plan.limits.some(({ fromStore }) => fromStore)
      ? ["", dim("Limits that the store keeps are not read here: what the policy itself says counts.")]
      : []),
  ].join("\n");
}

const number = (amount: number): string => figure(amount, "count");
const calls = (amount: number): string => `${number(amount)} ${amount === 1 ? "call" : "calls"}`;
const time = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
const policyText = (plan: Plan): string =>
  `${plan.files.join(", ") || "none"} (${count(plan.rules.length, "rule")}, ${plan.hash})`;

function leftoverLines({ leftovers, duplicates, doubles, late }: Backtested): string[] {
  const told = [
    [leftovers.others, "pieces are no calls"],
    [duplicates, "duplicates were dropped"],
    [doubles, "spans tell of a call that another one tells of, and were dropped"],
    [late, "calls came too late to be sorted, and were replayed where they came"],
    ...[...leftovers.unusable].map(([why, amount]) => [amount, `could not be used: ${why}`] as const),
  ] as const;
  return told.filter(([amount]) => amount > 0).map(([amount, what]) => `${number(amount)} ${what}`);
}

function outcomeLines(tally: Tally, dim: (text: string) => string): string[] {
  const { recorded, spent, refused, harmed, firstAt, firstSpent, firstRule, from } = tally;
  const less = recorded - spent;
  const share = recorded > 0 ? ` (${Math.round((Math.abs(less) / recorded) * 100)}%)` : "";
  const change = less === 0 ? "the same" : `${money(Math.abs(less))}${share} ${less > 0 ? "less" : "more"}`;
  const good = harmed === 0 ? "" : `; ${number(harmed)} of them had succeeded and were neither retry nor repeat`;
  return [
    "",
    `${dim("Spent  ")}  ${money(recorded)} as recorded, ${money(spent)} under this policy: ${change}`,
    `${dim("Refused")}  ${number(refused)} of ${calls(tally.calls)}${good}`,
    ...(firstAt === null || from === null || firstRule === null
      ? []
      : [
          `${dim("First  ")}  ${time(firstAt)}, after ${lasting(firstAt - from)} and ${money(firstSpent ?? 0)}, by ${firstRule}`,
        ]),
    ...(tally.passedAnew === 0
      ? []
      : [
          `${dim("Let go ")}  ${calls(tally.passedAnew)} that the record shows as refused, charged at their estimate: ${money(tally.passedAnewCost)}`,
        ]),
    ...(tally.waitedMs === 0
      ? []
      : [`${dim("Waited ")}  ${lasting(tally.waitedMs)} in all, for room and before retries`]),
    ...(tally.shaped === 0 ? [] : [`${dim("Shaped ")}  routes and caps take ${money(tally.shaped)} off the bills`]),
  ];
}

/** As many rules are shown to people; programs get them all. */
const RULES = 40;

const titles = ["REFUSED", "SAVED", "GOOD CALLS", "FIRST", "SPENT BEFORE", "RULE"] as const;

function ruleTable(tally: Tally, paint: Paint): string[] {
  const rows = [...tally.rules.values()]
    .map((one) => ({ one, refusals: one.rule.shadow ? one.would : one.refused }))
    .sort((a, b) => b.refusals.calls - a.refusals.calls || b.refusals.saved - a.refusals.saved);
  const cells = rows.slice(0, RULES).map(({ one, refusals }) => [...refusalCells(refusals, tally.from), ruleCell(one)]);
  const widths = titles.map((title, at) => Math.max(title.length, ...cells.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => (at === titles.length - 1 ? cell : cell.padStart(widths[at] ?? 0))).join("  ");
  const more = rows.length > RULES ? [`and ${count(rows.length - RULES, "rule")} more; --json tells of all.`] : [];
  return [paint("dim", line(titles)), ...cells.map(line), ...more];
}

function refusalCells({ calls, saved, harmed, firstAt, spentBefore }: Refusals, from: number | null): string[] {
  if (calls === 0) return ["0", "", "", "", ""];
  const after = firstAt === null || from === null ? "" : `after ${lasting(firstAt - from)}`;
  return [number(calls), money(saved), number(harmed), after, spentBefore === null ? "" : money(spentBefore)];
}

function ruleCell({ rule, warned, held, delayed, routed, capped }: RuleTally): string {
  const also = [
    rule.shadow ? "in shadow: it would" : "",
    warned > 0 ? `warned ${number(warned)} times` : "",
    held > 0 ? `made ${calls(held)} wait` : "",
    delayed > 0 ? `delayed ${count(delayed, "retry").replace("retrys", "retries")}` : "",
    routed > 0 ? `routed ${calls(routed)}` : "",
    capped > 0 ? `capped ${calls(capped)}` : "",
  ].filter((text) => text !== "");
  return `${rule.id} (${placeOf(rule)})${also.length === 0 ? "" : `; ${also.join(", ")}`}`;
}

/** As many single calls are shown to people. */
const SHOWN = 5;

function againstLines(
  { tally }: Backtested,
  other: NonNullable<Backtested["other"]>,
  { tally: theirs, comparison }: NonNullable<Backtested["against"]>,
  paint: Paint,
): string[] {
  const difference = tally.spent - theirs.spent;
  const change =
    difference === 0
      ? "the same is spent"
      : `${money(Math.abs(difference))} ${difference < 0 ? "less" : "more"} is spent`;
  return [
    `${paint("bold", `Against ${other.name}`)}  ${policyText(other.plan)}`,
    `  There ${calls(theirs.refused)} are refused and ${money(theirs.spent)} spent. Under this policy ${change}; both refuse ${calls(comparison.both)}.`,
    ...onlyLines("Only this policy refuses", comparison.ours),
    ...onlyLines(`Only ${other.name} refuses`, comparison.theirs),
  ];
}

function onlyLines(title: string, { calls: amount, cost, rules, first }: Only): string[] {
  if (amount === 0) return [`  ${title} nothing.`];
  return [
    `  ${title} ${calls(amount)}, ${money(cost)}:`,
    ...[...rules]
      .sort(([, a], [, b]) => b.calls - a.calls)
      .map(([rule, found]) => `    ${rule}: ${calls(found.calls)}, ${money(found.cost)}`),
    ...first.slice(0, SHOWN).map(({ at, rule, cost: own, subject }) => {
      const whose = ["tenant", "feature", "run"].map((name) => `${name}=${subject[name] ?? ""}`).join(" ");
      return `      ${time(at)}  ${whose}  ${money(own)}  ${rule}`;
    }),
    ...(amount > SHOWN ? [`      and ${number(amount - SHOWN)} more`] : []),
  ];
}
