/**
 * `budget-guard check`: every diagnostic of the policy and its tests.
 * @module
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Config, findRoot, readConfig, unknownVariables } from "../config.ts";
import { loadSources, type Source } from "../files.ts";
import { loadModels } from "../known-models.ts";
import { compile } from "../policy/compile.ts";
import { type Diagnostic, positionAt } from "../policy/diagnostics.ts";
import { parseSuite } from "../policy/syntax.ts";
import { version } from "../version.ts";
import { annotations } from "./annotations.ts";
import { exit, usageError } from "./exit.ts";
import { count } from "./phrases.ts";
import { relativeTo } from "./place.ts";
import { isSuite, policyFilesAt, readText } from "./policy-files.ts";
import { sarif } from "./sarif.ts";
import { show } from "./show.ts";
import type { Terminal } from "./terminal.ts";
import type { Arguments, Verb, World } from "./verb.ts";

const formats = ["text", "json", "sarif", "github"] as const;
type Format = (typeof formats)[number];

export const check: Verb = {
  name: "check",
  summary: "say what is wrong with the policy, if anything",
  usage: "[FILES...] [--strict] [--format FORMAT]",
  about: [
    "Reads the policy and its tests (or the files and folders named) and prints every error, warning and note with its",
    "place. Files are read together: budgets and rules share one name space. Of *.test.budget files only the syntax is",
    "checked; `budget-guard test` runs them. Ends with 1 where there is an error.",
  ],
  options: {
    strict: { type: "boolean", help: "warnings fail, too" },
    format: {
      type: "string",
      value: "FORMAT",
      help: "text, json, sarif (SARIF 2.1.0, for code scanning) or github (annotations of a GitHub Actions run)",
    },
    json: {
      type: "boolean",
      help: "a list of {code, severity, message, file, line, column, endLine, endColumn, help}; short for --format json",
    },
  },
  examples: [
    ["npx budget-guard check", "the policy of this project"],
    ["npx budget-guard check policies/next.budget --strict", "one file, as a build step"],
    ["npx budget-guard check --json | jq '.[].message'", "for a program"],
    ["npx budget-guard check --format sarif > budget.sarif", "for code scanning"],
  ],
  async run(given, world) {
    return await judge(given, world);
  },
};

/** What was read, and what there is to say about it. */
interface Judged {
  readonly root: string;
  readonly sources: readonly Source[];
  readonly diagnostics: readonly Diagnostic[];
  /** Null where the policy has an error. */
  readonly rules: number | null;
  readonly policies: number;
  readonly suites: number;
  readonly tests: number;
}

async function judge({ values, words }: Arguments, { env, cwd, terminal, clock }: World): Promise<number> {
  const format = formatOf(values);
  const { err } = terminal;
  const config = words.length > 0 ? named(words, env, cwd) : configured(env, cwd, err.line);
  const judged = await read(config, clock);
  report({ ...judged, format }, env, terminal);
  if (judged.sources.length === 0) {
    err.line("There is no policy: policies/ holds no *.budget file. Write one with `npx budget-guard init`.");
    return exit.findings;
  }
  const failing = judged.diagnostics.filter(
    ({ severity }) => severity === "error" || (values.strict === true && severity === "warning"),
  );
  return failing.length > 0 ? exit.findings : exit.fine;
}

function formatOf({ format, json }: Arguments["values"]): Format {
  if (format === undefined) return json === true ? "json" : "text";
  const known = formats.find((one) => one === format);
  if (known === undefined) throw usageError(`There is no format ${format}; there are ${formats.join(", ")}.`, "check");
  if (json === true && known !== "json")
    throw usageError(`--json and --format ${known} contradict each other.`, "check");
  return known;
}

type Wanted = Pick<Config, "root" | "policy" | "prices">;

/** Files and folders as written on the command line, from the working directory. */
function named(words: readonly string[], env: World["env"], cwd: string): Wanted {
  const paths = words.map((word) => resolve(cwd, word));
  const missing = words.filter((_, index) => !existsSync(paths[index] ?? ""));
  if (missing.length > 0) throw usageError(`There is no file or folder ${missing.join(", ")}.`, "check");
  // Prices are the project's, the policy is not: what the variable names does not matter here.
  const { prices } = readConfig({ ...env, BUDGET_GUARD_POLICY: undefined }, cwd);
  return { root: findRoot(cwd), policy: { paths, asked: true }, prices };
}

/** The policy that the guard would read. The settings are read as well, so that a slip in them shows here. */
function configured(env: World["env"], cwd: string, say: (text: string) => void): Wanted {
  for (const name of unknownVariables(env)) say(`${name} is read by nobody: is it misspelt?`);
  return readConfig(env, cwd);
}

async function read({ root, policy, prices }: Wanted, clock: World["clock"]): Promise<Judged> {
  const policies = policy.paths.filter((path) => !isSuite(path));
  const { sources: given, read: readFile } = loadSources({ root, policy: { ...policy, paths: policies } });
  const models = await loadModels(prices, clock);
  const compiled = compile(given, { models, read: readFile });
  const diagnostics = [...compiled.diagnostics];
  const sources = [...compiled.sources];
  const suites = [...new Set(policy.paths.flatMap(policyFilesAt).filter(isSuite))];
  const nameOf = relativeTo(root, root);
  let tests = 0;
  for (const path of suites) {
    const source = { file: nameOf(path), text: readText(path) };
    const suite = parseSuite(source.text);
    sources.push(source);
    diagnostics.push(...suite.findings.map((finding) => ({ ...finding, file: source.file })));
    tests += suite.tests.length;
  }
  return {
    ...{ root, sources, diagnostics, tests, suites: suites.length },
    rules: compiled.plan?.rules.length ?? null,
    policies: compiled.sources.length,
  };
}

function report(judged: Judged & { readonly format: Format }, env: World["env"], { out, err }: Terminal): void {
  const { format, diagnostics, sources, root } = judged;
  // Of a checkout, paths are told from its top, wherever in it the project lies.
  const locate = relativeTo(env.GITHUB_WORKSPACE ?? root, root);
  const lines: Readonly<Record<Format, () => readonly string[]>> = {
    text: () => (diagnostics.length === 0 ? [] : [`${show(diagnostics, sources, out.paint)}\n`]),
    json: () => [JSON.stringify(diagnostics.map(asJson(sources)), null, 2)],
    sarif: () => [JSON.stringify(sarif(diagnostics, sources, locate, version()), null, 2)],
    github: () => annotations(diagnostics, sources, locate),
  };
  for (const line of lines[format]()) out.line(line);
  if (sources.length === 0) return;
  if (format === "text") out.line(summary(judged));
  if (format === "github") err.line(summary(judged));
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

function summary({ diagnostics, rules, policies, tests, suites }: Judged): string {
  const found = (["error", "warning", "info"] as const)
    .map((severity) => ({ severity, amount: diagnostics.filter((one) => one.severity === severity).length }))
    .filter(({ amount }) => amount > 0)
    .map(({ severity, amount }) => count(amount, severity === "info" ? "note" : severity));
  const what = [
    ...(policies === 0
      ? []
      : [rules === null ? count(policies, "file") : `${count(rules, "rule")} in ${count(policies, "file")}`]),
    ...(suites === 0 ? [] : [`${count(tests, "test")} in ${count(suites, "file")}`]),
  ];
  const clean =
    rules === 0 && policies > 0 ? "nothing is limited, calls are only counted" : "nothing to complain about";
  return `${what.join(", ")}: ${found.length === 0 ? clean : found.join(", ")}.`;
}
