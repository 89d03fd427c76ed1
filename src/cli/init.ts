/**
 * `budget-guard init`: a first policy.
 * @module
 */
import { copyFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { findRoot } from "../config.ts";
import { packageRoot } from "../paths.ts";
import { closest } from "../policy/suggest.ts";
import { makeFolders } from "../store/folder.ts";
import { CommandError, exit, usageError } from "./exit.ts";
import type { Arguments, Verb, World } from "./verb.ts";

/** By the name that the copy gets: where the policy lies in the package, its tests beside it. */
const templates: Readonly<Record<string, string>> = {
  starter: "starter",
  early: "examples/02-early-stage",
  growth: "examples/03-growth-stage",
  scale: "examples/04-scale-stage",
  incident: "incident",
};

export const init: Verb = {
  name: "init",
  summary: "write a first policy, policies/starter.budget",
  usage: "[--template NAME]",
  about: [
    "Writes policies/starter.budget into the project: a cap on each run, a breaker for loops, and a daily ceiling; and",
    "policies/starter.test.budget, its tests, to change along with it. Other templates: early (caps on runs and days),",
    "growth (a budget for each feature), scale (a quota for each plan), incident (what would have stopped the $47,000 loop).",
    "The project is the nearest folder at or above this one with budget-guard.json, policies/ or package.json.",
    "A policy that is already there is never touched: then nothing is written and the exit code is 1.",
  ],
  options: {
    template: { type: "string", value: "NAME", help: `${Object.keys(templates).join(", ")}; else starter` },
  },
  examples: [
    ["npx budget-guard init", "then read policies/starter.budget and make it yours"],
    ["npx budget-guard init --template growth", "begin with a budget for each feature"],
  ],
  async run(given, world) {
    return write(given, world);
  },
};

function write({ values, words }: Arguments, { env, cwd, terminal }: World): number {
  if (words.length > 0) throw usageError(`init takes no arguments, but was given ${words.join(" ")}.`, "init");
  const name = String(values.template ?? "starter");
  const source = Object.hasOwn(templates, name) ? templates[name] : undefined;
  if (source === undefined) throw usageError(unknownTemplate(name), "init");
  const root = findRoot(cwd);
  const folder = join(root, "policies");
  const there = existsSync(folder) ? readdirSync(folder).filter(isPolicy) : [];
  if (there.length > 0) {
    const names = there.map((file) => join(relative(cwd, folder), file)).join(", ");
    terminal.err.line(`There is a policy already: ${names}. Nothing was written.`);
    terminal.err.line("Next: `npx budget-guard check` tells whether it is sound.");
    return exit.findings;
  }
  const target = join(folder, `${name}.budget`);
  try {
    makeFolders(folder);
    // COPYFILE_EXCL: also where another process wrote it a moment ago, it is not overwritten.
    copyFileSync(join(packageRoot, "policies", `${source}.budget`), target, 1);
    const tests = join(folder, `${name}.test.budget`);
    if (!existsSync(tests)) copyFileSync(join(packageRoot, "policies", `${source}.test.budget`), tests);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(exit.findings, `${target} could not be written: ${reason}`);
  }
  terminal.out.line(target);
  const { err } = terminal;
  err.line(`${err.paint("green", "Wrote")} ${relative(cwd, target)}: read it, the limits are yours to choose.`);
  if (!ignoresLedger(root)) err.line("The ledger is kept in .budget-guard/: add that line to .gitignore.");
  const elsewhere = env.BUDGET_GUARD_POLICY?.trim() ?? "";
  if (elsewhere !== "") err.line(`BUDGET_GUARD_POLICY is set to ${elsewhere}, so this file is not read as it stands.`);
  err.line("Next:");
  err.line("  npx budget-guard check");
  err.line("  npx budget-guard test");
  err.line("  node --require budget-guard/register app.js");
  return exit.fine;
}

function unknownTemplate(name: string): string {
  const guess = closest(name, Object.keys(templates));
  return `There is no template ${name}.${guess === null ? ` There are ${Object.keys(templates).join(", ")}.` : ` Did you mean ${guess}?`}`;
}

const isPolicy = (name: string): boolean => name.endsWith(".budget") && !name.endsWith(".test.budget");

/** True as well where there is no repository to keep it out of. */
function ignoresLedger(root: string): boolean {
  if (!existsSync(join(root, ".git"))) return true;
  const path = join(root, ".gitignore");
  return existsSync(path) && /^\/?\.budget-guard(\/|$)/m.test(readFileSync(path, "utf8"));
}
