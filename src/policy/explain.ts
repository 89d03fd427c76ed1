/**
 * A rule as one English sentence: when it fires, what then, and what it does not prevent.
 * In: a rule of a plan. Out: "When a call would bring the tenant's spend this hour above $50: refuse the call."
 * @module
 */
import { limitPhrase, ordinal, plainAmount } from "./explain-amount.ts";
import { list, relative } from "./explain-filter.ts";
import { dimensionsOf, eachOf, meterPhrase, scopesText } from "./explain-subject.ts";
import type { Action, Condition, Flag, Meter, Plan, Rule } from "./plan.ts";
import { lengthText } from "./words.ts";

/** The rule in plain English, for people who never read the language. */
export function explainRule(rule: Rule, plan: Plan): string {
  const text = rule.flag === "store.down" ? whileDown(rule) : `${occasion(rule, plan)}: ${doings(rule)}`;
  if (!rule.shadow) return `${text}${aftermath(rule, plan)}.`;
  return `Shadow rule, reported but never acted on: ${text.charAt(0).toLowerCase()}${text.slice(1)}.`;
}

/** `When a call whose feature is "research" would bring ... above $90`. */
function occasion(rule: Rule, plan: Plan): string {
  const ofCall: string[] = rule.flag === null ? [] : [flags[rule.flag]];
  const counted = groups(rule.conditions.filter(({ reading }) => reading.kind === "meter"));
  for (const condition of rule.conditions) if (condition.reading.kind === "call") ofCall.push(own(condition, plan));
  const standing: string[] = [];
  for (const group of counted) {
    const [first] = group;
    const meter = first === undefined ? undefined : meterOf(first, plan);
    if (meter === undefined) continue;
    const phrase = meterPhrase(meter, rule.filter);
    // Whether this call fails is known only when it is over: it cannot bring errors anywhere.
    if (meter.metric === "errors")
      standing.push(
        `${phrase} have ${list(
          group.map((one) => passed(one, plan)),
          "and",
        )}`,
      );
    else
      ofCall.push(
        `would bring ${phrase} ${list(
          group.map((one) => beyond(one, plan)),
          "and",
        )}`,
      );
  }
  const whose = relative(rule.filter);
  if (ofCall.length === 0 && standing.length === 0) return `For every call${whose.replace(/,$/, "")}`;
  if (ofCall.length > 0)
    return `When a call${whose} ${list(ofCall, "and")}${standing.length === 0 ? "" : ` while ${list(standing, "and")}`}`;
  return whose === "" ? `When ${list(standing, "and")}` : `When a call${whose} comes while ${list(standing, "and")}`;
}

const flags: Readonly<Record<Flag, string>> = {
  "call.unpriced": "asks for a model without a known price",
  "call.unmetered": "spends money in a way that cannot be counted",
  "store.down": "comes while the store cannot be reached",
};

/** Conditions on the same meter, which are told together. */
function groups(conditions: readonly Condition[]): Condition[][] {
  const byMeter = new Map<number, Condition[]>();
  for (const condition of conditions) {
    if (condition.reading.kind !== "meter") continue;
    const { meter } = condition.reading;
    byMeter.set(meter, [...(byMeter.get(meter) ?? []), condition]);
  }
  return [...byMeter.values()];
}

const meterOf = ({ reading }: Condition, plan: Plan): Meter | undefined =>
  reading.kind === "meter" ? plan.meters[reading.meter] : undefined;

const beyond = (condition: Condition, plan: Plan): string => {
  const limit = limitPhrase(condition, plan);
  return condition.op === ">" ? `above ${limit}` : `to ${limit} or more`;
};

const passed = (condition: Condition, plan: Plan): string =>
  `${condition.op === ">" ? "passed" : "reached"} ${limitPhrase(condition, plan)}`;

const ofCallNouns: Readonly<Record<string, string>> = {
  tokens: "tokens",
  input_tokens: "input tokens",
  output_tokens: "output tokens",
};

/** A condition on the call's own figures. */
function own(condition: Condition, plan: Plan): string {
  const { reading, op, limit } = condition;
  const metric = reading.kind === "call" ? reading.metric : "cost";
  if (metric === "retries" && limit.kind === "fixed") {
    const first = op === ">" ? limit.amount + 1 : limit.amount;
    if (first === 0) return "is made";
    return first === 1 ? "is a retry" : `is the ${ordinal(first)} retry of its request, or a later one`;
  }
  const amount = limitPhrase(condition, plan);
  const much = op === ">" ? `more than ${amount}` : `${amount} or more`;
  return metric === "cost"
    ? `is estimated to cost ${much}`
    : `is estimated at ${much} ${ofCallNouns[metric] ?? ""}`.trim();
}

/** What happens, all actions joined. */
function doings({ actions, closes }: Rule): string {
  const onlySays = actions.every(({ kind }) => kind === "warn");
  const closing = actions.some(({ kind }) => kind === "pause" || kind === "deny for");
  // What closes refuses as well.
  const told = closing ? actions.filter(({ kind }) => kind !== "deny") : actions;
  return list(
    told.map((action) => doing(action, closes, onlySays)),
    "and",
  );
}

function doing(action: Action, closes: readonly string[], onlySays: boolean): string {
  const closed = scopesText(closes);
  switch (action.kind) {
    case "deny":
      return "refuse the call";
    case "deny for":
      return `refuse all calls${closed === null ? "" : ` of ${closed}`} from this one on`;
    case "pause":
      return `refuse the call and pause ${closed ?? "everything"} until someone resumes it`;
    case "warn":
      return onlySays ? "warn, and let the call go" : "warn";
    case "cap":
      return `cap the answer at ${plainAmount("tokens", action.tokens)} tokens`;
    case "route":
      return `send the call to ${JSON.stringify(action.model)} instead`;
    case "backoff":
      return `delay the call by ${lengthText(action.ms)}, twice as long with each further retry`;
    case "hold":
      return `hold the call for up to ${lengthText(action.ms)} until there is room, then refuse it`;
    case "local":
      return "judge it by the same rules on counters of this process alone";
    case "allow":
      return "let it go unjudged";
  }
}

function whileDown({ filter, actions }: Rule): string {
  const calls = `every call${relative(filter).replace(/,$/, "")}`;
  const ways = actions.map(({ kind }) => {
    if (kind === "local") return `judge ${calls} by the same rules, on counters of this process alone`;
    return kind === "allow" ? `let ${calls} go unjudged` : `refuse ${calls}`;
  });
  return `While the store cannot be reached: ${list(ways, "and")}`;
}

const DAY = 86_400_000;

/** What opens again by itself only slows a loop down: how long it stays closed, or what it lets through in the end. */
function aftermath(rule: Rule, plan: Plan): string {
  const closing = rule.actions.find(({ kind }) => kind === "deny for");
  if (rule.actions.some(({ kind }) => kind === "pause")) return "";
  if (closing?.kind === "deny for") return `; reopens after ${lengthText(closing.ms)}`;
  const [condition] = rule.conditions;
  const meter = condition === undefined ? undefined : meterOf(condition, plan);
  const refuses = rule.actions.some(({ kind }) => kind === "deny" || kind === "hold");
  if (!refuses || condition === undefined || meter === undefined || rule.conditions.length > 1) return "";
  // Calls that the filter leaves alone count without being judged, so that nothing bounds the meter.
  if (dimensionsOf(rule.filter).some((name) => !meter.scopes.includes(name))) return "";
  const repeated = perLonger(meter);
  if (repeated === null || condition.limit.kind === "share") return "";
  const { times, period } = repeated;
  if (condition.limit.kind === "named") return `; at most ${times} times that ${period}`;
  const noun = meter.metric === "cost" ? "" : ` ${meter.metric.replace("_", " ")}`;
  // A filter that the meter tells apart names whose bound it is.
  const whose = rule.filter === null ? eachOf(meter.scopes) : "";
  return `; at most ${plainAmount(meter.metric, condition.limit.amount * times)}${noun} ${period}${whose}`;
}

/** How often a window fits into the period that people plan by; null where it is as long itself, or adds up nothing. */
function perLonger({ metric, window }: Meter): { readonly times: number; readonly period: string } | null {
  if (!["cost", "tokens", "input_tokens", "output_tokens", "calls"].includes(metric)) return null;
  if (window.kind === "hourly") return { times: 24, period: "a day" };
  if (window.kind === "daily") return { times: 31, period: "a month" };
  if (window.kind !== "last") return null;
  if (window.ms < DAY) return { times: Math.ceil(DAY / window.ms), period: "a day" };
  return window.ms < 7 * DAY ? { times: Math.ceil((31 * DAY) / window.ms), period: "a month" } : null;
}
