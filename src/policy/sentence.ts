/**
 * Why a rule fired, in one sentence that a developer at the other end can act on.
 * In: the rule, the figures it fired on, the call. Out: text; no prompt, key or header can be in it.
 * @module
 */
import type { Call } from "../call/call.ts";
import { nounOf, overText } from "./figure-words.ts";
import { filterText } from "./filter.ts";
import { PERCENT } from "./number.ts";
import { outlook } from "./outlook.ts";
import { filled } from "./placeholders.ts";
import type { Action, Plan, Rule } from "./plan.ts";
import { type Closed, figuresOf, type Readings, reached, scopeOf, stateOf } from "./readings.ts";
import type { Figures } from "./verdict.ts";
import { amountPair, amountText, atTime, lengthText, resumeCommand, scopeText, timeText } from "./words.ts";

export interface Occasion {
  readonly plan: Plan;
  readonly call: Call;
  readonly rule: Rule;
  readonly action: Action;
  readonly readings: Readings;
  /** Where the rule had closed its gate before this call. */
  readonly closed: Closed | null;
}

/** The sentence for a rule that fired: the author's own where there is one, else the figures. */
export function sentence(occasion: Occasion): string {
  const { rule, action, closed } = occasion;
  const source = ` (rule "${rule.id}", ${rule.file}:${rule.line})`;
  const own = "message" in action ? action.message : null;
  if (own !== null) return `${filled(own, occasion)}${source}`;
  if (closed !== null) return `${closedText(occasion, closed)}${source}.`;
  return `${reason(occasion)}${source}.${outlook(occasion)}`;
}

/** The sentence for a gate that a person closed. */
export function byHandSentence(scope: Readonly<Record<string, string>>, { since, until }: Closed, now: number): string {
  const opens = until === null ? "" : `, or wait: it reopens ${atTime(until, now)}`;
  return `${scopeText(scope)} was paused by hand ${atTime(since, now)}; ${resumeCommand(scope)} opens it${opens}.`;
}

/** What the rule objects to, without rule and outlook. */
function reason(occasion: Occasion): string {
  const { rule, call, action } = occasion;
  const [condition] = rule.conditions;
  if (condition !== undefined) {
    const figures = figuresOf(condition, occasion.plan, call, occasion.readings);
    if (condition.reading.kind === "call") return ofCall(figures, action);
    return condition.limit.kind === "share"
      ? shareText(figures, condition.limit.millionths, reached(stateOf(occasion.readings, condition.limit.of)))
      : reachText(figures, condition.op);
  }
  if (rule.flag === "call.unpriced") return `no price is known for model ${JSON.stringify(call.modelAsSent)}`;
  if (rule.flag === "call.unmetered") return `this ${call.provider} call spends money in a way that cannot be counted`;
  return rule.filter === null
    ? "this call is refused"
    : `the policy has a rule for calls where ${filterText(rule.filter)}`;
}

function reachText(figures: Figures, op: ">" | ">="): string {
  const { metric, limit, estimate } = figures;
  const total = figures.spent + figures.held + estimate;
  const noun = nounOf(metric);
  const verb = estimate === 0 ? "has reached" : "would reach";
  const over = overText(figures.window);
  if (op === ">=" && total === limit) {
    return `${scopeText(figures.scope)} ${verb} its limit of ${amountText(metric, limit)}${noun}${over}`;
  }
  const [amount, of] = amountPair(metric, total, limit);
  return `${scopeText(figures.scope)} ${verb} ${amount} of ${of}${noun}${over}`;
}

function shareText(figures: Figures, millionths: number, calls: number): string {
  const total = figures.spent + figures.held + figures.estimate;
  const share = calls === 0 ? 0 : Math.round((total / calls) * 1000) / 10;
  const verb = figures.estimate === 0 ? "has reached" : "would reach";
  const noun = nounOf(figures.metric);
  const counts = `${amountText("calls", total)}${noun} in ${amountText("calls", calls)} calls`;
  return `${scopeText(figures.scope)} ${verb} ${counts}${overText(figures.window)}, ${share}% of at most ${millionths / PERCENT}%`;
}

function ofCall({ metric, estimate, limit }: Figures, { kind }: Action): string {
  if (metric === "retries") {
    const retry = `this is retry ${estimate} of the same request`;
    return kind === "backoff" ? retry : `${retry}, and at most ${limit} may be made`;
  }
  const [amount, of] = amountPair(metric, estimate, limit);
  return `this call is estimated at ${amount}${nounOf(metric)}, and the limit is ${of}`;
}

function closedText({ call, rule, readings: { now } }: Occasion, { since, until }: Closed): string {
  const scope = scopeOf(rule.closes, call);
  if (until === null) {
    return `${scopeText(scope)} is paused since ${timeText(since, now)}, until someone runs ${resumeCommand(scope)}`;
  }
  const length = lengthText(until - since);
  return `${scopeText(scope)} is closed for ${length} since ${timeText(since, now)}, reopens ${atTime(until, now)}`;
}
