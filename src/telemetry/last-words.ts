import type { CostConvention } from "../config.ts";
import { moduleFile } from "../paths.ts";
import type { Account } from "./observation.ts";

/** What the emitting process needs to make the spans of a process that is ending. */
export interface LastWords {
  readonly accounts: readonly Account[];
  readonly folders: readonly string[];
  readonly conventions: readonly CostConvention[];
  readonly version: string;
}

/** How long the end of the process is held up at most, ms. */
const CAP = 4_000;

/**
 * Delivers what a process still holds in its very last moment. A refusal is often the last thing a process lives to
 * see: the SDK's error is not caught, and then nothing asynchronous runs any more. So another process says it, while
 * this one waits. Only figures and ids are handed over, through a pipe. False where they could not be delivered.
 */
export function speakLast(words: LastWords): boolean {
  const env = { ...process.env };
  // The flags of this process, our own preload among them, are not for the messenger, nor is it to be given any.
  delete env.NODE_OPTIONS;
  env.BUDGET_GUARD_MODE = "off";
  try {
    // Loaded only here: it takes two milliseconds, which the start of every process would pay.
    const { spawnSync } = process.getBuiltinModule("node:child_process");
    const { status } = spawnSync(process.execPath, [moduleFile("telemetry/emit")], {
      input: JSON.stringify({ ...words, accounts: words.accounts.map(portable) }),
      env,
      timeout: CAP,
      killSignal: "SIGKILL",
      stdio: ["pipe", "ignore", "ignore"],
      windowsHide: true,
    });
    return status === 0;
  } catch {
    // Node's permission model forbids child processes; an error here would change the exit code.
    return false;
  }
}

/** The context is an object of this process; the ids stand for it. */
function portable({ observation, ended, ids }: Account): Account {
  return { observation: { ...observation, arrival: { ...observation.arrival, context: null } }, ended, ids };
}
