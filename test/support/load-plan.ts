/**
 * Policy text → plan, for tests that need no files: every diagnostic or none.
 * @module
 */
import { PolicyError } from "../../src/errors.ts";
import type { Source } from "../../src/files.ts";
import { observing } from "../../src/observing.ts";
import { type CompileOptions, compile } from "../../src/policy/compile.ts";
import { renderAll } from "../../src/policy/diagnostics.ts";
import type { Plan } from "../../src/policy/plan.ts";

/** Compiles the policy, with `options.read` for what it imports; PolicyError with all diagnostics where it has errors. Warnings go to `warn`. */
export function loadPlan(named: readonly Source[], warn: (text: string) => void, options: CompileOptions = {}): Plan {
  const { plan, diagnostics, sources } = compile(named, options);
  const told = diagnostics.filter(({ severity }) => severity !== "info");
  if (plan === null) {
    const errors = told.filter(({ severity }) => severity === "error").length;
    const count = `${errors} ${errors === 1 ? "error" : "errors"}`;
    throw new PolicyError(`the policy has ${count}, so nothing was started.`, renderAll(told, sources));
  }
  if (told.length > 0) warn(`the policy can be better:\n\n${renderAll(told, sources)}\n`);
  return observing(plan);
}
