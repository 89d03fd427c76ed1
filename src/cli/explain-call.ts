/**
 * One call against every rule, for people and for programs.
 * In: a simulated call. Out: a table, sentences, or plain data.
 * @module
 */
import type { Call } from "../call/call.ts";
import { explainRule } from "../policy/explain.ts";
import { plainAmount } from "../policy/explain-amount.ts";
import type { ConditionReport, RuleReport } from "../policy/explain-call.ts";
import { DOLLAR } from "../policy/number.ts";
import type { Plan } from "../policy/plan.ts";
import type { Simulated } from "../policy/simulate.ts";
import { happenedText, outcomeOf } from "../policy/suite-outcome.ts";
import type { Fired } from "../policy/verdict.ts";
import { scopeText } from "../policy/words.ts";
import { columns } from "./columns.ts";
import { READING_TITLES, readingRows } from "./explain-text.ts";
import type { Paint } from "./terminal.ts";

/** The whole answer. `source` says where the readings are from. */
export function callText(
  plan: Plan,
  simulated: Simulated,
  reports: readonly RuleReport[],
  source: string,
  paint: Paint,
): string {
  const { asked, verdict } = simulated;
  const decided = verdict.decided?.message ?? null;
  const stopped = verdict.kind !== "allow" && verdict.kind !== "warn" && verdict.kind !== "backoff";
  const word = paint(stopped ? "red" : "green", capital(happenedText(outcomeOf(simulated))));
  return [
    `${paint("dim", "Call    ")}  ${describe(asked.call)}`,
    `${paint("dim", "Readings")}  ${source}`,
    "",
    plan.rules.length === 0
      ? "This policy has no rules."
      : columns([...READING_TITLES], reports.flatMap(readingRows), paint),
    "",
    `${word}.${decided === null ? "" : ` ${capital(decided)}`}`,
    ...aside(simulated),
  ].join("\n");
}

/** What else was done or said. */
function aside({ route, cap, unshaped, verdict, judged }: Simulated): string[] {
  const others = (fired: readonly Fired[]): readonly Fired[] =>
    fired.filter((one) => one.rule.id !== verdict.decided?.rule.id);
  return [
    ...(route === null ? [] : [`It would be sent to ${route.to} instead of ${route.from}: ${describe(judged.call)}.`]),
    ...(cap === null ? [] : [`Its answer would be capped at ${plainAmount("tokens", cap.tokens)} tokens.`]),
    ...unshaped.map(({ fired, why }) => `\`${fired.rule.id}\` would change it and cannot: ${why}.`),
    ...others(verdict.warnings).map(({ message }) => `Warning: ${message}`),
    ...others(verdict.waits).map(({ message, action }) => `${capital(action.kind)}: ${message}`),
    ...verdict.shadows.map(({ message }) => `In shadow: ${message}`),
  ];
}

/** `gpt-5 of openai, tenant "acme"; 12,000 tokens in, 800 out, estimated at $0.023`. */
function describe(call: Call): string {
  const { model: _model, provider: _provider, ...subject } = call.subject;
  const named = Object.fromEntries(
    Object.entries(subject).filter(([name, value]) => value !== "(none)" && !(name === "run" && value === "this run")),
  );
  const whose = Object.keys(named).length === 0 ? "" : `, ${scopeText(named)}`;
  const tokens = `${plainAmount("tokens", call.inputTokens)} tokens in, ${plainAmount("tokens", call.outputTokens)} out`;
  const cost = `estimated at ${plainAmount("cost", call.cost.total)}`;
  return `${call.modelAsSent} of ${call.provider}${whose}; ${tokens}, ${cost}${call.unpriced ? " (no price is known)" : ""}`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The same as plain data: dollars or counts, times in ISO 8601. */
export function callJson(plan: Plan, simulated: Simulated, reports: readonly RuleReport[], source: string): unknown {
  const { judged, asked, verdict, route, cap, unshaped, outage } = simulated;
  return {
    call: callFields(asked.call),
    judged: judged.call === asked.call ? null : callFields(judged.call),
    readings: source,
    at: iso(judged.readings.now),
    rules: reports.map((report) => ruleFields(report, plan)),
    decision: {
      verdict: verdict.kind,
      rule: verdict.decided?.rule.id ?? null,
      message: verdict.decided?.message ?? null,
      done: [...outcomeOf(simulated).acts].map(([act, by]) => ({ act, by })),
      route: route === null ? null : { from: route.from, to: route.to },
      cap: cap?.tokens ?? null,
      unshaped: unshaped.map(({ fired, why }) => ({ rule: fired.rule.id, why })),
      warnings: verdict.warnings.map(({ rule, message }) => ({ rule: rule.id, message })),
      shadows: verdict.shadows.map(({ rule, message }) => ({ rule: rule.id, message })),
      storeDown: outage?.kind ?? null,
    },
  };
}

const callFields = (call: Call) => ({
  provider: call.provider,
  model: call.model,
  modelAsSent: call.modelAsSent,
  subject: call.subject,
  inputTokens: call.inputTokens,
  outputTokens: call.outputTokens,
  maxTokens: call.maxTokens,
  cost: call.cost.total / DOLLAR,
  unpriced: call.unpriced,
});

function ruleFields({ rule, matches, why, closed, conditions, fired }: RuleReport, plan: Plan) {
  const { id, text, file, line, shadow, actions } = rule;
  const sentence = explainRule(rule, plan);
  const acts = actions.map(({ kind }) => kind);
  return {
    rule: id,
    text,
    file,
    line,
    shadow,
    sentence,
    matches,
    why,
    fired,
    actions: acts,
    closed:
      closed === null ? null : { since: iso(closed.since), until: closed.until === null ? null : iso(closed.until) },
    conditions: conditions.map(conditionFields),
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** Infinite amounts are null: there is no limit. */
function conditionFields({ condition, path, figures, total, headroom }: ConditionReport) {
  const { metric, scope, spent, held, estimate, limit, resetsAt } = figures;
  const size = metric === "cost" ? DOLLAR : 1;
  const shown = (amount: number): number | null => (Number.isFinite(amount) ? amount / size : null);
  return {
    condition: condition.text,
    meter: path,
    scope,
    unit: metric === "cost" ? "USD" : metric,
    spent: shown(spent),
    held: shown(held),
    estimate: shown(estimate),
    total: shown(total),
    limit: shown(limit),
    headroom: shown(headroom),
    resets_at: resetsAt === null ? null : iso(resetsAt),
  };
}
