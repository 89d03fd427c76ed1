/**
 * What each diagnostic is about in general, for tools that list the rules of a checker.
 * @module
 */

/** By code: what is wrong in one sentence, and what to do about any of them. */
const codes: Readonly<Record<string, readonly [is: string, help: string]>> = {
  syntax: [
    "The text is no sentence of the budget language.",
    "A rule reads `subject > amount [when filter] -> action`. An indented line continues the one above it.",
  ],
  "unknown-name": [
    "A scope, metric, window, budget, limit, dimension or placeholder does not exist.",
    "Correct the word, or declare it: `dimension plan`, `budget month = $18K of global.monthly`.",
  ],
  "unknown-action": [
    "An action does not exist.",
    "The actions are deny, deny for, pause, warn, hold, backoff, route to and cap.",
  ],
  "duplicate-name": [
    "Two budgets, limits, dimensions or rules have one name.",
    "Names are shared by all files of a policy and by what they import. Rename one of them.",
  ],
  "reserved-name": ["A name is a word of the language.", "Choose another name."],
  unit: [
    "An amount is not in the unit that its subject is measured in.",
    "Dollars are written `$50`, tokens `50K tokens`, counts as plain numbers.",
  ],
  percent: [
    "A percentage does not say of what.",
    "A percentage is a share of a budget (`research > 80%`, `2% of research`), or of the calls for retries, repeats and errors.",
  ],
  rate: ["A rate cannot be measured here.", "A rate is money over a rolling window: `tenant last 5m > $500/h`."],
  currency: ["An amount is in another currency than US dollars.", "Prices are in US dollars: `$50`."],
  number: ["A number is written in a way that could be misread.", "Write `1_000` or `1K`, `2M`, `1B`."],
  duration: ["A duration has no unit, or none that exists.", "The units are ms, s, m, h, d and w: `15m`."],
  "no-window": [
    "A subject does not say over what time it is counted.",
    "Add hourly, daily, weekly, monthly or total, or `last 15m`.",
  ],
  "no-scope": ["A subject does not say whose it is.", "Start with a scope: `tenant.daily`."],
  "no-amount": ["A subject is compared with nothing.", "Say how much is too much: `tenant.daily > $20`."],
  order: ["The words of a path are in the wrong order.", "Scopes first, then the metric, then the window."],
  window: ["A window does not fit its subject.", "One window is enough; calls, runs and budgets have their own."],
  metric: ["A metric does not fit its subject.", "A rule measures one thing; two are joined with `and`."],
  scope: ["Scopes cannot be combined like this.", "Name each scope once; `global`, `call` and `store` stand alone."],
  flag: ["A yes-or-no subject is used as an amount, or the other way round.", "Write `call.unpriced -> deny`."],
  operator: [
    "A sign does not mean what it is used for.",
    "Amounts are compared with `>`, values with `==`, `!=`, `in`, `matches` and `is missing`; the arrow is `->`.",
  ],
  action: ["An action cannot be taken here.", "See what closes, waits and shapes in the language's definition."],
  "no-else": ["A limit does not say what holds for everybody else.", "Add `else $50`, or `else unlimited`."],
  import: [
    "A file that the policy names cannot be used.",
    "Files lie at or below the policy's folder, and name no circle.",
  ],
  timezone: [
    "A time zone does not exist, or is named twice.",
    'Write an IANA name once a file: `timezone "Europe/Berlin"`.',
  ],
  "limit-file": ["A table of limits cannot be read.", 'Write JSON such as `{ "acme": "$50", "big": "unlimited" }`.'],
  "not-yet": ["A part of the language does not run yet.", "Write it in another way for now."],
  given: ["What a test assumes cannot be.", "Write a meter and an amount: `given tenant.hourly = $49.99`."],
  fact: ["What a test says of its call cannot be.", 'Write `call tenant = "acme", cost = $0.02`.'],
  expect: ["What a test expects cannot be.", "Write `expect deny`, or `expect deny by loop` to name the rule."],
  unreachable: [
    "Another rule always stops these calls first.",
    "Delete the rule, lower its amount, or narrow the other rule's filter.",
  ],
  "never-matches": ["A filter can never be true.", "A dimension has one value at a time: use `in [...]` or `or`."],
  "unused-budget": [
    "No rule enforces a budget.",
    "Add a rule such as `research > 100% -> deny`, or delete the budget.",
  ],
  "unused-limit": [
    "No rule uses a limit.",
    "Add a rule such as `tenant.monthly > quota -> pause`, or delete the limit.",
  ],
  "unused-dimension": ["No rule uses a dimension.", "Use it in a scope or a filter, or delete it."],
  "long-hold": ["A call waits for seconds on a window that frees after days.", "Use `deny` or `pause`."],
  unpriced: ["No price is known for a model.", 'Correct the name, or add it under "prices" in budget-guard.json.'],
  gate: [
    "A filter chooses whose calls are judged; it does not narrow what is counted.",
    "To count one value alone, put its dimension into the scope: `tenant.model.monthly`.",
  ],
  "fail-open": [
    "Everything is let through while the ledger cannot be reached.",
    "Use `store.down -> local`, or say for whom with `when`.",
  ],
  "no-cost-rule": [
    "Nothing bounds the money that some scope can spend.",
    "Add a rule in dollars: `global.daily > $100 -> deny`.",
  ],
};

export interface CodeText {
  readonly is: string;
  readonly help: string;
}

/** What a code is about; a code that is not listed is described by its own words. */
export function describeCode(code: string): CodeText {
  const [is, help] = codes[code] ?? [`${code.replaceAll("-", " ")}.`, "See the message."];
  return { is, help };
}

/** True where the table has a sentence for the code. */
export const isDescribed = (code: string): boolean => Object.hasOwn(codes, code);
