/**
 * `budget-guard resume`: opens what a rule or a person has closed.
 * @module
 */
import { existsSync } from "node:fs";
import { readConfig } from "../config.ts";
import { closedGates, type Gate, isExactly, openGates, type Standing, scopeNames, standings } from "../gates.ts";
import type { Plan } from "../policy/plan.ts";
import { closest } from "../policy/suggest.ts";
import { atTime, timeText } from "../policy/words.ts";
import { unitOf } from "../status.ts";
import { exit, usageError } from "./exit.ts";
import { figure, lasting } from "./figures.ts";
import { ledgerFile, withLedger } from "./ledger.ts";
import { scopeWords, shellWord } from "./phrases.ts";
import { leniently } from "./policy.ts";
import { readScope } from "./scope.ts";
import type { Arguments, Verb, World } from "./verb.ts";

export const resume: Verb = {
  name: "resume",
  summary: "open what was paused or tripped",
  usage: "SCOPE=VALUE... | global | --rule ID | --all",
  about: [
    "Opens every gate whose scope is exactly these values, whether a rule closed it or a person did. Says what was",
    "opened, and warns where the rule is likely to close it again. Ends with 1 where nothing was closed there.",
  ],
  options: {
    rule: { type: "string", value: "ID", help: "only what this rule closed; without a scope: all of it" },
    all: { type: "boolean", help: "everything that is closed" },
  },
  examples: [
    ["npx budget-guard resume tenant=acme", "one tenant"],
    ["npx budget-guard resume --rule loop-breaker", "everything that one rule closed"],
    ["npx budget-guard resume --all", "everything"],
  ],
  async run(given, world) {
    const wanted = readWanted(given);
    const config = readConfig(world.env, world.cwd);
    const plan = leniently(config, world.terminal);
    const file = ledgerFile(config);
    if (file !== null && !existsSync(file.path)) return nothingClosed(given, [], plan, world);
    return await withLedger(config, world, async (store) => {
      const opened = await openGates(store, plan, wanted);
      if (opened.length === 0) return nothingClosed(given, await closedGates(store, plan), plan, world);
      for (const gate of opened) world.terminal.out.line(describe(gate, world));
      const likely = plan === null ? [] : await standings(store, plan, opened);
      for (const standing of likely) world.terminal.err.line(warning(standing, world));
      return exit.fine;
    });
  },
};

function readWanted({ values, words }: Arguments): (gate: Gate) => boolean {
  const { all, rule } = values;
  if (words.length === 0 && all !== true && rule === undefined) {
    throw usageError(
      "Resume what? `budget-guard resume tenant=acme`, or `--all`. `budget-guard status` shows what is closed.",
      "resume",
    );
  }
  if (all === true && (words.length > 0 || rule !== undefined)) {
    throw usageError("--all is everything that is closed: it stands alone.", "resume");
  }
  const scope = readScope(words, "resume");
  return (gate) => (rule === undefined || gate.rule === rule) && (words.length === 0 || isExactly(gate, scope));
}

function describe({ scope, rule, since, kind }: Gate, { clock, terminal }: World): string {
  const by = rule === null ? "paused by hand" : `${kind} by "${rule}"`;
  return `${terminal.out.paint("green", "Opened")} ${scopeWords(scope)}: ${by} since ${timeText(since, clock())}.`;
}

/** A rule closes before its limit is passed, so what is left is smaller than the call that closed it, unless that has changed. */
function warning({ rule, meter, scope, amount, limit, resetsAt }: Standing, { clock, terminal }: World): string {
  const { paint } = terminal.err;
  const unit = unitOf(meter.metric);
  const shown = (value: number): string => figure(unit === "USD" ? value / 1e9 : value, unit);
  const noun = unit === "USD" ? "" : ` ${unit}`;
  const left = Math.max(0, limit - amount);
  const when =
    left === 0
      ? "the next call closes it again"
      : `a call that needs more than the ${shown(left)}${noun} left closes it again`;
  const now = clock();
  const room = resetsAt === null ? "" : ` Room returns ${atTime(resetsAt, now)} (in ${lasting(resetsAt - now)}).`;
  return `${paint("yellow", "Note:")} ${scopeWords(scope)} stands at ${shown(amount)} of ${shown(limit)}${noun} (rule "${rule.id}"): ${when}.${room}`;
}

function nothingClosed(
  { values, words }: Arguments,
  closed: readonly Gate[],
  plan: Plan | null,
  { terminal }: World,
): number {
  const { err } = terminal;
  const rule = typeof values.rule === "string" ? values.rule : null;
  const where = [...(words.length > 0 ? [words.join(" ")] : []), ...(rule === null ? [] : [`rule "${rule}"`])];
  err.line(`Nothing is closed${where.length > 0 ? ` for ${where.join(" and ")}` : ""}.`);
  const hint = slip(words, rule, closed, plan);
  if (hint !== null) err.line(hint);
  if (closed.length > 0) {
    err.line("Closed now:");
    for (const gate of closed) {
      const only = gate.rule === null ? "" : `   (rule ${shellWord(gate.rule)})`;
      err.line(`  npx budget-guard resume ${scopeWords(gate.scope)}${only}`);
    }
  }
  return exit.findings;
}

/** A word on what was probably meant, null where nothing is close. */
function slip(
  words: readonly string[],
  rule: string | null,
  closed: readonly Gate[],
  plan: Plan | null,
): string | null {
  const known = scopeNames(plan);
  for (const name of words.filter((word) => word !== "global").map((word) => word.slice(0, word.indexOf("=")))) {
    if (known.includes(name)) continue;
    const guess = closest(name, known);
    return `There is no scope "${name}".${guess === null ? ` There are ${known.join(", ")}.` : ` Did you mean ${guess}?`}`;
  }
  const rules = new Set([...(plan?.rules ?? []).map(({ id }) => id), ...closed.flatMap((gate) => gate.rule ?? [])]);
  if (rule === null || rules.has(rule)) return null;
  const guess = closest(rule, rules);
  return `The policy has no rule "${rule}".${guess === null ? "" : ` Did you mean "${guess}"?`}`;
}
