import type { Attributes } from "@opentelemetry/api";
import type { Fired } from "../policy/verdict.ts";
import { guard } from "./attributes.ts";
import { compact, isoTime, money, shortened } from "./values.ts";

/** One rule that fired, with its own words and the figures that it fired on. */
export function firedAttributes(fired: Fired): Attributes {
  const { rule, closed } = fired;
  return compact({
    [guard.ruleId]: rule.id,
    [guard.ruleDoc]: rule.doc === null ? undefined : shortened(rule.doc),
    [guard.ruleSource]: `${rule.file}:${rule.line}`,
    [guard.ruleAction]: fired.action.kind,
    [guard.message]: shortened(fired.message),
    ...budgetAttributes(fired),
    [guard.closedSince]: closed === null ? undefined : isoTime(closed.since),
    [guard.closedUntil]: closed === null || closed.until === null ? undefined : isoTime(closed.until),
  });
}

/** The state of the budget at the decision; the figures of a rule are those of its first condition. */
function budgetAttributes({ rule, figures }: Fired): Readonly<Record<string, string | number | undefined>> {
  if (figures === null) return {};
  const { metric, limit } = figures;
  const [condition] = rule.conditions;
  return {
    [guard.budgetName]: condition?.budget ?? undefined,
    [guard.budgetCondition]: condition === undefined ? undefined : shortened(condition.text),
    [guard.budgetMeter]: figures.meter,
    [guard.budgetScope]: scopeText(figures.scope),
    [guard.budgetWindow]: figures.window ?? undefined,
    [guard.budgetUnit]: unitOf(metric),
    [guard.budgetLimit]: amount(metric, limit),
    [guard.budgetUsed]: amount(metric, figures.spent),
    [guard.budgetHeld]: amount(metric, figures.held),
    [guard.budgetRemaining]: amount(metric, Math.max(0, limit - figures.spent - figures.held)),
    [guard.budgetResetAt]: figures.resetsAt === null ? undefined : isoTime(figures.resetsAt),
  };
}

function scopeText(scope: Readonly<Record<string, string>>): string {
  const parts = Object.entries(scope).map(([name, value]) => `${name}=${value}`);
  return parts.length > 0 ? parts.join(",") : "global";
}

/** What the figures of a metric count: retries, repeats and errors are calls. */
export function unitOf(metric: string): "USD" | "token" | "run" | "call" {
  if (metric === "cost") return "USD";
  if (metric === "runs") return "run";
  return metric.endsWith("tokens") ? "token" : "call";
}

/** An amount of a metric for people: dollars for money; absent where there is no limit. */
function amount(metric: string, value: number): number | undefined {
  if (!Number.isFinite(value)) return undefined;
  return metric === "cost" ? money(value) : value;
}
