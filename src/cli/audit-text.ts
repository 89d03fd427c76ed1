/**
 * An audit as people read it.
 * @module
 */
import { filterText } from "../policy/burn-filter.ts";
import type { BoundRow } from "../policy/burn-table.ts";
import { type BurnVerdict, measure } from "../policy/burn-verdict.ts";
import type { Audit, Audited } from "./audit.ts";
import { factorsOf, forEach, money, placeOf, reasonOf } from "./audit-factors.ts";
import { count } from "./phrases.ts";
import type { Colour, Paint } from "./terminal.ts";

/** The whole page. */
export function auditText({ plan, kinds, rows, idle }: Audit, paint: Paint): string {
  const head = `${paint("dim", "Policy")}  ${plan.files.join(", ")} (${count(plan.rules.length, "rule")}, ${plan.hash})`;
  const bounds =
    rows.length === 0 ? [] : ["", paint("bold", "What each rule lets go at most"), ...boundTable(rows, paint)];
  const loose = idle.slice(0, SHOWN).map(({ rule, why }) => `  ${rule.id} (${placeOf(rule)}) ${why}.`);
  return [
    head,
    ...kinds.flatMap((kind) => ["", ...kindLines(kind, paint)]),
    ...bounds,
    ...(loose.length === 0 ? [] : ["", paint("bold", "Rules that bound no money"), ...loose, ...more(idle.length)]),
    "",
    paint("dim", "Bounds hold for what is spent and held; a call under way may still end dearer than its estimate."),
  ].join("\n");
}

/** As many rules are shown to people; programs get them all. */
const SHOWN = 40;

const more = (amount: number): string[] =>
  amount > SHOWN ? [`  and ${count(amount - SHOWN, "rule")} more; --json tells of all.`] : [];

const colours: Readonly<Record<BurnVerdict, Colour>> = {
  genuine: "green",
  enforced: "green",
  "too loose": "yellow",
  "a prayer": "red",
  unbounded: "red",
};

function kindLines({ burn, budget, verdict, gaps }: Audited, paint: Paint): string[] {
  const { population, total, each, product } = burn;
  const whose = Object.entries(population).map(([dimension, value]) =>
    filterText({ kind: "in", dimension, values: [value] }),
  );
  const title = paint("bold", whose.length === 0 ? "Every call" : `Calls with ${whose.join(" and ")}`);
  if (burn.call === null) return [title, "  The policy refuses every model that has a price."];
  const factors = factorsOf(burn).map(({ name, text, rule, otherwise }) => [
    name,
    text,
    rule === null
      ? paint("yellow", otherwise === null ? "no rule" : `no rule: ${otherwise}`)
      : `${rule.id} (${placeOf(rule)})`,
  ]);
  const said =
    verdict === null ? paint("yellow", "needs --monthly-budget") : paint(colours[verdict], verdict.toUpperCase());
  const share =
    total === null || budget === null
      ? ""
      : `, ${shareText(total.nano / budget.nano)} of the month's ${money(budget.nano)} (${budget.source})`;
  return [
    title,
    ...aligned(factors).map((line) => `  ${line}`),
    ...(product === null
      ? []
      : [`  By the article's formula, which counts retries on top of iterations: ${money(product)}.`]),
    total === null
      ? `  ${paint("bold", "Max_Burn")}  no rule bounds all of it together: ${said}`
      : `  ${paint("bold", "Max_Burn")}  ${money(total.nano)}${share}: ${said}`,
    ...(total === null ? [] : [`            ${reasonOf(total)}`]),
    ...each.map(
      (one) => `            ${money(one.nano)}${forEach(one.scopes)}${alone(one.nano, budget)}: ${reasonOf(one)}`,
    ),
    ...(gaps.length === 0 ? [] : ["  No rule bounds:", ...aligned(gaps.map(gapCells)).map((line) => `    ${line}`)]),
  ];
}

/** What one of many would be called, were it all there is. */
const alone = (nano: number, budget: Audited["budget"]): string =>
  budget === null
    ? ""
    : ` (${shareText(nano / budget.nano)} of ${money(budget.nano)}: ${measure(nano, budget)}, if there were but one)`;

const gapCells = ({ factor, why, line }: Audited["gaps"][number]): string[] => [factor, why, line];

const shareText = (share: number): string => {
  const percents = share * 100;
  return `${percents >= 10 ? Math.round(percents).toLocaleString("en-US") : Number(percents.toPrecision(2))}%`;
};

const titles = ["AN HOUR", "A DAY", "11 DAYS", "A MONTH", "FOR EACH", "ENDS", "RULE"];

const ends: Readonly<Record<BoundRow["hold"], string>> = {
  run: "with the run",
  total: "for ever",
  final: "until resumed",
  rate: "reopens",
};

function boundTable(rows: readonly BoundRow[], paint: Paint): string[] {
  const cells = rows.slice(0, SHOWN).map((row) => {
    const { within } = row;
    const amounts =
      within === null
        ? ["", "", "", money(row.nano)]
        : [within.hour, within.day, within.elevenDays, within.month].map((nano) => money(nano));
    const marks = [
      row.only === null ? "" : `only calls with ${row.only}`,
      row.live ? "the store may keep other amounts" : "",
      row.derived ? "at the largest call" : "",
    ].filter((mark) => mark !== "");
    const rule = `${row.rule.id} (${placeOf(row.rule)})${marks.length === 0 ? "" : `; ${marks.join("; ")}`}`;
    return [...amounts, row.scopes.join(", ") || "everything", ends[row.hold], rule];
  });
  const widths = titles.map((title, at) => Math.max(title.length, ...cells.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (at < 4 ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join("  ")
      .trimEnd();
  const kinds = new Set(rows.map(({ hold }) => hold));
  return [
    `  ${paint("dim", line(titles))}`,
    ...cells.map((row) => `  ${line(row)}`),
    ...more(rows.length),
    ...(kinds.has("rate")
      ? [
          paint(
            "dim",
            "  `reopens`: bounds how fast money goes, not how much; nobody need do anything for it to go on.",
          ),
        ]
      : []),
    ...(kinds.has("final")
      ? [paint("dim", "  `until resumed`: what runs into it stops there for good; what stays just below it goes on.")]
      : []),
  ];
}

/** Columns as wide as their widest cell; the last one runs free. Painted cells come last or not at all. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, at) => Math.max(0, ...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) => (at === columns - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
