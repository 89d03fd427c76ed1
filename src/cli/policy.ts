/**
 * The policy as a command needs it: compiled, or its diagnostics shown.
 * @module
 */
import type { Config } from "../config.ts";
import { loadSources, type Source } from "../files.ts";
import { compile } from "../policy/compile.ts";
import type { Diagnostic } from "../policy/diagnostics.ts";
import type { Plan } from "../policy/plan.ts";
import { CommandError, exit } from "./exit.ts";
import { count } from "./phrases.ts";
import { show } from "./show.ts";
import type { Terminal } from "./terminal.ts";

export interface Policy {
  readonly plan: Plan;
  readonly sources: readonly Source[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads and compiles the policy; with errors it shows them all on stderr and ends with 78. */
export function loadPolicy(config: Pick<Config, "root" | "policy">, { err }: Terminal): Policy {
  const { sources: named, read } = loadSources(config);
  const { plan, diagnostics, sources } = compile(named, { read });
  if (plan !== null) return { plan, sources, diagnostics };
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  err.line(show(errors, sources, err.paint));
  throw new CommandError(
    exit.config,
    `\nThe policy has ${count(errors.length, "error")}. Correct it, and see \`npx budget-guard check\`.`,
  );
}

/** The plan, or null with a word on stderr where the policy has errors: for verbs that must work all the same. */
export function leniently(config: Pick<Config, "root" | "policy">, { err }: Terminal): Plan | null {
  const { sources, read } = loadSources(config);
  const { plan, diagnostics } = compile(sources, { read });
  if (plan !== null) return plan;
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  err.line(`The policy has ${count(errors, "error")} and is left aside here; see \`npx budget-guard check\`.`);
  return null;
}
