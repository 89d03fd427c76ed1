import type { Attributes } from "@opentelemetry/api";
import type { Fired, Verdict } from "../policy/verdict.ts";
import { errorTypes, events, guard } from "./attributes.ts";
import type { Decided } from "./telemetry.ts";
import { compact, isoTime, money, shortened } from "./values.ts";

/** What was done about a call: `warn` and `cap` let it go. A refusal is always `deny`; the verdict says which kind. */
export type Decision = "allow" | "warn" | "cap" | "deny";

/** A span event: one rule that spoke. */
export interface Said {
  readonly name: string;
  readonly attributes: Attributes;
}

/** Verdicts and actions that refuse. */
const REFUSING: ReadonlySet<string> = new Set(["deny", "deny for", "pause"]);

/** Names what was enforced, which in shadow mode is not what the rules said. */
export function decisionOf(decided: Decided): Decision {
  if (decided.refused) return "deny";
  if (decided.cap !== null && decided.mode === "enforce") return "cap";
  return decided.verdict.warnings.length > 0 ? "warn" : "allow";
}

/** The decision as attributes; all of it is known before the span starts, so that a sampler can keep refusals. */
export function decisionAttributes(decided: Decided): Attributes {
  const { call } = decided;
  const deciding = decidingRule(decided);
  const would = wouldDeny(decided);
  return compact({
    [guard.decision]: decisionOf(decided),
    [guard.verdict]: verdictOf(decided),
    [guard.mode]: decided.mode,
    ...(deciding === null ? {} : firedAttributes(deciding)),
    [guard.rulesMatched]: decided.matched.length > 0 ? [...decided.matched] : undefined,
    [guard.wouldDeny]: would.length > 0 ? would.map((fired) => fired.rule.id) : undefined,
    [guard.policyId]: decided.policy.files.length > 0 ? decided.policy.files.join(", ") : undefined,
    [guard.policyHash]: decided.policy.hash === "" ? undefined : decided.policy.hash,
    [guard.capTokens]: decided.cap?.tokens,
    [guard.estimateCost]: call.spending === "metered" ? money(call.cost.total) : undefined,
    [guard.estimateInputTokens]: call.spending === "metered" ? call.inputTokens : undefined,
    [guard.estimateOutputTokens]: call.spending === "metered" ? call.outputTokens : undefined,
    [guard.unpriced]: call.unpriced ? true : undefined,
    [guard.unmetered]: call.spending === "unmetered" ? true : undefined,
    [guard.repeat]: decided.repeat ? true : undefined,
    [guard.runCalls]: decided.run.calls ?? undefined,
    [guard.runCost]: decided.run.cost === null ? undefined : money(decided.run.cost),
    [guard.priceTable]: decided.priceTable === "" ? undefined : decided.priceTable,
    [guard.checkDuration]: decided.checkSeconds,
    [guard.store]: decided.store.kind,
    [guard.storeDegraded]: decided.store.degraded ? true : undefined,
  });
}

/** Every rule that spoke, one event each: the refusal, warnings on every call over their line, caps, shadows. */
export function decisionEvents(decided: Decided): readonly Said[] {
  const { verdict, cap } = decided;
  const said: Said[] = [];
  if (decided.refused && verdict.decided !== null) said.push(event(events.deny, verdict.decided));
  for (const fired of verdict.warnings) said.push(event(events.warn, fired));
  for (const fired of cap?.fired ?? []) {
    said.push(event(decided.mode === "enforce" ? events.cap : `${events.would}cap`, fired));
  }
  for (const fired of wouldDeny(decided)) said.push(event(`${events.would}deny`, fired));
  for (const fired of verdict.shadows) {
    if (!refuses(fired)) said.push(event(`${events.would}${fired.action.kind}`, fired));
  }
  return said;
}

/** The low-cardinality reason of a refusal. */
export function refusalType(verdict: Verdict): string {
  return verdict.decided?.rule.flag === "store.down" ? errorTypes.store : errorTypes.budget;
}

/** The rule that names the span: the one that decided, else the first cap or warning. */
function decidingRule({ verdict, cap }: Decided): Fired | null {
  return verdict.decided ?? cap?.fired[0] ?? verdict.warnings[0] ?? null;
}

function verdictOf({ verdict, cap }: Decided): string {
  return cap !== null && !REFUSING.has(verdict.kind) ? "cap" : verdict.kind;
}

/** Shadow rules that would have refused, and in shadow mode the rule that decided. */
function wouldDeny({ verdict, refused }: Decided): readonly Fired[] {
  const shadows = verdict.shadows.filter(refuses);
  const { decided } = verdict;
  return !refused && decided !== null && refuses(decided) ? [decided, ...shadows] : shadows;
}

function refuses(fired: Fired): boolean {
  return REFUSING.has(fired.action.kind);
}

function event(name: string, fired: Fired): Said {
  return { name, attributes: firedAttributes(fired) };
}

/** One rule that fired, with its own words and the figures that it fired on. */
function firedAttributes(fired: Fired): Attributes {
  const { rule, figures, closed } = fired;
  return compact({
    [guard.ruleId]: rule.id,
    [guard.ruleDoc]: rule.doc === null ? undefined : shortened(rule.doc),
    [guard.ruleSource]: `${rule.file}:${rule.line}`,
    [guard.ruleAction]: fired.action.kind,
    [guard.message]: shortened(fired.message),
    ...(figures === null
      ? {}
      : {
          [guard.budgetMeter]: figures.meter,
          [guard.budgetScope]: scopeText(figures.scope),
          [guard.budgetWindow]: figures.window ?? undefined,
          [guard.budgetUnit]: unitOf(figures.metric),
          [guard.budgetLimit]: amount(figures.metric, figures.limit),
          [guard.budgetUsed]: amount(figures.metric, figures.spent),
          [guard.budgetHeld]: amount(figures.metric, figures.held),
          [guard.budgetRemaining]: amount(figures.metric, Math.max(0, figures.limit - figures.spent - figures.held)),
          [guard.budgetResetAt]: figures.resetsAt === null ? undefined : isoTime(figures.resetsAt),
        }),
    [guard.closedSince]: closed === null ? undefined : isoTime(closed.since),
    [guard.closedUntil]: closed === null || closed.until === null ? undefined : isoTime(closed.until),
  });
}

function scopeText(scope: Readonly<Record<string, string>>): string {
  const parts = Object.entries(scope).map(([name, value]) => `${name}=${value}`);
  return parts.length > 0 ? parts.join(",") : "global";
}

function unitOf(metric: string): "USD" | "token" | "call" {
  if (metric === "cost") return "USD";
  return metric.endsWith("tokens") ? "token" : "call";
}

function amount(metric: string, value: number): number {
  return metric === "cost" ? money(value) : value;
}
