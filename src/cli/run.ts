/**
 * `budget-guard run`: any command, with the guard in every Node process under it.
 * @module
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { readConfig } from "../config.ts";
import { withRegister } from "../node-options.ts";
import { preloadFile } from "../paths.ts";
import { describeStore } from "../store/open.ts";
import { CommandError, usageError } from "./exit.ts";
import { pinned } from "./pinned.ts";
import { loadPolicy } from "./policy.ts";
import type { Verb, World } from "./verb.ts";

export const run: Verb = {
  name: "run",
  summary: "run a command with the guard in every Node process under it",
  usage: "-- COMMAND [ARGUMENTS...]",
  about: [
    "Sets NODE_OPTIONS so that every Node process that COMMAND starts, at any depth, loads the guard first.",
    "Input and output are the command's own, signals reach it, and its exit code is passed on.",
    "A policy or a setting with errors ends here, with exit code 78, before anything starts.",
    "All processes use the policy and the ledger of the folder in which `run` was called.",
  ],
  options: {},
  examples: [
    ["npx budget-guard run -- node app.js", "one program"],
    ["npx budget-guard run -- npm start", "whatever npm starts"],
    ["BUDGET_GUARD_MODE=shadow npx budget-guard run -- npm test", "only watch and report"],
  ],
  passthrough: true,
  async run({ words }, world) {
    const [command, ...args] = words;
    if (command === undefined) throw usageError("run needs a command: `budget-guard run -- node app.js`.", "run");
    const config = readConfig(world.env, world.cwd);
    describeStore(config.store);
    const { sources } = loadPolicy(config, world.terminal);
    const env = {
      ...world.env,
      ...pinned(config, sources.length > 0, world.env),
      NODE_OPTIONS: withRegister(world.env.NODE_OPTIONS, preloadFile),
    };
    return await follow(command, args, env, world);
  },
};

/** Typed on a keyboard, they reach the whole foreground group without our help. */
const typed: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT"];
const forwarded: readonly NodeJS.Signals[] = [...typed, "SIGTERM", "SIGHUP", "SIGUSR2"];

function follow(command: string, args: readonly string[], env: World["env"], { cwd }: World): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: "inherit" });
    const inTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
    const pass = (signal: NodeJS.Signals): void => {
      // A second SIGINT means "now!" to many programs: a Ctrl-C must not arrive twice.
      if (!(inTerminal && typed.includes(signal))) child.kill(signal);
    };
    for (const signal of forwarded) process.on(signal, pass);
    const done = (): void => {
      for (const signal of forwarded) process.off(signal, pass);
    };
    child.once("error", (error: NodeJS.ErrnoException) => {
      done();
      reject(notStarted(command, error));
    });
    child.once("exit", (code, signal) => {
      done();
      // Whoever started us must see the signal too, as if we had not been in between.
      if (signal !== null) process.kill(process.pid, signal);
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

/** The codes are those of a shell. */
function notStarted(command: string, error: NodeJS.ErrnoException): CommandError {
  if (error.code === "ENOENT")
    return new CommandError(127, `${command}: no such command. Is it installed and in PATH?`);
  if (error.code === "EACCES") return new CommandError(126, `${command} may not be executed. Check its permissions.`);
  return new CommandError(126, `${command} could not be started: ${error.message}`);
}
