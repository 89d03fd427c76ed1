/**
 * The doctor's report as people read it.
 */
import type { Check, State } from "./doctor-check.ts";
import { count } from "./phrases.ts";
import type { Colour, Paint } from "./terminal.ts";

const headings: Readonly<Record<Check["area"], string>> = {
  program: "the program",
  process: "this process",
  settings: "settings and policy",
  store: "ledger",
  telemetry: "telemetry",
  copies: "copies of packages",
  clients: "clients, each tried against a server on this machine",
};

const words: Readonly<Record<State, readonly [text: string, colour: Colour]>> = {
  ok: ["ok  ", "green"],
  warn: ["warn", "yellow"],
  fail: ["FAIL", "red"],
};

/** All checks under their headings, names aligned, and a last line that sums up. */
export function doctorText(checks: readonly Check[], paint: Paint): string {
  const wide = Math.max(...checks.map(({ name }) => name.length));
  const indent = `\n${" ".repeat(wide + 10)}`;
  const line = ({ state, name, detail, advice }: Check): string => {
    const [text, colour] = words[state];
    const more =
      advice === undefined || state === "ok" ? "" : `${indent}${paint("dim", advice.replaceAll("\n", indent))}`;
    return `  ${paint(colour, text)}  ${name.padEnd(wide)}  ${detail.replaceAll("\n", indent)}${more}`;
  };
  const areas = [...new Set(checks.map(({ area }) => area))];
  const parts = areas.map((area) => {
    const lines = checks.filter((one) => one.area === area).map(line);
    return [paint("bold", headings[area]), ...lines].join("\n");
  });
  return [...parts, summary(checks, paint)].join("\n\n");
}

function summary(checks: readonly Check[], paint: Paint): string {
  const number = (state: State): number => checks.filter((one) => one.state === state).length;
  const [failures, warnings] = [number("fail"), number("warn")];
  const known = warnings === 0 ? "" : `, ${count(warnings, "thing")} to know`;
  if (failures > 0) return paint("red", `${count(failures, "thing")} not covered or not in order${known}.`);
  return paint("green", `Covered: ${count(checks.length - warnings, "check")} passed${known}.`);
}
