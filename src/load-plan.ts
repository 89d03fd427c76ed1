/**
 * Policy text → plan, for a process that starts: every diagnostic or none.
 * @module
 */
import { PolicyError } from "./errors.ts";
import type { Source } from "./files.ts";
import { compile } from "./policy/compile.ts";
import { renderAll } from "./policy/diagnostics.ts";
import type { Meter, Plan } from "./policy/plan.ts";

/** Compiles the policy; PolicyError with all diagnostics where it has errors. Warnings go to `warn`. */
export function loadPlan(sources: readonly Source[], warn: (text: string) => void): Plan {
  const { plan, diagnostics } = compile(sources);
  const told = diagnostics.filter(({ severity }) => severity !== "info");
  if (plan === null) {
    const errors = told.filter(({ severity }) => severity === "error").length;
    const count = `${errors} ${errors === 1 ? "error" : "errors"}`;
    throw new PolicyError(`the policy has ${count}, so nothing was started.`, renderAll(told, sources));
  }
  if (told.length > 0) warn(`the policy can be better:\n\n${renderAll(told, sources)}\n`);
  return sources.length === 0 ? observing(plan) : plan;
}

/** With no policy the guard still counts, so that `status` shows what a first policy should limit. */
function observing(plan: Plan): Plan {
  const daily = { kind: "daily", timezone: "UTC" } as const;
  const meters: readonly Meter[] = [
    { id: "global.cost.daily", scopes: [], metric: "cost", window: daily },
    { id: "global.calls.daily", scopes: [], metric: "calls", window: daily },
    { id: "tenant.cost.daily", scopes: ["tenant"], metric: "cost", window: daily },
  ];
  return Object.freeze({ ...plan, meters: Object.freeze(meters) });
}
