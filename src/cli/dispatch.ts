/**
 * From a command line to the verb that it names, and from what goes wrong to an exit code.
 * @module
 */
import { ConfigError } from "../errors.ts";
import { closest } from "../policy/suggest.ts";
import { version } from "../version.ts";
import { readArguments } from "./arguments.ts";
import { audit } from "./audit.ts";
import { backtest } from "./backtest.ts";
import { check } from "./check.ts";
import { doctor } from "./doctor.ts";
import { CommandError, exit, usageError } from "./exit.ts";
import { explain } from "./explain.ts";
import { fmt } from "./fmt.ts";
import { helpFor, helpForAll } from "./help.ts";
import { init } from "./init.ts";
import { limit } from "./limit.ts";
import { lsp } from "./lsp.ts";
import { pause } from "./pause.ts";
import { prices } from "./prices.ts";
import { resume } from "./resume.ts";
import { run } from "./run.ts";
import { status } from "./status.ts";
import { test } from "./test.ts";
import type { Verb, World } from "./verb.ts";

/** Every command, in the order of the help. */
export const verbs: readonly Verb[] = [
  init,
  run,
  check,
  fmt,
  test,
  explain,
  audit,
  backtest,
  status,
  pause,
  resume,
  limit,
  prices,
  doctor,
  lsp,
];

/** Runs one command; never rejects for what a user can do wrong. Returns the exit code. */
export async function dispatch(args: readonly string[], world: World): Promise<number> {
  try {
    return await follow(args, world);
  } catch (error) {
    const { err } = world.terminal;
    if (error instanceof CommandError) {
      err.line(error.message);
      return error.code;
    }
    if (error instanceof ConfigError) {
      err.line(error.message);
      return exit.config;
    }
    throw error;
  }
}

async function follow([first, ...rest]: readonly string[], world: World): Promise<number> {
  const { out, err } = world.terminal;
  if (first === undefined) {
    err.line(helpForAll(verbs, err.paint));
    return exit.usage;
  }
  if (first === "--version" || first === "-v" || first === "-V") {
    out.line(version());
    return exit.fine;
  }
  const help = first === "--help" || first === "-h" || first === "help";
  const name = help ? rest[0] : first;
  if (name === undefined) {
    out.line(helpForAll(verbs, out.paint));
    return exit.fine;
  }
  const verb = verbs.find((one) => one.name === name);
  if (verb === undefined) throw unknown(name);
  const given = help ? null : readArguments(verb, rest);
  if (given === null || given.values.help === true) {
    out.line(helpFor(verb, out.paint));
    return exit.fine;
  }
  return await verb.run(given, world);
}

function unknown(given: string): CommandError {
  const isOption = given.startsWith("-");
  const guess = isOption
    ? closest(given.replace(/^-+/, ""), ["help", "version"])
    : closest(
        given,
        verbs.map(({ name }) => name),
      );
  const meant = guess === null ? "" : ` Did you mean \`budget-guard ${isOption ? "--" : ""}${guess}\`?`;
  return usageError(`Unknown ${isOption ? "option" : "verb"} ${given}.${meant}`, null);
}
