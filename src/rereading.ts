/**
 * The policy as its files say it now, for a process that runs: what is wrong with it is told, never thrown.
 * @module
 */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import type { Config } from "./config.ts";
import { ConfigError, PolicyError } from "./errors.ts";
import { readPolicies, type Source } from "./files.ts";
import { loadPlan } from "./load-plan.ts";
import type { Plan } from "./policy/plan.ts";
import type { PolicyRead } from "./reloading.ts";

type Where = Pick<Config, "root" | "policy">;

/** The policy of a process that starts: PolicyError or ConfigError where it is broken. */
export function readFirst(where: Where): Sound {
  return compiled(where, readPolicies(where));
}

/** Reads and compiles the policy again. `had`: a process that had a policy does not go on without one. */
export function readAgain(where: Where, had: boolean): PolicyRead {
  let sources: readonly Source[] = [];
  try {
    sources = readPolicies(where);
    if (sources.length === 0 && had)
      throw new ConfigError(`${where.policy.paths.join(", ")} holds no policy any more.`);
    return compiled(where, sources);
  } catch (error) {
    if (!(error instanceof ConfigError) && !(error instanceof PolicyError)) throw error;
    const told = error instanceof PolicyError ? `it has errors.\n\n${error.diagnostics}\n` : error.message;
    const errors = error instanceof PolicyError ? countOf(error.diagnostics) : 1;
    const identity = identityOf(where, sources);
    return { plan: null, told, errors, ...identity, content: `${identity.content} ${told}` };
  }
}

type Sound = PolicyRead & { readonly plan: Plan };

function compiled(where: Where, sources: readonly Source[]): Sound {
  const warnings: string[] = [];
  const plan = loadPlan(sources, (text) => warnings.push(text));
  return { plan, told: warnings.join("\n"), errors: 0, ...identityOf(where, sources) };
}

const countOf = (diagnostics: string): number => diagnostics.match(/^error\[/gm)?.length ?? 1;

function identityOf({ root, policy }: Where, sources: readonly Source[]) {
  const hash = createHash("sha256");
  for (const { file, text } of sources) hash.update(JSON.stringify([file, text]));
  return {
    content: hash.digest("base64"),
    hollow: sources.some(({ text }) => text.trim() === ""),
    paths: [...policy.paths, ...sources.map(({ file }) => resolve(root, file))],
  };
}
