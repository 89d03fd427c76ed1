import { writeSync } from "node:fs";
import type { LogLevel } from "../config.ts";

/** The guard's own voice. Messages are one line for people and never hold a prompt, a key or a header. */
export interface Log {
  error(message: string): void;
  warn(message: string): void;
  info(message: string): void;
  debug(message: string): void;
  /** Says it the first time only, per key. */
  once(key: string, level: Exclude<LogLevel, "silent">, message: string): void;
}

const rank = { silent: 0, error: 1, warn: 2, info: 3, debug: 4 } as const;

/** Keys that `once` remembers; past it nothing new is said once, so that a flood of keys is no leak and no flood. */
const MAX_KEYS = 1000;

/** A log on stderr that is silent below `level` and never throws, whatever became of stderr. */
export function createLog(level: LogLevel, write: (line: string) => void = toStderr): Log {
  const said = new Set<string>();
  const speak = (at: Exclude<LogLevel, "silent">, message: string): void => {
    if (rank[at] > rank[level]) return;
    try {
      write(`budget-guard: ${printable(message)}\n`);
    } catch {
      // Nobody is listening any more (EPIPE), and the application must not learn of it through us.
    }
  };
  return Object.freeze({
    error: (message: string) => speak("error", message),
    warn: (message: string) => speak("warn", message),
    info: (message: string) => speak("info", message),
    debug: (message: string) => speak("debug", message),
    once: (key: string, at: Exclude<LogLevel, "silent">, message: string) => {
      if (said.has(key) || said.size >= MAX_KEYS) return;
      said.add(key);
      speak(at, message);
    },
  });
}

/** Synchronous, so that a line is out before a crash; `process.stderr` would turn EPIPE into an uncaught error event. */
function toStderr(line: string): void {
  writeSync(2, line);
}

/** Model names and ids come from requests: they must not forge lines or move a terminal's cursor. */
function printable(message: string): string {
  return message.replace(/[^\P{Cc}\n]/gu, " ");
}
