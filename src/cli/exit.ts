/**
 * The command line: one verb a file. In: arguments, environment, working directory. Out: data on stdout, talk on
 * stderr, and one of five exit codes.
 * @module
 */

/** What a command ends with. `findings`: it ran, and what it looked for is there (or, for `resume`, is not). */
export const exit = { fine: 0, findings: 1, usage: 2, store: 3, config: 78 } as const;

/** Ends a command with a sentence on stderr and this code. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The command was written wrongly; `verb` names the help to look at. */
export function usageError(message: string, verb: string | null): CommandError {
  const help = verb === null ? "budget-guard --help" : `budget-guard ${verb} --help`;
  return new CommandError(exit.usage, `${message}\nSee \`${help}\`.`);
}
