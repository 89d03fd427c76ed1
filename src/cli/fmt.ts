/**
 * `budget-guard fmt`: policies and their tests in canonical form.
 * @module
 */
import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { readConfig } from "../config.ts";
import { type Formatted, format } from "../policy/format.ts";
import { exit, usageError } from "./exit.ts";
import { count } from "./phrases.ts";
import { isSuite, policyFilesAt, readText, replaceFile } from "./policy-files.ts";
import { show } from "./show.ts";
import type { Terminal } from "./terminal.ts";
import type { Arguments, Verb, World } from "./verb.ts";

export const fmt: Verb = {
  name: "fmt",
  summary: "write the policy in its canonical form",
  usage: "[FILES...] [--check] [--stdin]",
  about: [
    "Rewrites the policy and its tests (or the files and folders named): one space, labels and arrows below each other,",
    "lines of at most 100 columns, every comment kept. What the policy means stays the same. Prints the files changed.",
    "A file that cannot be read as a policy is left alone; then the command ends with 1.",
  ],
  options: {
    check: { type: "boolean", help: "change nothing, print what would change, and end with 1 if anything would" },
    stdin: {
      type: "boolean",
      help: "read standard input, write to standard output; a FILE named *.test.budget says that it is tests",
    },
  },
  examples: [
    ["npx budget-guard fmt", "the policy of this project, and its tests"],
    ["npx budget-guard fmt --check", "as a build step"],
    ["npx budget-guard fmt --stdin < policies/next.budget", "for an editor"],
  ],
  async run(given, world) {
    return given.values.stdin === true ? await formatInput(given, world) : formatFiles(given, world);
  },
};

function formatFiles({ values, words }: Arguments, { env, cwd, terminal }: World): number {
  const { out, err } = terminal;
  const files = words.length > 0 ? named(words, cwd) : readConfig(env, cwd).policy.paths.flatMap(policyFilesAt);
  if (files.length === 0) {
    err.line("There is no policy: policies/ holds no *.budget file. Write one with `npx budget-guard init`.");
    return exit.findings;
  }
  let broken = 0;
  let changed = 0;
  for (const path of new Set(files)) {
    const file = relative(cwd, path) || path;
    const before = readText(path);
    const result = format(before, kindOf(path));
    if (result.kind === "unreadable") {
      complain(result, file, before, terminal);
      broken++;
    } else if (result.text !== before) {
      if (values.check !== true) replaceFile(path, result.text);
      out.line(file);
      changed++;
    }
  }
  err.line(summary(new Set(files).size, changed, broken, values.check === true));
  return broken > 0 || (changed > 0 && values.check === true) ? exit.findings : exit.fine;
}

/** Nothing is written where there is an error: an editor keeps what it has. */
async function formatInput({ values, words }: Arguments, { terminal }: World): Promise<number> {
  if (words.length > 1) throw usageError("With --stdin at most one FILE is named.", "fmt");
  const before = await readAll(process.stdin);
  const file = words[0] ?? "(standard input)";
  const result = format(before, kindOf(file));
  if (result.kind === "unreadable") {
    complain(result, file, before, terminal);
    return exit.findings;
  }
  if (values.check === true) {
    if (result.text !== before) terminal.err.line(`${file} is not in canonical form.`);
    return result.text === before ? exit.fine : exit.findings;
  }
  terminal.out.exactly(result.text);
  return exit.fine;
}

const kindOf = (file: string): "policy" | "suite" => (isSuite(file) ? "suite" : "policy");

function complain(result: Extract<Formatted, { kind: "unreadable" }>, file: string, text: string, to: Terminal): void {
  const diagnostics = result.findings.map((finding) => ({ ...finding, file }));
  to.err.line(`${show(diagnostics, [{ file, text }], to.err.paint)}\n`);
}

function named(words: readonly string[], cwd: string): readonly string[] {
  const missing = words.filter((word) => !existsSync(resolve(cwd, word)));
  if (missing.length > 0) throw usageError(`There is no file or folder ${missing.join(", ")}.`, "fmt");
  const files = words.flatMap((word) => policyFilesAt(resolve(cwd, word)));
  if (files.length === 0) throw usageError(`${words.join(", ")}: no *.budget file is there.`, "fmt");
  return files;
}

function summary(files: number, changed: number, broken: number, checked: boolean): string {
  const parts = [
    ...(changed > 0 ? [`${changed} ${checked ? "not in canonical form" : "formatted"}`] : []),
    ...(broken > 0 ? [`${broken} left alone, with errors`] : []),
  ];
  const all = files - changed - broken;
  if (all > 0 || parts.length === 0) parts.push(`${all} ${parts.length === 0 ? "" : "already "}in canonical form`);
  const next = checked && changed > 0 ? " Run `npx budget-guard fmt`." : "";
  return `${count(files, "file")}: ${parts.join(", ")}.${next}`;
}
