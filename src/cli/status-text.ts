/**
 * A status as a table for people.
 * @module
 */

import { timeText } from "../policy/words.ts";
import type { ClosedStatus, LimitStatus, MeterStatus, Status } from "../status.ts";
import { figure, lasting, percent } from "./figures.ts";
import { count, scopeWords } from "./phrases.ts";
import type { Colour, Paint } from "./terminal.ts";

/** The whole page; `now` in ms since 1970. */
export function statusText(status: Status, now: number, paint: Paint): string {
  const { policy, meters, idle, closed } = status;
  const files = policy === null ? "none found: nothing is limited" : policy.files.join(", ");
  const size = policy === null ? "" : ` (${count(policy.rules, "rule")}, ${policy.hash})`;
  return [
    `${paint("dim", "Store ")}  ${status.store}`,
    `${paint("dim", "Policy")}  ${files}${size}`,
    `${paint("dim", "Mode  ")}  ${status.mode}`,
    "",
    ...(meters.length === 0 ? ["Nothing has been spent yet."] : table(meters, now, paint)),
    ...(idle.length > 0 && meters.length > 0 ? ["", `${paint("dim", "Nothing spent on:")} ${idle.join(", ")}`] : []),
    ...(closed.length > 0
      ? ["", paint("bold", "Closed:"), ...closed.flatMap((gate) => gateLines(gate, now, paint))]
      : []),
  ].join("\n");
}

const titles = ["USED", "METER", "SUBJECT", "SPENT", "HELD", "LIMIT", "RESETS", "RULE"] as const;
/** Columns of figures stand to the right. */
const right = new Set([0, 3, 4, 5]);

interface Row {
  readonly cells: readonly string[];
  readonly colour: Colour | null;
}

function table(meters: readonly MeterStatus[], now: number, paint: Paint): string[] {
  const rows = meters.flatMap((meter) => rowsOf(meter, now));
  const widths = titles.map((title, at) => Math.max(title.length, ...rows.map(({ cells }) => cells[at]?.length ?? 0)));
  const line = (cells: readonly string[]): string[] =>
    cells.map((cell, at) => (right.has(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)));
  return [
    paint("dim", line(titles).join("  ").trimEnd()),
    ...rows.map(({ cells, colour }) => {
      const [used = "", ...rest] = line(cells);
      return [colour === null ? used : paint(colour, used), ...rest].join("  ").trimEnd();
    }),
  ];
}

/** One row for the limit that counts, and one for each further limit, which leaves the meter's own cells empty. */
function rowsOf(meter: MeterStatus, now: number): Row[] {
  const { unit, limits } = meter;
  const resets = meter.resets_at === null ? "" : until(Date.parse(meter.resets_at), now);
  const [first, ...others] = limits;
  const own = [meter.meter, subject(meter), figure(meter.spent, unit), figure(meter.held, unit)];
  const head = first === undefined ? { used: "", limit: "no limit", rule: "" } : limitCells(first, unit);
  return [
    { cells: [head.used, ...own, head.limit, resets, head.rule], colour: first === undefined ? null : colourOf(first) },
    ...others.map((other) => {
      const { used, limit, rule } = limitCells(other, unit);
      return { cells: [used, "", "", "", "", limit, "", rule], colour: colourOf(other) };
    }),
  ];
}

function limitCells({ used, limit, by, ...rule }: LimitStatus, unit: string) {
  const none = by === undefined ? "unlimited" : `by ${by}`;
  return {
    used: used === null ? "" : percent(used),
    limit: limit === null ? none : figure(limit, unit),
    rule: ruleText(rule),
  };
}

/** A rule without a label is its own text; a label alone would not say what happens beyond the limit. */
function ruleText({ rule, action, shadow }: Pick<LimitStatus, "rule" | "action" | "shadow">): string {
  return rule.includes("->") ? rule : `${shadow ? "shadow " : ""}${rule} -> ${action}`;
}

const colourOf = ({ used }: LimitStatus): Colour =>
  (used ?? 0) >= 1 ? "red" : (used ?? 0) >= 0.8 ? "yellow" : "green";

const subject = ({ scope }: MeterStatus): string =>
  Object.entries(scope)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ") || "everything";

const until = (at: number, now: number): string =>
  at > now ? `${timeText(at, now)} (in ${lasting(at - now)})` : timeText(at, now);

function gateLines({ rule, scope, kind, since, until: end, stale }: ClosedStatus, now: number, paint: Paint): string[] {
  const by = rule === null ? "by hand" : `by "${rule}"${stale ? " (a rule that this policy no longer holds)" : ""}`;
  const opens = end === null ? "until someone resumes it" : `until ${until(Date.parse(end), now)}`;
  const name = scopeWords(scope);
  return [
    `  ${paint("red", kind.padEnd(7))}  ${name}  ${by}, since ${timeText(Date.parse(since), now)}, ${opens}`,
    `           ${paint("dim", `npx budget-guard resume ${name}`)}`,
  ];
}
