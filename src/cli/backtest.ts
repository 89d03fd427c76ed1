/**
 * `budget-guard backtest`: what a policy would have done to the calls of a log.
 * @module
 */
import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { type Backtest, backtest as replay } from "../backtest/backtest.ts";
import { Progress } from "../backtest/progress.ts";
import { loadPrices } from "../call/price.ts";
import { type Config, findRoot, readConfig } from "../config.ts";
import type { Plan } from "../policy/plan.ts";
import { durations } from "../policy/vocabulary.ts";
import { backtestJson } from "./backtest-json.ts";
import { backtestText } from "./backtest-text.ts";
import { exit, usageError } from "./exit.ts";
import { loadPolicy } from "./policy.ts";
import { planAt } from "./policy-revision.ts";
import type { Verb, World } from "./verb.ts";

/** What was replayed, and against what. */
export interface Backtested extends Backtest {
  readonly files: readonly string[];
  readonly plan: Plan;
  readonly other: { readonly name: string; readonly plan: Plan } | null;
}

export const backtest: Verb = {
  name: "backtest",
  summary: "what the policy would have done to recorded calls",
  usage: "FILE... [--against REV|PATH] [--resume-after DURATION] [--json]",
  about: [
    "Replays recorded calls, in the order and with the durations of the record, through the real evaluator and a ledger of",
    "their own: per rule the calls refused, the dollars saved, the first refusal and what had been spent before it. Reads",
    "OpenTelemetry spans as JSON (a collector's file exporter, whole exports, single spans; the guard's own or any GenAI",
    "spans) and the guard's audit log, plain or gzip. A refused call costs nothing, and the recorded ones after it come all",
    "the same; one that was refused then and would go now is charged at its estimate.",
  ],
  options: {
    against: {
      type: "string",
      value: "REV|PATH",
      help: "compare with the policy of a git revision (git:HEAD), or of a file or folder",
    },
    "resume-after": {
      type: "string",
      value: "DURATION",
      help: "somebody resumes what is paused after so long; else nobody",
    },
    json: { type: "boolean", help: "{calls, spent, refused, rules, against, leftovers}; dollars, times in ISO 8601" },
  },
  examples: [
    ["npx budget-guard backtest spans.jsonl", "the policy of this project, over a collector's file"],
    [
      "npx budget-guard backtest .budget-guard/audit.jsonl --against git:HEAD",
      "what an edit changes, before it is committed",
    ],
    ["npx budget-guard backtest logs/*.jsonl.gz --json | jq '.rules[] | select(.refused > 0)'", "for a program"],
  ],
  async run({ values, words }, world) {
    if (words.length === 0) throw usageError("backtest needs a file of recorded calls.", "backtest");
    const paths = words.map((word) => existing(word, world.cwd));
    const config = readConfig(world.env, world.cwd);
    const resumeAfterMs = typeof values["resume-after"] === "string" ? durationOf(values["resume-after"]) : null;
    const { plan } = loadPolicy(config, world.terminal);
    const other = typeof values.against === "string" ? otherPolicy(values.against, config, world) : null;
    const progress = progressOf(paths, world);
    const prices = await loadPrices(config.prices ?? {}, world.clock);
    try {
      const found = await replay({
        paths,
        plan,
        against: other?.plan ?? null,
        prices,
        resumeAfterMs,
        progress: (bytes) => progress?.add(bytes),
      });
      progress?.end();
      const all: Backtested = { ...found, files: words, plan, other };
      const { out } = world.terminal;
      out.line(values.json === true ? JSON.stringify(backtestJson(all), null, 2) : backtestText(all, out.paint));
      return found.tally.calls === 0 ? exit.findings : exit.fine;
    } finally {
      progress?.end();
    }
  },
};

function existing(word: string, cwd: string): string {
  const path = resolve(cwd, word);
  if (!existsSync(path)) throw usageError(`There is no file ${word}.`, "backtest");
  if (!statSync(path).isFile()) throw usageError(`${word} is no file; name the files in it.`, "backtest");
  return path;
}

/** `git:REV`, a file or folder that exists, else a revision. */
function otherPolicy(word: string, config: Config, { cwd, terminal }: World): NonNullable<Backtested["other"]> {
  const path = resolve(cwd, word);
  if (!word.startsWith("git:") && existsSync(path)) {
    const { plan } = loadPolicy({ root: findRoot(cwd), policy: { paths: [path], asked: true } }, terminal);
    return { name: word, plan };
  }
  return { name: word, plan: planAt(word.replace(/^git:/, ""), config, terminal) };
}

/** A bar for people who watch; nothing where the output goes elsewhere. */
function progressOf(paths: readonly string[], { clock }: World): Progress | null {
  const { stderr } = process;
  if (stderr.isTTY !== true) return null;
  const total = paths.reduce((sum, path) => sum + statSync(path).size, 0);
  return new Progress({ total, clock, columns: stderr.columns ?? 80, write: (text) => void stderr.write(text) });
}

function durationOf(given: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([a-z]+)$/.exec(given) ?? [];
  const size = durations.get(unit ?? "");
  if (amount === undefined || size === undefined) {
    throw usageError(`--resume-after is ${given}; write a duration such as 30m, 8h or 2d.`, "backtest");
  }
  return Number(amount) * size;
}
