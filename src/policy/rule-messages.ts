/**
 * What the checker says about filters, actions and declarations, and its warnings.
 * @module
 */
import type { Span } from "./ast.ts";
import { finding } from "./finding.ts";

const action = finding("error", "action");
const operator = finding("error", "operator");
const scope = finding("error", "scope");
const notYet = finding("error", "not-yet");

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
  holdForever: (span: Span, path: string) =>
    action(span, `\`hold\` waits for budget to free, and \`${path}\` never frees`, "use `deny` or `pause`"),
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
    action(span, `\`${word}\` does not say how`, `write \`${example}\``),
} as const;

/** What will run in a later version: refused, never ignored. */
export const later = {
  hold: (span: Span) =>
    notYet(span, "`hold` does not run yet", "use `deny`; the caller may try again when the window frees"),
  backoff: (span: Span) =>
    notYet(span, "`backoff` does not run yet", "bound retries instead: `call.retries > 2 -> deny`"),
  route: (span: Span) =>
    notYet(span, "`route to` does not run yet", "use `cap 1K tokens` to make calls cheaper, or `deny`"),
  limit: (span: Span) =>
    notYet(
      span,
      "`limit` tables do not run yet",
      'write one rule a value: `tenant.monthly > $5 when plan == "free" -> deny`',
    ),
  imports: (span: Span) =>
    notYet(span, "`import` does not run yet", "name both files in BUDGET_GUARD_POLICY, or put them in one folder"),
  runs: (span: Span) =>
    notYet(span, "the metric `runs` does not run yet", "bound what runs at once: `tenant.concurrency > 8`"),
  key: (span: Span) =>
    notYet(span, "the scope `key` does not run yet", "declare a dimension for it: `dimension api-key`"),
  timezone: (span: Span) =>
    notYet(span, "calendar windows run in UTC only for now", 'write `timezone "UTC"`, or leave the line out'),
} as const;

/** Declarations. */
export const declarations = {
  noElse: (span: Span, by: string, place: string, example: string) =>
    finding("error", "no-else")(
      span,
      `a ${by} that is not in ${place} would be unlimited`,
      `add \`else ${example}\`; or \`else unlimited\` if that is what you mean`,
    ),
  timezone: (span: Span, zone: string, meant: string | null) =>
    finding("error", "timezone")(
      span,
      `unknown time zone \`${zone}\``,
      meant === null ? 'write a name of the tz database, such as "Europe/Berlin"' : `did you mean "${meant}"?`,
    ),
  twoZones: (span: Span) => finding("error", "timezone")(span, "a file has one time zone", "delete one of them"),
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
