/**
 * What every verb is: words for its help, its options, and a function from arguments to an exit code.
 * @module
 */
import type { Clock } from "../clock.ts";
import type { Terminal } from "./terminal.ts";

export interface Option {
  readonly type: "boolean" | "string";
  /** What stands for the value in the help: `DURATION`. Only where the type is string. */
  readonly value?: string;
  readonly help: string;
}

export interface Arguments {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly words: readonly string[];
}

/** What a verb may know of the world. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly clock: Clock;
  readonly terminal: Terminal;
}

export interface Verb {
  readonly name: string;
  /** One line for the list of verbs. */
  readonly summary: string;
  /** What follows `budget-guard <name>`. */
  readonly usage: string;
  /** Paragraphs of the verb's own help. */
  readonly about: readonly string[];
  readonly options: Readonly<Record<string, Option>>;
  /** Command lines, each with what it does. */
  readonly examples: readonly (readonly [command: string, does: string])[];
  /** True where everything after the verb belongs to another command. */
  readonly passthrough?: boolean;
  run(given: Arguments, world: World): Promise<number>;
}
