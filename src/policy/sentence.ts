/**
 * Why a rule fired, in one sentence that a developer at the other end can act on.
 * In: the rule, the figures it fired on, the call. Out: text; no prompt, key or header can be in it.
 * @module
 */
import { type Call, NONE } from "../call/call.ts";
import { filterText } from "./filter.ts";
import { PERCENT } from "./number.ts";
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
  const { rule, call } = occasion;
  const [condition] = rule.conditions;
  if (condition !== undefined) {
    const figures = figuresOf(condition, occasion.plan, call, occasion.readings);
    if (condition.reading.kind === "call") return ofCall(figures);
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

const nouns: Readonly<Record<string, string>> = {
  cost: "",
  tokens: " tokens",
  input_tokens: " input tokens",
  output_tokens: " output tokens",
  calls: " calls",
  retries: " retries",
  repeats: " repeats",
  errors: " errors",
  concurrency: " calls in flight",
};

function reachText(figures: Figures, op: ">" | ">="): string {
  const { metric, limit, estimate } = figures;
  const total = figures.spent + figures.held + estimate;
  const noun = nouns[metric] ?? "";
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
  const noun = nouns[figures.metric] ?? "";
  const counts = `${amountText("calls", total)}${noun} in ${amountText("calls", calls)} calls`;
  return `${scopeText(figures.scope)} ${verb} ${counts}${overText(figures.window)}, ${share}% of at most ${millionths / PERCENT}%`;
}

function ofCall({ metric, estimate, limit }: Figures): string {
  if (metric === "retries") return `this is retry ${estimate} of the same request, and at most ${limit} may be made`;
  const [amount, of] = amountPair(metric, estimate, limit);
  return `this call is estimated at ${amount}${nouns[metric] ?? ""}, and the limit is ${of}`;
}

function overText(window: string | null): string {
  switch (window) {
    case null:
    case "run":
      return "";
    case "hourly":
      return " this hour";
    case "daily":
      return " today";
    case "weekly":
      return " this week";
    case "monthly":
      return " this month";
    case "total":
      return " in total";
    default:
      return ` in the last ${lengthOf(window).replace(/^1 /, "")}`;
  }
}

const lengthOf = (window: string): string => {
  const unit = window.replace(/^last \d+/, "");
  const count = Number.parseInt(window.slice("last ".length), 10);
  const size = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 }[unit] ?? 1;
  return lengthText(count * size);
};

/** What would let this call through, and when it may be tried again. */
function outlook(occasion: Occasion): string {
  const { call, rule, action, readings } = occasion;
  const { now } = readings;
  if (action.kind === "cap") return ` Its answer is capped at ${amountText("tokens", action.tokens)} tokens.`;
  // Whoever reopens the gate for the same call only sees it close again.
  const alone = aloneText(occasion);
  if (action.kind === "pause") {
    return `${alone} Paused until someone runs ${resumeCommand(scopeOf(rule.closes, call))}.`;
  }
  if (action.kind === "deny for") {
    return `${alone} Closed for ${lengthText(action.ms)}, until ${timeText(now + action.ms, now)}.`;
  }
  return alone === "" ? resetOutlook(occasion) : alone;
}

/** Where no room would be enough for this call, because it is over the limit by itself. */
function aloneText({ plan, call, rule, readings }: Occasion): string {
  const [condition] = rule.conditions;
  if (condition === undefined || condition.limit.kind !== "fixed") return "";
  const { metric, estimate, limit } = figuresOf(condition, plan, call, readings);
  if (estimate <= limit) return "";
  const smaller = metric === "cost" || metric === "tokens" || metric === "output_tokens";
  // Of one call the reason already says that it is the call itself.
  if (condition.reading.kind === "call") return smaller ? " A smaller max_tokens lowers the estimate." : "";
  return ` This call alone is over the limit${smaller ? "; a smaller max_tokens lowers its estimate" : ""}.`;
}

function resetOutlook({ plan, call, rule, readings }: Occasion): string {
  const { now } = readings;
  const [condition] = rule.conditions;
  if (condition === undefined || condition.reading.kind === "call") return "";
  const { resetsAt, window } = figuresOf(condition, plan, call, readings);
  if (resetsAt === null) return withoutReset(window);
  return window?.startsWith("last")
    ? ` Room returns from ${timeText(resetsAt, now)}.`
    : ` Resets ${atTime(resetsAt, now)}.`;
}

/** What helps where no time does. */
function withoutReset(window: string | null): string {
  if (window === "run") return " A new run starts at zero.";
  if (window === "total") return " A total never resets: only a higher limit in the policy makes room.";
  return window === null ? " Room returns when one of these calls ends." : "";
}

function closedText({ call, rule, readings: { now } }: Occasion, { since, until }: Closed): string {
  const scope = scopeOf(rule.closes, call);
  if (until === null) {
    return `${scopeText(scope)} is paused since ${timeText(since, now)}, until someone runs ${resumeCommand(scope)}`;
  }
  const length = lengthText(until - since);
  return `${scopeText(scope)} is closed for ${length} since ${timeText(since, now)}, reopens ${atTime(until, now)}`;
}

/** The author's message with its placeholders filled. */
function filled(message: string, occasion: Occasion): string {
  const { plan, call, rule, readings } = occasion;
  const [condition] = rule.conditions;
  const figures = condition === undefined ? null : figuresOf(condition, plan, call, readings);
  return message.replace(/\{([^{}\s]*)\}/g, (text, name: string) => {
    switch (name) {
      case "spent":
      case "limit":
      case "estimate":
        return figures === null
          ? "an unknown amount"
          : `${amountText(figures.metric, figures[name])}${nouns[figures.metric] ?? ""}`;
      case "window":
        return figures === null ? "now" : overText(figures.window).trim() || "now";
      case "reset":
        return resetText(occasion, figures);
      case "rule":
        return rule.id;
      default:
        return call.subject[name] ?? (plan.dimensions.includes(name) ? NONE : text);
    }
  });
}

function resetText({ action, readings: { now }, closed }: Occasion, figures: Figures | null): string {
  // A pause outlives its window: any date would be a promise that only a person can keep.
  if (action.kind === "pause") return "manual resume";
  if (closed !== null && closed.until !== null) return timeText(closed.until, now);
  if (action.kind === "deny for") return timeText(Math.max(now + action.ms, figures?.resetsAt ?? 0), now);
  return figures === null || figures.resetsAt === null ? "further notice" : timeText(figures.resetsAt, now);
}
