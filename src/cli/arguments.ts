/**
 * Arguments of a verb, by `node:util` parseArgs, with a word on what was probably meant.
 * @module
 */
import { parseArgs } from "node:util";
import { closest } from "../policy/suggest.ts";
import { usageError } from "./exit.ts";
import type { Arguments, Verb } from "./verb.ts";

/** Reads the words after the verb; throws a usage error for what the verb does not know. */
export function readArguments(verb: Verb, args: readonly string[]): Arguments {
  if (verb.passthrough === true) return passedThrough(verb, args);
  const options = {
    help: { type: "boolean" as const, short: "h" },
    ...Object.fromEntries(Object.entries(verb.options).map(([name, { type }]) => [name, { type }])),
  };
  // Tokens first: parseArgs' own message for an unknown option cannot say which one was meant.
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  for (const token of tokens) {
    if (token.kind === "option" && !(token.name in options)) {
      throw usageError(unknownOption(token.rawName, Object.keys(options)), verb.name);
    }
  }
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
    return { values, words: positionals };
  } catch (error) {
    throw usageError(`${error instanceof Error ? error.message : String(error)}.`.replace("..", "."), verb.name);
  }
}

/** `run`: only a leading `--help` or `--` is ours; all else is the other command's. */
function passedThrough(verb: Verb, args: readonly string[]): Arguments {
  const [first = "", ...rest] = args;
  if (first === "--help" || first === "-h") return { values: { help: true }, words: [] };
  if (first === "--") return { values: {}, words: rest };
  if (first.startsWith("-")) {
    throw usageError(`${unknownOption(first, ["help"])} Put \`--\` before the command.`, verb.name);
  }
  return { values: {}, words: args };
}

function unknownOption(given: string, known: readonly string[]): string {
  const guess = closest(given.replace(/^-+/, ""), known);
  return `Unknown option ${given}.${guess === null ? "" : ` Did you mean --${guess}?`}`;
}
