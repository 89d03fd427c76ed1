/**
 * Which factors of Max_Burn no rule bounds, and the one line that would bound each.
 * @module
 */
import type { Burn } from "./burn.ts";
import { refuses } from "./burn-bounds.ts";
import { filterText, type Population } from "./burn-filter.ts";
import type { MonthlyBudget } from "./burn-verdict.ts";
import type { Plan, Rule } from "./plan.ts";

/** A factor that no rule bounds, and the line that would. */
export interface Gap {
  readonly factor: "iterations" | "input tokens" | "output tokens" | "model rate" | "retries" | "concurrency" | "month";
  readonly why: string;
  readonly line: string;
}

/** What no rule bounds for these calls; `budget` in nano-dollars is what the month's line is written with. */
export function gapsOf(plan: Plan, burn: Burn, budget: MonthlyBudget | null, oneModel: boolean): readonly Gap[] {
  const { call, iterations, run, parallel, population } = burn;
  if (call === null) return [];
  const gaps: Gap[] = [];
  const when = whenText(population);
  const add = (factor: Gap["factor"], why: string, line: string): void => {
    gaps.push({ factor, why, line });
  };
  if (iterations === null) {
    const why = run === null ? "a run may go on for ever" : "a run ends by its money alone";
    add("iterations", why, `run.calls > 25${when} -> deny`);
  }
  if (call.cost.rule === null) {
    if (call.input.rule === null) {
      add("input tokens", "a prompt may fill the model's whole context", `call.input_tokens > 16K${when} -> deny`);
    }
    if (call.output.rule === null) {
      const line = `call.output_tokens > 4K${when} -> cap 4K tokens`;
      add("output tokens", "an answer may be as long as the model can make it", line);
    }
  }
  if (!oneModel && call.route === null && !plan.rules.some(choosesModels)) {
    add(
      "model rate",
      "any model may be asked for, the dearest too",
      `when model matches "${call.model.model}*" -> deny`,
    );
  }
  if (call.attempts === null && iterations === null && burn.retries === null) {
    add("retries", "a failed call may be tried again without end", `call.retries > 2${when} -> deny`);
  }
  if (parallel === null || parallel.scopes.length > 0) {
    const scope = Object.keys(population)[0] ?? "global";
    const why =
      parallel === null
        ? "any number of runs may go at once"
        : `no rule bounds how many ${these(parallel.scopes)} there are`;
    add("concurrency", why, `${scope}.concurrency > 8${when} -> hold 20s`);
  }
  if (burn.month === null) {
    const scope = Object.keys(population)[0] ?? "global";
    const amount = budget === null ? "$1K" : dollarsText(budget.nano);
    add("month", "runs that each end may be started without end", `${scope}.monthly > ${amount}${when} -> deny`);
  }
  return gaps;
}

/** Whether a rule says which models may be asked for, whatever else it looks at. */
const choosesModels = (rule: Rule): boolean =>
  !rule.shadow &&
  rule.conditions.length === 0 &&
  (refuses(rule) || rule.actions.some(({ kind }) => kind === "route")) &&
  mentionsModel(rule.filter);

function mentionsModel(filter: Rule["filter"]): boolean {
  if (filter === null) return false;
  switch (filter.kind) {
    case "and":
    case "or":
      return filter.of.some(mentionsModel);
    case "not":
      return mentionsModel(filter.of);
    default:
      return filter.dimension === "model";
  }
}

const these = (scopes: readonly string[]): string => scopes.map((scope) => `${scope}s`).join(" and ");

function whenText(population: Population): string {
  const parts = Object.entries(population).map(([dimension, value]) =>
    filterText({ kind: "in", dimension, values: [value] }),
  );
  return parts.length === 0 ? "" : ` when ${parts.join(" and ")}`;
}

const dollarsText = (nano: number): string => {
  const dollars = nano / 1e9;
  return dollars >= 1_000 && dollars % 100 === 0 ? `$${dollars / 1_000}K` : `$${dollars}`;
};
