/**
 * `budget-guard pause`: closes a gate by hand.
 * @module
 */
import { readConfig } from "../config.ts";
import { pauseScope, type Scope, whyNotPausable } from "../gates.ts";
import { durations } from "../policy/vocabulary.ts";
import { timeText } from "../policy/words.ts";
import { exit, usageError } from "./exit.ts";

import { withLedger } from "./ledger.ts";
import { scopeWords } from "./phrases.ts";
import { leniently } from "./policy.ts";
import { readScope } from "./scope.ts";
import type { Verb } from "./verb.ts";

export const pause: Verb = {
  name: "pause",
  summary: "refuse every call of a tenant, feature, run, ... from now on",
  usage: "SCOPE=VALUE... | global | --all [--for DURATION]",
  about: [
    "Every process that shares the ledger refuses these calls with HTTP 402, beginning with the next one, until",
    "`budget-guard resume` or until the time is over. Scopes are tenant, feature, agent, user, run, model, provider",
    "and the dimensions that the policy declares; several together where a rule of the policy counts by them.",
  ],
  options: {
    for: { type: "string", value: "DURATION", help: "how long, such as 30m, 1h or 2d; else until someone resumes it" },
    all: { type: "boolean", help: "everything, like `global`" },
  },
  examples: [
    ["npx budget-guard pause tenant=acme", "one tenant"],
    ["npx budget-guard pause feature=research --for 1h", "one feature, for an hour"],
    ["npx budget-guard pause --all", "every call"],
  ],
  async run({ values, words }, world) {
    if (words.length === 0 && values.all !== true) {
      throw usageError("Pause what? `budget-guard pause tenant=acme`, or `--all` for everything.", "pause");
    }
    if (words.length > 0 && words[0] !== "global" && values.all === true) {
      throw usageError(`--all is every call; leave out ${words.join(" ")}, or leave out --all.`, "pause");
    }
    const scope: Scope = readScope(words, "pause");
    const ms = typeof values.for === "string" ? readDuration(values.for) : null;
    const config = readConfig(world.env, world.cwd);
    const { err } = world.terminal;
    // Someone who pulls the brake must not be told to mend the policy first.
    const plan = leniently(config, world.terminal);
    const why = whyNotPausable(plan, scope);
    if (why !== null) throw usageError(why, "pause");
    await withLedger(config, world, (store) => pauseScope(store, plan, scope, ms));
    const now = world.clock();
    const until = ms === null ? "until someone resumes it" : `until ${timeText(now + ms, now)}`;
    const name = scopeWords(scope);
    err.line(`${err.paint("yellow", "Paused")} ${name} ${until}: its calls are refused from now on.`);
    if (config.mode !== "enforce")
      err.line(`BUDGET_GUARD_MODE is ${config.mode}: processes in that mode refuse nothing.`);
    err.line(`\`npx budget-guard resume ${name}\` opens it again.`);
    return exit.fine;
  },
};

function readDuration(text: string): number {
  const [, amount = "", unit = ""] = /^(\d+(?:\.\d+)?)([a-z]+)$/.exec(text) ?? [];
  const ms = Number(amount) * (durations.get(unit) ?? Number.NaN);
  if (ms >= 1) return Math.round(ms);
  throw usageError(`--for ${text} is no duration. Write it like 30m, 1h or 2d.`, "pause");
}
