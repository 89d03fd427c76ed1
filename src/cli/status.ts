/**
 * `budget-guard status`: what has been spent, held and closed, from the ledger that decides.
 * @module
 */
import { readConfig } from "../config.ts";
import { readStatus } from "../status.ts";
import { describeStore } from "../store/open.ts";
import { exit, usageError } from "./exit.ts";
import { withLedgerToRead } from "./ledger.ts";
import { loadPolicy } from "./policy.ts";
import { statusText } from "./status-text.ts";
import type { Verb } from "./verb.ts";

export const status: Verb = {
  name: "status",
  summary: "what has been spent and held, of which limits, and what is closed",
  usage: "[--json]",
  about: [
    "Reads the ledger that decides: every meter of the policy with what is spent and held, its limits, and when room",
    "returns, the fullest first; then every closed gate, with the command that opens it. Changes nothing.",
  ],
  options: {
    json: {
      type: "boolean",
      help: "{store, mode, policy, meters, idle, closed}; dollars or counts, times in ISO 8601",
    },
  },
  examples: [
    ["npx budget-guard status", "for people"],
    ["npx budget-guard status --json | jq '.meters[] | select(.used > 0.8)'", "for a program"],
    ["BUDGET_GUARD_STORE=redis://10.0.0.5 npx budget-guard status", "of another ledger"],
  ],
  async run({ values, words }, world) {
    if (words.length > 0) throw usageError(`status takes no arguments, but was given ${words.join(" ")}.`, "status");
    const config = readConfig(world.env, world.cwd);
    const { name } = describeStore(config.store);
    const { plan } = loadPolicy(config, world.terminal);
    const found = await withLedgerToRead(config, world, (store) => readStatus(store, name, plan, config.mode));
    const { out } = world.terminal;
    out.line(values.json === true ? JSON.stringify(found, null, 2) : statusText(found, world.clock(), out.paint));
    return exit.fine;
  },
};
