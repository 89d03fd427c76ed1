/**
 * The help of the whole and of each verb.
 * @module
 */
import type { Paint } from "./terminal.ts";
import type { Verb } from "./verb.ts";

const exits = [
  "  0   fine",
  "  1   findings: a policy with errors, nothing to resume, a policy that is already there",
  "  2   the command was written wrongly",
  "  3   the store cannot be reached",
  "  78  a setting or the policy is wrong",
];

/** What `budget-guard --help` prints. */
export function helpForAll(verbs: readonly Verb[], paint: Paint): string {
  return [
    "budget-guard stands in front of every LLM call of a Node process and refuses the one that goes over budget.",
    "",
    `${paint("bold", "Usage:")} budget-guard VERB [OPTIONS]`,
    "",
    paint("bold", "Verbs:"),
    ...columns(verbs.map(({ name, summary }) => [name, summary])),
    "",
    paint("bold", "First steps:"),
    ...columns([
      ["npx budget-guard init", "write policies/starter.budget"],
      ["npx budget-guard check", "is the policy sound?"],
      ["npx budget-guard run -- npm start", "run anything with the guard in every Node process under it"],
      ["npx budget-guard status", "what has been spent, what is closed"],
      ["npx budget-guard pause tenant=acme", "refuse every call of one tenant, from now on"],
    ]),
    "",
    paint("bold", "Exit codes:"),
    ...exits,
    "",
    "`budget-guard VERB --help` tells more about a verb. Settings are read from BUDGET_GUARD_* variables and",
    "budget-guard.json; NO_COLOR and FORCE_COLOR are honoured.",
  ].join("\n");
}

/** What `budget-guard VERB --help` prints. */
export function helpFor(verb: Verb, paint: Paint): string {
  const options = Object.entries(verb.options).map(([name, { value, help }]) => [
    value === undefined ? `--${name}` : `--${name} ${value}`,
    help,
  ]);
  return [
    `${paint("bold", "Usage:")} ${`budget-guard ${verb.name} ${verb.usage}`.trimEnd()}`,
    "",
    ...verb.about,
    "",
    paint("bold", "Options:"),
    ...columns([...options, ["--help", "this text"]]),
    "",
    paint("bold", "Examples:"),
    ...columns(verb.examples),
  ].join("\n");
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const width = Math.max(...rows.map(([left = ""]) => left.length));
  return rows.map(([left = "", right = ""]) => `  ${left.padEnd(width)}  ${right}`);
}
