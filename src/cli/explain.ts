/**
 * `budget-guard explain`: every rule in English, or what every rule makes of one call.
 * @module
 */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { type Config, readConfig } from "../config.ts";
import { explainRule } from "../policy/explain.ts";
import { explainCall } from "../policy/explain-call.ts";
import type { Plan, Rule } from "../policy/plan.ts";
import { closest } from "../policy/suggest.ts";
import { ruleNamed } from "../policy/suite.ts";
import { CommandError, exit, usageError } from "./exit.ts";
import { callJson, callText } from "./explain-call.ts";
import { simulateCall } from "./explain-input.ts";
import { inOrder } from "./explain-text.ts";
import { loadPolicy } from "./policy.ts";
import type { Arguments, Verb, World } from "./verb.ts";

export const explain: Verb = {
  name: "explain",
  summary: "say what a rule means, or what every rule makes of one call",
  usage: "[RULE | CALL.json | -] [--readings live|zero] [--json]",
  about: [
    "Without arguments: every rule of the policy as an English sentence, with its place. RULE is a label, or a rule's text.",
    "",
    "CALL.json (or - for stdin) is a call, and every rule says whether it concerns it, what it reads, its limit, how much",
    "is left, and what it does. A call is facts like those of a test, all optional:",
    "",
    '    {"tenant": "acme", "feature": "research", "model": "gpt-5", "input_tokens": 12000, "max_tokens": 800,',
    '     "retries": 1, "readings": {"tenant.hourly": "$49.90", "run.calls": 12}, "at": "2026-11-22T14:02:00Z"}',
    "",
    "or a recorded one: a line of the audit log, or a span as OTLP JSON. What readings do not say is read from the ledger",
    "as it stands; with --readings zero nothing went before. Nothing is changed, held or called.",
  ],
  options: {
    readings: { type: "string", value: "WHICH", help: "live: the ledger as it stands (default); zero: nothing spent" },
    json: { type: "boolean", help: "rules as {rule, text, file, line, doc, shadow, sentence}; of a call every figure" },
  },
  examples: [
    ["npx budget-guard explain", "the policy, for people who do not read it"],
    ["npx budget-guard explain research-ceiling", "one rule"],
    ['echo \'{"tenant": "acme", "cost": 0.4}\' | npx budget-guard explain -', "would this call go now?"],
    ["tail -1 .budget-guard/audit.jsonl | npx budget-guard explain -", "why was the last call refused?"],
  ],
  async run(given, world) {
    return answer(given, world);
  },
};

async function answer({ values, words }: Arguments, world: World): Promise<number> {
  const [word, ...more] = words;
  if (more.length > 0) {
    throw usageError(
      `explain takes one rule or one call, but was given ${words.join(" ")}. Quote a rule's text.`,
      "explain",
    );
  }
  const readings = values.readings ?? "live";
  if (readings !== "live" && readings !== "zero") {
    throw usageError(`--readings is live or zero, not ${String(readings)}.`, "explain");
  }
  const config = readConfig(world.env, world.cwd);
  const { plan } = loadPolicy(config, world.terminal);
  const json = values.json === true;
  const rule = word === undefined ? null : ruleNamed(plan, word);
  if (word === undefined || rule !== null) return sentences(plan, rule === null ? plan.rules : [rule], json, world);
  const found = await callIn(word, world.cwd);
  if (found === null) throw unknown(word, plan);
  return await ofCall(
    plan,
    config,
    { text: found, name: word === "-" ? "stdin" : word, live: readings === "live" },
    json,
    world,
  );
}

function sentences(plan: Plan, rules: readonly Rule[], json: boolean, { terminal }: World): number {
  const { out, err } = terminal;
  if (json) {
    const all = rules.map((rule) => {
      const { id, text, file, line, doc, shadow } = rule;
      return { rule: id, text, file, line, doc, shadow, sentence: explainRule(rule, plan) };
    });
    out.line(JSON.stringify(all, null, 2));
    return exit.fine;
  }
  if (rules.length === 0) err.line("The policy has no rules: every call is allowed and counted.");
  const blocks = inOrder(
    rules.map((rule) => ({ rule })),
    plan,
  ).map(({ rule }) =>
    [
      `${out.paint("bold", rule.id)}  ${out.paint("dim", `${rule.file}:${rule.line}`)}`,
      `    ${explainRule(rule, plan)}`,
    ].join("\n"),
  );
  out.line(blocks.join("\n\n"));
  return exit.fine;
}

async function ofCall(
  plan: Plan,
  config: Config,
  input: { readonly text: string; readonly name: string; readonly live: boolean },
  json: boolean,
  world: World,
): Promise<number> {
  const { out, err } = world.terminal;
  const { simulated, source, notes } = await simulateCall(plan, config, input, world);
  for (const note of notes) err.line(note);
  const reports = inOrder(explainCall(plan, simulated), plan);
  out.line(
    json
      ? JSON.stringify(callJson(plan, simulated, reports, source), null, 2)
      : callText(plan, simulated, reports, source, out.paint),
  );
  return exit.fine;
}

/** The text of the file or of stdin; null where the word names neither. */
async function callIn(word: string, cwd: string): Promise<string | null> {
  if (word === "-") return await text(process.stdin);
  const path = resolve(cwd, word);
  if (!existsSync(path)) {
    if (!/\.jsonl?$/.test(word)) return null;
    throw new CommandError(exit.usage, `There is no file ${word}.`);
  }
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new CommandError(
      exit.usage,
      `${word} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}

function unknown(word: string, { rules }: Plan): CommandError {
  const guess = closest(
    word,
    rules.map(({ id }) => id),
  );
  const meant = guess === null ? " `budget-guard explain` lists all." : ` Did you mean \`${guess}\`?`;
  return usageError(`There is no rule ${word}, and no such file.${meant}`, "explain");
}
