import type { Bill, Cost } from "../call/call.ts";
import type { Fired } from "../policy/verdict.ts";
import {
  AUDIT_VERSION,
  type AuditCost,
  type AuditFigures,
  type AuditLine,
  type AuditSettlement,
} from "./audit-line.ts";
import { statusOf } from "./bill.ts";
import { decidingRule, decisionOf, verdictOf, wouldDeny } from "./decision.ts";
import { unitOf } from "./fired.ts";
import type { Arrival, Decided, Ended, Later } from "./telemetry.ts";
import { isoTime, money } from "./values.ts";

/** The audit line of one call: refused where `ended` is null, else settled. */
export function auditEntry(arrival: Arrival, decided: Decided, ended: Ended | null): AuditLine {
  const { call, cap, route } = decided;
  const deciding = decidingRule(decided);
  return {
    v: AUDIT_VERSION,
    time: isoTime(arrival.at),
    seconds: ended === null ? refusedAfter(decided) : Math.max(0, ended.endedAt - arrival.at) / 1000,
    attempt: call.attempt,
    provider: call.provider,
    operation: call.operation,
    spending: call.spending,
    host: call.host,
    port: call.port,
    model: { asked: call.modelAsSent, canonical: call.model, answered: answered(ended) },
    subject: call.subject,
    runSource: call.runSource,
    stream: call.stream,
    maxTokens: call.maxTokens,
    estimate: { inputTokens: call.inputTokens, outputTokens: call.outputTokens, cost: dollars(call.cost) },
    bill: ended === null ? null : billOf(ended),
    ...(ended?.work !== undefined && { work: ended.work }),
    unpriced: ended === null ? call.unpriced : ended.bill.unpriced,
    outcome: ended === null ? "refused" : ended.outcome.kind,
    status: ended === null ? null : (statusOf(ended.outcome) ?? null),
    decision: decisionOf(decided),
    verdict: verdictOf(decided),
    mode: decided.mode,
    rule: deciding === null ? null : ruleOf(deciding),
    figures: deciding === null ? null : figuresOf(deciding),
    warned: decided.verdict.warnings.map(({ rule }) => rule.id),
    wouldDeny: wouldDeny(decided).map(({ rule }) => rule.id),
    attemptNumber: decided.attemptNumber,
    sdkRetry: call.sdkRetry,
    repeat: decided.repeat,
    fingerprint: call.fingerprint,
    policy: decided.policy.hash,
    waited: decided.waited,
    route: route === null ? null : { from: route.from, to: route.to },
    cap: cap?.tokens ?? null,
    unshaped: decided.unshaped.map(({ fired, why }) => ({ rule: fired.rule.id, why })),
    store: decided.store,
  };
}

/** The audit line of work that has ended at `at`, ms since 1970. */
export function auditSettlement({ call, work, bill, judgedAt }: Later, at: number): AuditSettlement {
  return {
    v: AUDIT_VERSION,
    kind: "settlement",
    time: isoTime(at),
    seconds: Math.max(0, at - judgedAt) / 1000,
    attempt: call.attempt,
    work,
    provider: call.provider,
    operation: call.operation,
    model: { asked: call.modelAsSent, canonical: call.model, answered: bill.model },
    subject: call.subject,
    bill: paidOf(bill),
    unpriced: bill.unpriced,
  };
}

const refusedAfter = ({ checkSeconds, waited }: Decided): number =>
  checkSeconds + (waited?.hold ?? 0) + (waited?.backoff ?? 0);

function answered(ended: Ended | null): string | null {
  return ended === null || !("status" in ended.outcome) || ended.outcome.status === null ? null : ended.bill.model;
}

const billOf = ({ bill, wasted }: Ended): AuditLine["bill"] => ({ ...paidOf(bill), wasted });

function paidOf({ usage: { reportedCost: _, ...usage }, cost, source }: Bill): AuditSettlement["bill"] {
  return { usage, cost: dollars(cost), source };
}

const ruleOf = ({ rule, action }: Fired): AuditLine["rule"] => ({
  id: rule.id,
  action: action.kind,
  source: `${rule.file}:${rule.line}`,
});

function figuresOf({ figures }: Fired): AuditFigures | null {
  if (figures === null) return null;
  const { metric, limit, resetsAt } = figures;
  const amount = (value: number): number => (metric === "cost" ? money(value) : value);
  return {
    meter: figures.meter,
    scope: figures.scope,
    window: figures.window,
    unit: unitOf(metric),
    spent: amount(figures.spent),
    held: amount(figures.held),
    estimate: amount(figures.estimate),
    limit: Number.isFinite(limit) ? amount(limit) : null,
    resetsAt: resetsAt === null ? null : isoTime(resetsAt),
  };
}

function dollars(cost: Cost): AuditCost {
  return {
    input: money(cost.input),
    output: money(cost.output),
    cacheRead: money(cost.cacheRead),
    cacheWrite: money(cost.cacheWrite),
    reasoning: money(cost.reasoning),
    tools: money(cost.tools),
    total: money(cost.total),
  };
}
