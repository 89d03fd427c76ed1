/**
 * The language server: what `check`, `explain` and `fmt` know, while a policy is being written.
 * In: documents of an editor. Out: diagnostics, hovers, completions. This file: what each word means.
 * @module
 */

export type Kind = "scope" | "metric" | "window" | "flag" | "action" | "keyword" | "placeholder" | "test";

export interface Word {
  readonly kind: Kind;
  readonly text: string;
  /** One sentence or two, in Markdown. */
  readonly means: string;
}

const table: Readonly<Record<Kind, Readonly<Record<string, string>>>> = {
  scope: {
    global: "Everybody together. It stands alone: `global.daily`.",
    tenant: "A customer. Each one is counted by itself.",
    feature: "A part of the product, such as `research`. Each one is counted by itself.",
    agent: "One kind of agent. Each one is counted by itself.",
    user: "A person who uses the product. Each one is counted by itself.",
    run: "One task from start to end. It has a lifetime of its own, so it needs no window: `run.cost > $5`.",
    model: "The model under its canonical name, without provider prefix and date.",
    provider: "Who serves the model: `openai`, `anthropic`, …",
    key: "The API key that a call is sent with, told apart by a hash; the key itself is never kept.",
    call: "This one call, before it is sent: `call.cost`, `call.input_tokens`, `call.retries`, `call.unpriced`.",
    store: "The ledger itself: `store.down -> local` says what to do while it cannot be reached.",
  },
  metric: {
    cost: "Money in US dollars, with what calls in flight have reserved. What is counted where no metric is named.",
    tokens: "Tokens of prompts and answers together.",
    input_tokens: "Tokens of prompts.",
    output_tokens: "Tokens of answers.",
    calls: "Calls, retries among them.",
    retries:
      "Calls that repeat an earlier *failed* call of the run. `call.retries` is the number of this attempt. Takes a share, too: `> 30%` of the calls.",
    repeats:
      "Calls that ask again what an earlier *successful* call of the run has answered: a loop. Takes a share, too: `> 30%` of the calls.",
    errors: "Calls that failed. Known when they have ended. Takes a share, too: `> 50%` of the calls.",
    concurrency: "Calls in flight at this moment. Takes no window.",
    runs: "Different runs that made a call in the window.",
  },
  window: {
    hourly: "Since the hour began, in the file's `timezone`.",
    daily: "Since midnight, in the file's `timezone`.",
    weekly: "Since Monday, in the file's `timezone`.",
    monthly: "Since the first of the month, in the file's `timezone`.",
    total: "For ever: what is spent never comes back.",
  },
  flag: {
    unpriced: "True where no price is known for the call's model; it is charged at its provider's dearest price.",
    unmetered: "True where the call spends money in a way that cannot be counted.",
    down: "True while the ledger cannot be reached in time.",
  },
  action: {
    cap: "Shapes the call: its answer gets at most so many tokens. `cap 2K tokens`",
    route: 'Shapes the call: it is sent to another model of the same provider. `route to "claude-haiku-4-5"`',
    backoff: "Slows the call down: waits before it is sent, twice as long with every retry. `backoff 500ms`",
    hold: "Waits for budget to free, at most so long; then the call is refused. `hold 30s`",
    deny: "Refuses the call. `deny for 10m` keeps refusing for ten minutes, even if the window frees.",
    pause: "Refuses, and keeps refusing until a person runs `budget-guard resume`.",
    warn: "Lets the call go, and says so: on the span, and once a window to whoever is to be told.",
    allow: "Only for `store.down`: lets calls go uncounted while the ledger is away.",
    local: "Only for `store.down`: goes on with counters of each process alone.",
  },
  keyword: {
    and: "Both must hold. Thresholds are joined with `and` only; two rules are an `or`.",
    or: "One of them must hold. Only in filters, after `when`.",
    not: "The opposite of the filter that follows.",
    when: "Chooses whose calls a rule judges. It does not narrow what is counted.",
    last: "A rolling window: `tenant last 15m`.",
    in: 'One of a list: `feature in ["research", "chat"]`.',
    is: "`user is missing` is true for calls that name no user.",
    missing: "`user is missing` is true for calls that name no user.",
    of: "Of what: `$6K of feature.monthly`, `2% of research`.",
    for: "How long a refusal lasts: `deny for 10m`.",
    by: "What a limit depends on: `limit quota by plan`. In a test, which rule decided.",
    else: "The limit of everybody who is not in the table.",
    matches: 'Compares with a pattern in which `*` stands for anything: `model matches "claude-opus-*"`.',
    import: "Adds the rules and names of another file. A file can tighten another, never loosen it.",
    timezone: "The IANA time zone of this file's calendar windows. UTC where none is named.",
    dimension: "Declares scopes of your own, which calls name: `dimension plan, workflow`.",
    budget: "A named amount of something counted: `budget research = $6K of feature.monthly`.",
    limit: "A named amount that depends on who calls: a table, a JSON file, or kept in the store and changed live.",
    shadow: "Evaluates the rule and reports what it would have done; refuses nothing.",
    unlimited: "No limit. Only in `limit` tables and after `else`.",
    from: 'Where the amounts of a limit are kept: `from store`, `from "limits.json"`.',
    to: 'Which model a call is sent to: `route to "claude-haiku-4-5"`.',
  },
  placeholder: {
    spent: "What is spent in the window, with what calls in flight have reserved.",
    limit: "The amount of the rule.",
    reset: "When the window frees, or the refusal ends.",
    estimate: "What this call is estimated to add.",
    rule: "The name of the rule.",
    window: "The window, as in `this hour`.",
  },
  test: {
    test: "One call and what should become of it.",
    given: "What a meter has counted before the call: `given tenant.hourly = $49.99`.",
    at: 'When the call is made: `at "2026-04-19T03:47:00Z"`.',
    call: 'The call: `call tenant = "acme", cost = $0.02`.',
    expect: "What should become of the call, and by which rule: `expect deny by loop`.",
  },
};

/** Every word with a meaning. A text can be two words: `limit` declares, and is a placeholder. */
export const words: readonly Word[] = Object.freeze(
  (Object.keys(table) as Kind[]).flatMap((kind) =>
    Object.entries(table[kind]).map(([text, means]) => Object.freeze({ kind, text, means })),
  ),
);

/** The meaning of a text as one of these kinds, the first that has it. */
export function wordFor(text: string, kinds: readonly Kind[]): Word | null {
  for (const kind of kinds) {
    const found = words.find((word) => word.kind === kind && word.text === text);
    if (found !== undefined) return found;
  }
  return null;
}
