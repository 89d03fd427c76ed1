/**
 * Policy text to a plan: parse, collect names, check, lint, number the meters, freeze.
 * In: the text of all files. Out: a plan, or null where any of it has an error, and everything there is to say.
 * @module
 */
import { createHash } from "node:crypto";
import { checkRules } from "./check.ts";
import type { Diagnostic, Source } from "./diagnostics.ts";
import { type Finding, finding, syntax } from "./finding.ts";
import { loadFiles, type ReadFile } from "./imports.ts";
import { lint } from "./lint.ts";
import { makePlan } from "./make-plan.ts";
import type { Models } from "./models.ts";
import { collectNames } from "./names.ts";
import type { Plan } from "./plan.ts";
import { zoneOf } from "./zones.ts";

export interface Compiled {
  /** Null where there is any error. */
  readonly plan: Plan | null;
  /** By file and position. */
  readonly diagnostics: readonly Diagnostic[];
  /** Every policy file that was read, imported ones last. */
  readonly sources: readonly Source[];
  /**
   * Every file that the result depends on, as shown to people: policies, tables of limits, and files that were looked for
   * in vain. Said of a failed compile, too: a watcher watches these.
   */
  readonly files: readonly string[];
}

export type { ReadFile } from "./imports.ts";
export type { Models } from "./models.ts";

export interface CompileOptions {
  /** What is known of models, for what `route to` names; without it nothing is said about them. */
  readonly models?: Models;
  /** Reads a file that a policy names, relative to the file that names it; without it imports and limit files are errors. */
  readonly read?: ReadFile;
}

/** Diagnostics of one file and severity that are worth reading; a generated policy may have the same slip in each line. */
const MOST = 200;

const andMore = ({ severity, span }: Finding): Finding =>
  finding(severity, "more")(span, `there are more than ${MOST} of these in this file`, "correct the others first");

/** Compiles a set of policy files; their order means nothing. */
export function compile(named: readonly Source[], { models, read }: CompileOptions = {}): Compiled {
  const diagnostics: Diagnostic[] = [];
  const counts = new Map<string, number>();
  const report = (file: string, finding: Finding): void => {
    const kind = `${finding.severity} ${file}`;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    if (count <= MOST) diagnostics.push(Object.freeze({ ...finding, file }));
    else if (count === MOST + 1) diagnostics.push(Object.freeze({ ...andMore(finding), file }));
  };
  const { files: loaded, missing } = loadFiles(named, read, report);
  const sources = loaded.map(({ file, text }): Source => Object.freeze({ file, text }));
  const files = loaded.map(({ file, text, statements, broken }) => {
    const line = lines(text);
    const timezone = zoneOf(statements, (finding) => report(file, finding));
    return { file, statements, broken, line, timezone, place: (offset: number) => `${file}:${line(offset)}` };
  });
  const tables = new Map<string, string>();
  const seen = (file: string, text: string | null): void => {
    if (text === null) missing.push(file);
    else tables.set(file, text);
  };
  const names = collectNames(files, { read, report, seen });
  const rules = checkRules({ files, names, models: models ?? null }, report);
  const budgets = [...names.budgets.values()].filter((budget) => budget !== null);
  const limits = [...names.limits.values()].filter((limit) => limit !== null);
  const failed = diagnostics.some(({ severity }) => severity === "error");
  // With errors about, a rule that seems missing may only be broken: lints would mislead.
  if (!failed) {
    lint({ rules, budgets, limits, order: sources.map(({ file }) => file), models: models ?? null }, report);
  }
  const fileOrder = new Map(sources.map(({ file }, index) => [file, index]));
  diagnostics.sort(
    (a, b) => (fileOrder.get(a.file) ?? 0) - (fileOrder.get(b.file) ?? 0) || a.span.start - b.span.start,
  );
  const dependencies = [...sources.map(({ file }) => file), ...tables.keys()];
  const texts = (): string[] => [...sources.map(({ text }) => text), ...tables.values()];
  return {
    plan: failed ? null : makePlan(rules, budgets, limits, names, { files: dependencies, hash: hashOf(texts()) }),
    diagnostics,
    sources,
    files: Object.freeze([...new Set([...dependencies, ...missing])]),
  };
}

/** The diagnostic for a policy that could not be read at all. */
export const unreadable = (file: string, why: string): Diagnostic => ({
  ...syntax({ start: 0, end: 0 }, `this file cannot be read: ${why}`),
  file,
});

function hashOf(texts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const text of [...texts].sort()) hash.update(`${text.length}:`).update(text);
  return hash.digest("hex").slice(0, 12);
}

/** The line of an offset, found by halving. */
function lines(text: string): (offset: number) => number {
  const starts: number[] = [];
  return function line(offset) {
    if (starts.length === 0) {
      starts.push(0);
      for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
    }
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}
