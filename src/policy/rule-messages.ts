/**
 * What the checker says about filters and actions, and its warnings.
 * @module
 */
import type { Span } from "./ast.ts";
import { finding } from "./finding.ts";

const action = finding("error", "action");
const operator = finding("error", "operator");
const scope = finding("error", "scope");
const duration = finding("error", "duration");

const unsaid: Readonly<Record<string, string>> = {
  hold: "how long",
  backoff: "how long",
  route: "to which model",
  cap: "to how many tokens",
};

/** Whose calls, and what then. */
export const rules = {
  below: (span: Span, op: string) =>
    operator(
      span,
      "a budget fires above its limit",
      op === "<" || op === "<="
        ? `\`${op}\` would refuse the calls that are within budget; write \`>\``
        : `spend hardly ever meets one amount exactly, as \`${op}\` would need; write \`>\``,
    ),
  arrow: (span: Span) => operator(span, "the arrow is `->`", "write `->`"),
  defines: (span: Span, name: string, value: string) =>
    operator(span, "`=` defines, `==` compares", `write \`${name} == ${value}\``),
  star: (span: Span, op: string, path: string, value: string) =>
    operator(
      span,
      `\`${op}\` compares letter by letter; \`*\` would be an ordinary star`,
      `write \`${op === "!=" ? "not " : ""}${path} matches ${value}\``,
    ),
  onePath: (span: Span, path: string) =>
    scope(
      span,
      `a filter names one dimension, not \`${path}\``,
      'join two with `and`: `when tenant == "acme" and feature == "research"`',
    ),
  numberInFilter: (span: Span) =>
    operator(
      span,
      "`when` chooses whose calls, never how much",
      "put amounts before `when`: `tenant.daily > $5 and call.cost > $1 when …`",
    ),
  pauseCall: (span: Span) =>
    action(
      span,
      "a call cannot be paused: it is over once refused",
      "use `deny`, or limit a scope that lives on: `tenant`, `feature`, `run`, …",
    ),
  closeCall: (span: Span) =>
    action(
      span,
      "`deny for` needs a scope to keep closed; a call is over once refused",
      "write `deny`, or limit a scope that lives on: `agent.retries last 5m > 10 -> deny for 10m`",
    ),
  closeNothing: (span: Span, word: string) =>
    action(
      span,
      `\`${word}\` needs a scope to keep closed, and this rule names none`,
      "write `deny`, which refuses every call that the filter matches",
    ),
  holdForever: (span: Span, path: string, ofCall: boolean) =>
    action(
      span,
      `\`hold\` waits for budget to free, and \`${path}\` never frees`,
      ofCall ? "use `deny`: a call does not become smaller by waiting" : "use `deny` or `pause`",
    ),
  holdNothing: (span: Span) =>
    action(
      span,
      "`hold` waits for budget to free, and this rule counts nothing",
      "use `deny`, or hold on an amount: `model.calls last 1m > 60 -> hold 10s`",
    ),
  holdTooLong: (span: Span) =>
    duration(
      span,
      "a call cannot be held longer than 1h",
      "clients give up after minutes: write `hold 30s`, or `deny`",
    ),
  backoffTooLong: (span: Span) =>
    duration(
      span,
      "a call never sleeps longer than 60s before it leaves",
      "write the sleep before the first retry, which doubles from there: `backoff 500ms`",
    ),
  routePattern: (span: Span) =>
    action(span, "`route to` names one model, not a pattern", 'write its whole name: `route to "claude-haiku-4-5"`'),
  elsewhere: (span: Span, model: string, owner: string, pinned: string) =>
    action(
      span,
      `"${model}" is a model of ${owner}, and this rule judges calls to ${pinned}`,
      `a call stays with its provider: name a cheaper model of ${pinned}`,
    ),
  allow: (span: Span) =>
    action(
      span,
      "`allow` is not an action: every call is allowed unless a rule refuses it",
      'to exempt someone, add `when tenant != "internal"`; `allow` and `local` belong to `store.down`',
    ),
  local: (span: Span) => action(span, "`local` says what to do while the store is away", "write `store.down -> local`"),
  storeDown: (span: Span, word: string) =>
    action(span, `\`store.down\` cannot be answered with \`${word}\``, "write `local`, `deny` or `allow`"),
  needs: (span: Span, word: string, example: string) =>
    action(span, `\`${word}\` does not say ${unsaid[word] ?? "how"}`, `write \`${example}\``),
  unquoted: (span: Span, path: string, op: string, text: string) =>
    operator(span, "a filter compares with a text in double quotes", `write \`${path} ${op} "${text}"\``),
  notFor: (span: Span, word: string) =>
    finding("error", "unknown-action")(
      span,
      `unknown action \`${word}\``,
      "while the store is away there are `local`, `deny` and `allow`",
    ),
} as const;

/** Warnings and infos. */
export const lints = {
  unreachable: (span: Span, where: string, verb: string) =>
    finding("warning", "unreachable")(
      span,
      "this rule can never fire",
      "raise the other limit, lower this one, or delete it",
      {
        note: `${where} already ${verb} these calls at or below this limit`,
      },
    ),
  afterStop: (span: Span, word: string, stop: string) =>
    finding("warning", "unreachable")(
      span,
      `\`${word}\` comes after \`${stop}\`, which already refuses the call`,
      `delete \`${word}\``,
    ),
  neverWaits: (span: Span, word: string, stop: string) =>
    finding("warning", "unreachable")(
      span,
      `\`${word}\` never waits: \`${stop}\` in the same rule refuses at once`,
      word === "hold" ? `delete \`${stop}\`: \`hold\` refuses by itself when the time is up` : `delete one of them`,
    ),
  longHold: (span: Span, path: string, window: string) =>
    finding("info", "long-hold")(
      span,
      `\`${path}\` rarely frees while a call is held: its window is ${window}`,
      "hold where room returns within seconds, as in `model.calls last 1m > 60 -> hold 10s`; else write `deny` or `pause`",
      { note: "what frees it sooner is a call in flight that ends below its estimate" },
    ),
  dearer: (span: Span, model: string, than: string) =>
    finding("warning", "unpriced")(
      span,
      `"${model}" is dearer than "${than}", which this rule routes away from`,
      "name a cheaper model; `route to` is for making calls cheaper",
    ),
  unusedLimit: (span: Span, name: string) =>
    finding("warning", "unused-budget")(
      span,
      `limit \`${name}\` is compared with nothing`,
      `add a rule: \`tenant.monthly > ${name} -> deny\``,
    ),
  neverMatches: (span: Span, dimension: string) =>
    finding("warning", "never-matches")(
      span,
      `no call can match: \`${dimension}\` would need two values at once`,
      `did you mean \`${dimension} in [...]\`?`,
    ),
  unusedBudget: (span: Span, name: string) =>
    finding("warning", "unused-budget")(
      span,
      `budget \`${name}\` is watched but never enforced`,
      `add \`${name} > 100% -> deny\`: the budget you do not enforce is the budget your agent will use`,
    ),
  unpriced: (span: Span, model: string, meant: string | null) =>
    finding("warning", "unpriced")(
      span,
      `no price is known for "${model}"`,
      meant === null ? "give it a price in budget-guard.json" : `did you mean "${meant}"?`,
    ),
  gate: (span: Span, dimension: string, path: string, narrowed: string) =>
    finding("info", "gate")(
      span,
      "`when` chooses whose calls are judged, not what is counted",
      `to count each ${dimension} alone write \`${narrowed}\``,
      {
        note: `\`${path}\` is counted over every ${dimension}`,
      },
    ),
  failOpen: (span: Span) =>
    finding("warning", "fail-open")(
      span,
      "while the store is away no budget is enforced for anyone",
      'choose who is worth it: `store.down when tenant == "hospital" -> allow`',
    ),
  noCostRule: (span: Span) =>
    finding("info", "no-cost-rule")(
      span,
      "no rule of this policy bounds money over time",
      "add a ceiling: `global.daily > $100 -> deny`",
    ),
} as const;
