/**
 * `budget-guard check`: every diagnostic of the policy.
 * @module
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { findRoot, readConfig, unknownVariables } from "../config.ts";
import { loadSources, type Source, type Sources } from "../files.ts";
import { compile } from "../policy/compile.ts";
import { type Diagnostic, positionAt } from "../policy/diagnostics.ts";
import { exit, usageError } from "./exit.ts";
import { count } from "./phrases.ts";
import { show } from "./show.ts";
import type { Arguments, Verb, World } from "./verb.ts";

export const check: Verb = {
  name: "check",
  summary: "say what is wrong with the policy, if anything",
  usage: "[FILES...] [--strict] [--json]",
  about: [
    "Reads the policy (or the files and folders named) and prints every error, warning and note with its place.",
    "Files are read together: budgets and rules share one name space. Ends with 1 where there is an error.",
  ],
  options: {
    strict: { type: "boolean", help: "warnings fail, too" },
    json: {
      type: "boolean",
      help: "a list of {code, severity, message, file, line, column, endLine, endColumn, help}",
    },
  },
  examples: [
    ["npx budget-guard check", "the policy of this project"],
    ["npx budget-guard check policies/next.budget --strict", "one file, as a build step"],
    ["npx budget-guard check --json | jq '.[].message'", "for a program"],
  ],
  async run(given, world) {
    return judge(given, world);
  },
};

function judge({ values, words }: Arguments, { env, cwd, terminal }: World): number {
  const { out, err } = terminal;
  const { sources: asked, read } = words.length > 0 ? named(words, cwd) : configured(env, cwd, err.line);
  if (asked.length === 0) {
    if (values.json === true) out.line("[]");
    err.line("There is no policy: policies/ holds no *.budget file. Write one with `npx budget-guard init`.");
    return exit.findings;
  }
  const { plan, diagnostics, sources } = compile(asked, { read });
  if (values.json === true) {
    out.line(JSON.stringify(diagnostics.map(asJson(sources)), null, 2));
  } else {
    if (diagnostics.length > 0) out.line(`${show(diagnostics, sources, out.paint)}\n`);
    out.line(summary(diagnostics, sources.length, plan?.rules.length ?? null));
  }
  const failing = diagnostics.filter(
    ({ severity }) => severity === "error" || (values.strict === true && severity === "warning"),
  );
  return failing.length > 0 ? exit.findings : exit.fine;
}

/** Files and folders as written on the command line, from the working directory. */
function named(words: readonly string[], cwd: string): Sources {
  const paths = words.map((word) => resolve(cwd, word));
  const missing = words.filter((_, index) => !existsSync(paths[index] ?? ""));
  if (missing.length > 0) throw usageError(`There is no file or folder ${missing.join(", ")}.`, "check");
  return loadSources({ root: findRoot(cwd), policy: { paths, asked: true } });
}

/** The policy that the guard would read. The settings are read as well, so that a slip in them shows here. */
function configured(env: World["env"], cwd: string, say: (text: string) => void): Sources {
  for (const name of unknownVariables(env)) say(`${name} is read by nobody: is it misspelt?`);
  return loadSources(readConfig(env, cwd));
}

function asJson(sources: readonly Source[]): (diagnostic: Diagnostic) => Readonly<Record<string, unknown>> {
  const texts = new Map(sources.map(({ file, text }) => [file, text]));
  return ({ code, severity, message, file, span, help }) => {
    const text = texts.get(file) ?? "";
    const { line, column } = positionAt(text, span.start);
    const end = positionAt(text, span.end);
    return {
      code,
      severity,
      message,
      file,
      line,
      column,
      endLine: end.line,
      endColumn: end.column,
      help: help ?? null,
    };
  };
}

function summary(diagnostics: readonly Diagnostic[], files: number, rules: number | null): string {
  const found = (["error", "warning", "info"] as const)
    .map((severity) => ({ severity, amount: diagnostics.filter((one) => one.severity === severity).length }))
    .filter(({ amount }) => amount > 0)
    .map(({ severity, amount }) => count(amount, severity === "info" ? "note" : severity));
  const what = rules === null ? count(files, "file") : `${count(rules, "rule")} in ${count(files, "file")}`;
  const clean = rules === 0 ? "nothing is limited, calls are only counted" : "nothing to complain about";
  return `${what}: ${found.length === 0 ? clean : found.join(", ")}.`;
}
