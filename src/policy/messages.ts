/**
 * What the checker says about names, subjects and amounts: one message, one help line each.
 * Wording: what is wrong, without a full stop; then what to write instead.
 * @module
 */
import type { Span } from "./ast.ts";
import { didYouMean, finding } from "./finding.ts";

const unknown = finding("error", "unknown-name");
const unit = finding("error", "unit");
const percent = finding("error", "percent");
const number = finding("error", "number");
const window = finding("error", "window");
const scope = finding("error", "scope");
const flag = finding("error", "flag");

/** Names that do not exist, or exist twice. */
export const names = {
  metricOrWindow: (span: Span, name: string, meant: string | null) =>
    unknown(
      span,
      `unknown metric or window \`${name}\``,
      didYouMean(meant, "see the vocabulary: cost, tokens, calls, …; hourly, daily, …"),
    ),
  scopeOrBudget: (span: Span, name: string, meant: string | null) =>
    unknown(
      span,
      `unknown scope or budget \`${name}\``,
      didYouMean(meant, `a scope of your own is declared first: \`dimension ${name}\``),
    ),
  dimension: (span: Span, name: string, meant: string | null) =>
    unknown(span, `unknown dimension \`${name}\``, didYouMean(meant, `declare it first: \`dimension ${name}\``)),
  budget: (span: Span, name: string, meant: string | null) =>
    unknown(
      span,
      `unknown budget \`${name}\``,
      didYouMean(meant, `define it first: \`budget ${name} = $200 of tenant.monthly\``),
    ),
  limit: (span: Span, name: string, meant: string | null) =>
    unknown(
      span,
      `unknown limit \`${name}\``,
      didYouMean(
        meant,
        `an amount reads \`$50\` or \`20\`; a table of them is \`limit ${name} by tenant { "acme": $50 } else $5\``,
      ),
    ),
  action: (span: Span, name: string, meant: string | null) =>
    finding("error", "unknown-action")(
      span,
      `unknown action \`${name}\``,
      didYouMean(meant, "the actions are deny, deny for, pause, hold, backoff, route to, cap and warn"),
    ),
  flag: (span: Span, name: string, meant: string | null) =>
    unknown(
      span,
      `unknown flag \`${name}\``,
      didYouMean(meant, "the flags are call.unpriced, call.unmetered and store.down"),
    ),
  placeholder: (span: Span, name: string, meant: string | null) =>
    unknown(
      span,
      `unknown placeholder \`{${name}}\``,
      didYouMean(
        meant === null ? null : `{${meant}}`,
        "there are {spent}, {limit}, {reset}, {rule} and the names of dimensions",
      ),
    ),
  limitAsSubject: (span: Span, name: string) =>
    unknown(
      span,
      `\`${name}\` is a limit: something is compared with it`,
      `write \`tenant.monthly > ${name}\`; for shares of it \`budget b = ${name} of tenant.monthly\``,
    ),
  otherLimit: (span: Span, name: string, meant: string | null) =>
    unknown(
      span,
      `unknown limit \`${name}\``,
      didYouMean(meant, "write an amount, or the name of another limit: `else $5`"),
    ),
  budgetAsLimit: (span: Span, name: string) =>
    unknown(span, `\`${name}\` is a budget, not an amount`, `write \`100% of ${name}\``),
  twice: (span: Span, name: string, first: string) =>
    finding("error", "duplicate-name")(span, `\`${name}\` is defined twice`, "names are shared by all imported files", {
      label: "second definition",
      note: `first defined at ${first}`,
    }),
  shadowLabel: (span: Span) =>
    finding("error", "reserved-name")(
      span,
      "`shadow` is no label: this rule would refuse calls",
      "to try a rule out, leave the colon away: `shadow tenant.daily > $5 -> deny`",
    ),
  reserved: (span: Span, name: string) =>
    finding("error", "reserved-name")(
      span,
      `\`${name}\` is a word of the language`,
      `choose another name, such as \`my-${name}\``,
    ),
} as const;

/** What is measured. */
export const subjects = {
  noWindow: (span: Span, path: string) =>
    finding("error", "no-window")(
      span,
      `over what time is \`${path}\` counted?`,
      `write \`${path}.daily\` (hourly, weekly, monthly, total) or \`${path} last 1h\``,
    ),
  noScope: (span: Span, path: string) =>
    finding("error", "no-scope")(span, `\`${path}\` does not say whose`, `start with a scope: \`tenant.${path}\``),
  noAmount: (span: Span, path: string, example: string) =>
    finding("error", "no-amount")(span, `how much may \`${path}\` be?`, `write \`${path} > ${example}\``),
  order: (span: Span, word: string, after: "metric" | "window", sorted: string) =>
    finding("error", "order")(span, `\`${word}\` comes after the ${after}`, `write \`${sorted}\``),
  twoMetrics: (span: Span, first: string, second: string) =>
    finding("error", "metric")(
      span,
      `\`${first}\` and \`${second}\` are two metrics`,
      "one rule measures one thing; join two with `and`",
    ),
  notOfCall: (span: Span, metric: string) =>
    finding("error", "metric")(
      span,
      `a single call has no \`${metric}\``,
      `a call has cost, tokens, input_tokens, output_tokens and retries; to count \`${metric}\` use \`run.${metric}\``,
    ),
  runsOfRun: (span: Span) =>
    finding("error", "metric")(
      span,
      "a run is one run",
      "count the runs of something larger: `tenant.runs last 5m > 8`",
    ),
  twoWindows: (span: Span) =>
    window(span, "this is a second window", "one window is enough: `tenant.hourly` or `tenant last 1h`"),
  callWindow: (span: Span) => window(span, "a call has no window", "write `call.cost > $0.50`, or use `tenant.daily`"),
  nowWindow: (span: Span, path: string) =>
    window(span, "concurrency is what is in flight now, so it takes no window", `write \`${path} > 8\``),
  noSuchWindow: (span: Span, word: string, path: string, length: string) =>
    window(span, `there is no window \`${word}\``, `write \`${path} last ${length}\``),
  budgetWindow: (span: Span, name: string, path: string) =>
    window(
      span,
      `the budget \`${name}\` has its own window`,
      `write \`${name} > 80%\`, or \`${path} last 1h > 2% of ${name}\``,
    ),
  scopeTwice: (span: Span, word: string) => scope(span, `\`${word}\` is named twice`, "name each scope once"),
  globalAlone: (span: Span, rest: string) =>
    scope(span, "`global` is everybody, so it cannot be combined", `write \`${rest}\``),
  callAlone: (span: Span, word: string) =>
    scope(
      span,
      `\`${word}\` stands first and alone`,
      'choose whose calls with `when`: `call.cost > $1 when tenant == "acme"`',
    ),
  budgetPath: (span: Span, name: string) =>
    scope(span, `the budget \`${name}\` stands alone`, `write \`${name} > 80%\``),
  flagAmount: (span: Span, path: string, act: string) =>
    flag(span, `\`${path}\` is yes or no; it has no amount`, `write \`${path} -> ${act}\``),
  flagAlone: (span: Span, path: string) =>
    flag(span, `\`${path}\` cannot be joined with other conditions here`, "write two rules"),
  budgetOfFlag: (span: Span) =>
    flag(span, "a budget is an amount of something counted", "write `budget b = $200 of tenant.monthly`"),
} as const;

/** How much of it. */
export const amounts = {
  bareMoney: (span: Span, path: string, text: string) =>
    unit(span, `\`${path}\` is measured in dollars, but this is a bare number`, `write \`$${text}\``, {
      label: "a bare number",
    }),
  mismatch: (span: Span, path: string, noun: string, given: string, help: string) =>
    unit(span, `\`${path}\` is measured in ${noun}, but this is ${given}`, help, { label: given }),
  budgetUnit: (span: Span, path: string, noun: string, name: string) =>
    unit(
      span,
      `\`${path}\` is measured in ${noun}, and the budget \`${name}\` is not`,
      "compare with a budget of the same unit",
    ),
  unlimited: (span: Span) =>
    unit(
      span,
      "nothing is above `unlimited`, so this can never fire",
      "delete it; `unlimited` belongs in a `limit` table",
    ),
  whatUnit: (span: Span) =>
    unit(span, "nothing says whether this number is dollars", 'write "$50" in the file, or `else $50` in the policy'),
  budgetInTable: (span: Span, name: string) =>
    unit(span, `\`${name}\` is a budget, and a limit is made of amounts`, "write an amount or the name of a limit"),
  budgetOfBudget: (span: Span, name: string, path: string) =>
    unit(span, `\`${name}\` is a budget, not an amount`, `write the amount itself: \`$50 of ${path}\``),
  limitUnit: (span: Span, path: string, noun: string, name: string, given: string, help: string) =>
    unit(span, `\`${path}\` is measured in ${noun}, and the limit \`${name}\` is ${given}`, help),
  capUnit: (span: Span) => unit(span, "`cap` limits the tokens a call may answer with", "write `cap 2K tokens`"),
  currency: (span: Span, sign: string, text: string) =>
    finding("error", "currency")(span, `prices are in US dollars, not ${sign}`, `write \`$${text}\``),
  comma: (span: Span, decimal: string | null) =>
    decimal === null
      ? number(span, "a comma cannot separate digits", "write `1_000`, or `1K`, `2M`")
      : number(span, "decimals follow a point", `write \`${decimal}\``),
  suffix: (span: Span, suffix: string, digits: string, known: string | null) =>
    number(
      span,
      `unknown suffix \`${suffix}\``,
      known === null
        ? `write \`${digits}\`, \`${digits}K\` or \`${digits}M\`; a unit stands apart: \`50 tokens\``
        : `write \`${digits}${known}\`; lower-case \`m\` is minutes, as in \`last 5m\``,
    ),
  negative: (span: Span) => number(span, "an amount cannot be below zero", "to refuse every call write `> $0`"),
  fraction: (span: Span, noun: string) => number(span, `${noun} come in whole numbers`, "write a whole number"),
  tooFine: (span: Span) =>
    number(span, "amounts are counted in billionths of a dollar", "write an amount of at least `$0.000000001`"),
  tooLarge: (span: Span, most: string) => number(span, `amounts end at ${most}`, "write a smaller amount"),
  noTokens: (span: Span) => number(span, "a call needs at least one token to answer", "write `cap 1K tokens`"),
  ofWhat: (span: Span, text: string, path: string, example: string) =>
    percent(
      span,
      `${text}% of what?`,
      `define a budget first: \`budget b = ${example} of ${path}\`, then \`b > ${text}%\``,
    ),
  ofItself: (span: Span, name: string) =>
    percent(span, `the budget \`${name}\` is compared with a share of itself`, `write \`${name} > 80%\``),
  noPercent: (span: Span, path: string) =>
    percent(span, `\`${path}\` cannot be compared with a percentage`, "write an amount"),
  percentScale: (span: Span) => percent(span, "a percentage has no suffix", "write `80%`"),
  rateWindow: (span: Span, path: string, text: string) =>
    finding("error", "rate")(
      span,
      "a rate needs a rolling window to be measured over",
      `write \`${path} last 5m > ${text}\``,
    ),
  rateMoney: (span: Span) =>
    finding("error", "rate")(
      span,
      "only dollars are written as a rate",
      "write the number for the window: `model.calls last 1m > 60`",
    ),
  rateUnit: (span: Span, per: string) =>
    finding("error", "rate")(span, `unknown unit of time \`${per}\``, "write `$500/h`; the units are s, m, h, d and w"),
  noUnit: (span: Span, text: string) =>
    finding("error", "duration")(span, "a duration needs a unit", `write \`${text}s\`, \`${text}m\` or \`${text}h\``),
  durationUnit: (span: Span, text: string, meant: string | null) =>
    finding("error", "duration")(
      span,
      `unknown duration \`${text}\``,
      meant === null ? "write `30s`, `15m`, `2h`, `7d`; the units are ms, s, m, h, d and w" : `write \`${meant}\``,
    ),
  durationRange: (span: Span) =>
    finding("error", "duration")(span, "a duration is at least 1ms and at most 366d", "write `15m`"),
} as const;
