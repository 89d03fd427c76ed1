/**
 * `budget-guard audit`: the article's Max_Burn from the policy itself.
 * @module
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { findRoot, readConfig } from "../config.ts";
import { type Burn, burnOf } from "../policy/burn.ts";
import { type Idle, idleRules } from "../policy/burn-bounds.ts";
import { type Gap, gapsOf } from "../policy/burn-gaps.ts";
import { type BoundRow, boundRows } from "../policy/burn-table.ts";
import { type BurnVerdict, type MonthlyBudget, populationsOf, verdictOf } from "../policy/burn-verdict.ts";
import type { Plan } from "../policy/plan.ts";
import { auditJson } from "./audit-json.ts";
import { auditModels } from "./audit-models.ts";
import { auditText } from "./audit-text.ts";
import { exit, usageError } from "./exit.ts";
import { loadPolicy } from "./policy.ts";
import type { Arguments, Verb, World } from "./verb.ts";

/** What was found about one kind of calls. */
export interface Audited {
  readonly burn: Burn;
  readonly budget: MonthlyBudget | null;
  readonly verdict: BurnVerdict | null;
  readonly gaps: readonly Gap[];
}

export interface Audit {
  readonly plan: Plan;
  /** Every call first, then those that the policy names a monthly budget for. */
  readonly kinds: readonly Audited[];
  readonly rows: readonly BoundRow[];
  readonly idle: readonly Idle[];
}

export const audit: Verb = {
  name: "audit",
  summary: "what the policy lets burn at worst, and which factor no rule bounds",
  usage: "[FILES...] [--monthly-budget $N] [--model M] [--concurrency N] [--json]",
  about: [
    "Max_Burn = iterations x tokens per call x model rate x retries x concurrency: what a loop can burn until a rule",
    "ends it, with nobody looking. Each factor is shown with the rule that bounds it, then what every rule lets go in an",
    "hour, a day, eleven days and a month. Measured by the budget of a month: under 1% genuine, up to 10% enforced, up to",
    "100% too loose, beyond it a prayer. Ends with 1 for a prayer, and where no rule bounds Max_Burn at all.",
  ],
  options: {
    "monthly-budget": {
      type: "string",
      value: "$N",
      help: "what a month may cost; else the policy's own budget of global.monthly",
    },
    model: {
      type: "string",
      value: "M",
      help: "calls ask for this model only; else the dearest one that is not refused",
    },
    concurrency: { type: "string", value: "N", help: "how many runs your own code lets go at once" },
    json: { type: "boolean", help: "{kinds, rules, idle}; dollars" },
  },
  examples: [
    ["npx budget-guard audit", "the policy of this project"],
    ["npx budget-guard audit --monthly-budget 18000 --model claude-opus-4-7", "by the model in use"],
    ["npx budget-guard audit --json | jq '.kinds[0].gaps[].line'", "the lines that are missing"],
  ],
  async run(given, world) {
    const found = await examine(given, world);
    const { out } = world.terminal;
    out.line(given.values.json === true ? JSON.stringify(auditJson(found), null, 2) : auditText(found, out.paint));
    const fails = found.kinds.some(({ verdict }) => verdict === "a prayer" || verdict === "unbounded");
    return fails ? exit.findings : exit.fine;
  },
};

async function examine({ values, words }: Arguments, { env, cwd, clock, terminal }: World): Promise<Audit> {
  const given = text(values["monthly-budget"]);
  const monthly = given === null ? null : dollarsOf(given);
  const concurrency = text(values.concurrency);
  const config = readConfig(env, cwd);
  const { plan } = loadPolicy(words.length > 0 ? named(words, cwd) : config, terminal);
  const found = await auditModels(config.prices ?? {}, clock, text(values.model));
  const options = { ...found, concurrency: concurrency === null ? null : countOf(concurrency) };
  const kinds = populationsOf(plan).map(({ population, budget: own }): Audited => {
    const burn = burnOf(plan, population, options);
    const isAll = Object.keys(population).length === 0;
    const budget = isAll && monthly !== null ? { nano: monthly, source: "--monthly-budget" } : own;
    return {
      burn,
      budget,
      verdict: verdictOf(burn, budget),
      gaps: gapsOf(plan, burn, budget, found.models.length === 1),
    };
  });
  const [every] = kinds;
  return { plan, kinds, rows: every === undefined ? [] : boundRows(plan, every.burn), idle: idleRules(plan) };
}

/** Files and folders as written on the command line, from the working directory. */
function named(words: readonly string[], cwd: string): Parameters<typeof loadPolicy>[0] {
  const missing = words.filter((word) => !existsSync(resolve(cwd, word)));
  if (missing.length > 0) throw usageError(`There is no file or folder ${missing.join(", ")}.`, "audit");
  return { root: findRoot(cwd), policy: { paths: words.map((word) => resolve(cwd, word)), asked: true } };
}

const text = (value: string | boolean | undefined): string | null => (typeof value === "string" ? value : null);

/** `$18K`, `18_000`, `2.5K` as nano-dollars. */
function dollarsOf(given: string): number {
  const [, digits, scale] = /^\$?(\d[\d_,]*(?:\.\d+)?)([kKmM]?)$/.exec(given.trim()) ?? [];
  const amount =
    Number(digits?.replace(/[_,]/g, "")) * (scale === undefined || scale === "" ? 1 : /k/i.test(scale) ? 1e3 : 1e6);
  if (!Number.isFinite(amount) || amount <= 0) {
    throw usageError(`--monthly-budget is ${given}; write dollars, such as 18000, $18K or 250.50.`, "audit");
  }
  return Math.round(amount * 1e9);
}

function countOf(given: string): number {
  if (!/^\d{1,9}$/.test(given) || Number(given) < 1) {
    throw usageError(`--concurrency is ${given}; write how many runs go at once, such as 4.`, "audit");
  }
  return Number(given);
}
