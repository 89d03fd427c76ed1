/**
 * The policy as its files say it now, for a process that runs: what is wrong with it is told, never thrown.
 * @module
 */
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Config } from "./config.ts";
import { ConfigError, PolicyError } from "./errors.ts";
import { loadSources } from "./files.ts";
import { observing } from "./observing.ts";
import { compile } from "./policy/compile.ts";
import { renderAll } from "./policy/diagnostics.ts";
import type { Plan } from "./policy/plan.ts";
import type { PolicyRead } from "./reloading.ts";

type Where = Pick<Config, "root" | "policy">;
type Sound = PolicyRead & { readonly plan: Plan };

/** The policy of a process that starts: PolicyError or ConfigError where it is broken. */
export function readFirst(where: Where): Sound {
  const read = compiled(where);
  if (read.plan !== null) return { ...read, plan: read.plan };
  throw new PolicyError(`the policy has ${countText(read.errors)}, so nothing was started.`, read.diagnostics);
}

/** Reads and compiles the policy again. `had`: a process that had a policy does not go on without one. */
export function readAgain(where: Where, had: boolean): PolicyRead {
  const { paths } = where.policy;
  try {
    const read = compiled(where);
    if (had && read.plan?.files.length === 0) throw new ConfigError(`${paths.join(", ")} holds no policy any more.`);
    return read;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { plan: null, told: error.message, errors: 1, content: error.message, hollow: false, paths };
  }
}

function compiled(where: Where): PolicyRead & { readonly diagnostics: string } {
  for (const path of where.policy.paths) refusePipe(path);
  const { sources: named, read } = loadSources(where);
  const { plan, diagnostics: all, sources, files } = compile(named, { read });
  const found = all.filter(({ severity }) => severity !== "info");
  const diagnostics = renderAll(found, sources);
  const errors = found.filter(({ severity }) => severity === "error").length;
  const state = {
    errors,
    diagnostics,
    hollow: sources.some(({ text }) => text.trim() === ""),
    paths: [...where.policy.paths, ...files.map((file) => resolve(where.root, file))],
  };
  if (plan === null) {
    const texts = createHash("sha256").update(JSON.stringify(sources)).update(diagnostics).digest("base64");
    return { plan, told: `it has ${countText(errors)}.\n\n${diagnostics}\n`, content: texts, ...state };
  }
  const told = found.length === 0 ? "" : `the policy can be better:\n\n${diagnostics}\n`;
  return { plan: observing(plan), told, content: [plan.hash, ...plan.files].join(" "), ...state };
}

/** A pipe says something else when it is read again: nothing, which would be a policy without rules. */
function refusePipe(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || stat.isFile() || stat.isDirectory()) return;
  throw new ConfigError(`${path} is no ordinary file, and a policy is read again while the process runs.`);
}

const countText = (errors: number): string => `${errors} ${errors === 1 ? "error" : "errors"}`;
