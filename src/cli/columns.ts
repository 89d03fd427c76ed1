/**
 * A table in a terminal: aligned columns under dim titles.
 * @module
 */
import type { Colour, Paint } from "./terminal.ts";

/** One line of a table. `colour` is that of its first cell. */
export interface Row {
  readonly cells: readonly string[];
  readonly colour?: Colour | undefined;
}

/** The lines of a table; columns of amounts stand to the right. Columns that hold nothing are left out. */
export function columns(titles: readonly string[], rows: readonly Row[], paint: Paint): string {
  const kept = titles.map((_, at) => at).filter((at) => rows.some(({ cells }) => (cells[at] ?? "") !== ""));
  const width = (at: number): number =>
    Math.max((titles[at] ?? "").length, ...rows.map(({ cells }) => (cells[at] ?? "").length));
  const widths = new Map(kept.map((at) => [at, width(at)]));
  const right = new Set(
    kept.filter((at) => rows.every(({ cells }) => /^(?:[-+]?\$?\d[\d,.]*%?|unlimited|)$/.test(cells[at] ?? ""))),
  );
  const cell = (text: string, at: number): string => {
    const wide = widths.get(at) ?? 0;
    return right.has(at) ? text.padStart(wide) : text.padEnd(wide);
  };
  const line = (cells: readonly string[], colour: Colour | undefined): string => {
    const [first = "", ...rest] = kept.map((at) => cell(cells[at] ?? "", at));
    return [colour === undefined ? first : paint(colour, first), ...rest].join("  ").trimEnd();
  };
  const head = kept.map((at) => cell(titles[at] ?? "", at)).join("  ");
  return [paint("dim", head.trimEnd()), ...rows.map(({ cells, colour }) => line(cells, colour))].join("\n");
}
