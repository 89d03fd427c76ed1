/**
 * `budget-guard doctor`: what is covered in this project, in a program as it is started, and what is not.
 * @module
 */
import { findRoot } from "../config.ts";
import { version } from "../version.ts";
import { type Check, check, reason } from "./doctor-check.ts";
import type { Copy } from "./doctor-clients.ts";
import { findCopies } from "./doctor-copies.ts";
import { examine } from "./doctor-examination.ts";
import { processChecks } from "./doctor-process.ts";
import { watchProgram } from "./doctor-program.ts";
import { settingsChecks } from "./doctor-settings.ts";
import { storeChecks } from "./doctor-store.ts";
import { API, telemetryChecks } from "./doctor-telemetry.ts";
import { doctorText } from "./doctor-text.ts";
import { exit, usageError } from "./exit.ts";
import { count } from "./phrases.ts";
import type { Verb, World } from "./verb.ts";

/** How long a program that does not end by itself is watched, s. */
const SECONDS = 10;

export const doctor: Verb = {
  name: "doctor",
  summary: "what is covered here, and in a program as you start it; each client is tried",
  usage: "[--json] [--seconds N] [-- COMMAND [ARGUMENTS...]]",
  about: [
    "Looks at Node, settings, policy, ledger, telemetry and every copy of undici, and tries every kind of client against a",
    "server on this machine: under a policy that denies, nothing may leave; under one that does not, each call must be charged.",
    "With a COMMAND, starts it with the guard, says what is guarded in each of its Node processes, and tries the clients",
    "under the same Node and flags. The command is real: it serves and calls as ever, until it ends or its time is up.",
    "Ends with 1 where something is not covered or not in order.",
  ],
  options: {
    json: { type: "boolean", help: "{version, ok, checks: [{area, name, state: ok | warn | fail, detail, advice}]}" },
    seconds: { type: "string", value: "N", help: `how long COMMAND may run, ${SECONDS} unless given` },
  },
  examples: [
    ["npx budget-guard doctor", "this project"],
    ["npx budget-guard doctor -- node --import ./otel.mjs server.js", "a program with its own preloads"],
    ["npx budget-guard doctor --json | jq '.checks[] | select(.state != \"ok\")'", "for a program"],
  ],
  async run({ values, words }, world) {
    const seconds = values.seconds === undefined ? SECONDS : Number(values.seconds);
    if (!(seconds > 0 && seconds <= 600)) {
      throw usageError(`--seconds takes a number up to 600, and was given ${String(values.seconds)}.`, "doctor");
    }
    const checks = await allChecks(words, seconds, world);
    const isFine = checks.every(({ state }) => state !== "fail");
    const { out } = world.terminal;
    const report = { version: version(), ok: isFine, checks };
    out.line(values.json === true ? JSON.stringify(report, null, 2) : doctorText(checks, out.paint));
    return isFine ? exit.fine : exit.findings;
  },
};

async function allChecks(words: readonly string[], seconds: number, world: World): Promise<readonly Check[]> {
  const root = findRoot(world.cwd);
  const { config, checks: settings } = settingsChecks(world);
  const found = findCopies(root, ["undici", API]);
  const program = words.length === 0 ? null : await watchProgram(words, seconds, config, world);
  const copies = unique([...(program?.undici ?? []), ...(found.copies.get("undici") ?? [])]);
  const start = program?.start ?? { execPath: process.execPath, flags: [] };
  return [
    ...(program?.checks ?? []),
    ...processChecks(program === null ? root : null, world.env),
    ...settings,
    ...(config === null ? [] : await storeChecks(config, world)),
    ...(config === null ? [] : telemetryChecks(config, world, found.copies)),
    copiesCheck(copies, found),
    ...(await examine(start, copies, world).catch((error) => [check("clients", "fail", "self-test", reason(error))])),
  ];
}

function unique(copies: readonly Copy[]): readonly Copy[] {
  const byPath = new Map(copies.map((copy) => [copy.path.replace(/[\\/]$/, ""), copy]));
  // Two of one version behave alike: one of them is tried.
  return [...new Map([...byPath.values()].map((copy) => [copy.version, copy])).values()];
}

function copiesCheck(copies: readonly Copy[], { packages, whole }: { packages: number; whole: boolean }): Check {
  const listed = copies.map(({ version: of, path }) => `${of} in ${path}`);
  const detail = [`beside the one in Node, ${copies.length === 0 ? "none" : listed.length}`, ...listed].join("\n");
  const among = `${detail}\n(${count(packages, "package")} looked at)`;
  if (whole) return check("copies", "ok", "undici", among);
  return check("copies", "warn", "undici", among, "There are more packages than are looked at.");
}
