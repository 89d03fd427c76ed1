/**
 * Random policies as text, of everything that decides about a call: they check clean, and their rules are labelled r0, r1, ...
 * @module
 */
import fc from "fast-check";

export interface RandomRule {
  /** Without its label. */
  readonly text: string;
  readonly shadow: boolean;
}

export interface RandomPolicy {
  readonly timezone: string | null;
  readonly rules: readonly RandomRule[];
}

export const ZONES = ["America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"];

/** What rules may refer to. The last row of a table is for nobody. */
export const DECLARATIONS = `dimension plan
limit tier by plan { "pro": $0.30, "free": $0.04, "max": unlimited } else $0.09
limit quota by tenant from store else tier
limit filed by feature from "limits.json" else quota
limit few by tenant { "a": 2, "b": 5 } else 1
limit many by plan from store else few
budget pot = $0.40 of tenant.daily when feature != "b"
budget mine = quota of tenant.feature last 30m
budget steps = 8 of run.calls
`;

export const TABLES = { "limits.json": { a: "$0.06", b: 0.2, c: "unlimited" } };

const value = fc.constantFrom("a", "b", "(none)");
const quoted = value.map((text) => `"${text}"`);
const dimension = fc.constantFrom("tenant", "feature", "plan");
const model = fc.constantFrom("gpt-5", "gpt-5-mini", "gpt-4");

const { filter } = fc.letrec<{ filter: string }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 2 },
    fc.tuple(dimension, fc.constantFrom("==", "!="), quoted).map((words) => words.join(" ")),
    fc
      .tuple(dimension, fc.array(quoted, { minLength: 1, maxLength: 2 }))
      .map(([path, values]) => `${path} in [${values.join(", ")}]`),
    dimension.map((path) => `${path} is missing`),
    fc.tuple(dimension, fc.constantFrom("a*", "*b", "(*", "*")).map(([path, glob]) => `${path} matches "${glob}"`),
    fc.constantFrom('model matches "gpt-5*"', 'model matches "*-mini"', 'model matches "azure/*"', 'model == "gpt-4"'),
    tie("filter").map((of) => `not (${of})`),
    fc
      .tuple(fc.constantFrom("and", "or"), fc.array(tie("filter"), { minLength: 2, maxLength: 3 }))
      .map(([join, of]) => of.map((part) => `(${part})`).join(` ${join} `)),
  ),
}));

interface Tested {
  readonly text: string;
  readonly kind: "frees" | "never frees" | "call";
}

const scopes = fc
  .subarray(["tenant", "feature", "run", "model", "plan"], { maxLength: 2 })
  .map((names) => (names.length === 0 ? ["global"] : names));
const calendar = fc.constantFrom("hourly", "daily", "weekly", "monthly", "total");
const rolling = fc.constantFrom("7m", "30m", "3h");
const window = fc.oneof(
  calendar.map((word) => ({ word, last: null })),
  rolling.map((last) => ({ word: null, last })),
);
const op = fc.constantFrom(">", ">=");
const cents = fc.nat(40).map((count) => `$${(count / 100).toFixed(2)}`);

const amounts: Readonly<Record<string, fc.Arbitrary<string>>> = {
  cost: fc.oneof(
    fc.tuple(op, cents).map((words) => words.join(" ")),
    fc.constantFrom("> quota", ">= quota", ">= tier", "> filed", "> 20% of pot", "> 50% of mine"),
  ),
  tokens: fc.tuple(op, fc.nat(3_000)).map(([sign, count]) => `${sign} ${count} tokens`),
  calls: fc.oneof(
    fc.tuple(op, fc.nat(8)).map((words) => words.join(" ")),
    fc.constantFrom("> few", ">= many", "> 50% of steps"),
  ),
  share: fc.oneof(
    fc.tuple(op, fc.nat(3)).map((words) => words.join(" ")),
    fc.nat(100).map((percent) => `> ${percent}%`),
    fc.constant("> few"),
  ),
};

const metered: fc.Arbitrary<Tested> = fc
  .tuple(scopes, fc.constantFrom("cost", "tokens", "input_tokens", "calls", "retries", "repeats", "errors"), window)
  .chain(([names, metric, { word, last }]) => {
    const path = [...names, ...(metric === "cost" ? [] : [metric]), ...(word === null ? [] : [word])].join(".");
    const unit = metric.endsWith("tokens") ? "tokens" : metric === "cost" || metric === "calls" ? metric : "share";
    const rate = fc.constantFrom("> $0.60/h", "> $0.24/h");
    const amount = metric === "cost" && last !== null ? fc.oneof(amounts.cost ?? rate, rate) : (amounts[unit] ?? rate);
    return amount.map((limit) => ({
      text: `${path}${last === null ? "" : ` last ${last}`} ${limit}`,
      kind: word === "total" ? "never frees" : "frees",
    }));
  });

const runs: fc.Arbitrary<Tested> = fc
  .tuple(fc.constantFrom("global", "tenant", "feature", "tenant.plan"), window, fc.nat(3))
  .map(([path, { word, last }, count]) => ({
    text: `${path}.runs${word === null ? ` last ${last}` : `.${word}`} > ${count}`,
    kind: word === "total" ? "never frees" : "frees",
  }));

const tested: fc.Arbitrary<Tested> = fc.oneof(
  { arbitrary: metered, weight: 6 },
  { arbitrary: runs, weight: 2 },
  fc.tuple(fc.constantFrom("global", "tenant", "tenant.feature"), fc.nat(4)).map(([path, count]) => ({
    text: `${path}.concurrency > ${count}`,
    kind: "frees" as const,
  })),
  fc.constantFrom("run > $0.10", "run.calls > 4", "run.repeats > 0", "tenant.run.tokens > 2000").map((text) => ({
    text,
    kind: "never frees" as const,
  })),
  fc.tuple(fc.constantFrom("pot", "mine"), fc.nat(100)).map(([name, percent]) => ({
    text: `${name} > ${percent}%`,
    kind: "frees" as const,
  })),
  fc
    .constantFrom("call.cost > $0.06", "call > filed", "call.tokens >= 900", "call.retries > 0", "call.retries >= few")
    .map((text) => ({ text, kind: "call" as const })),
);

const stopping = ["deny", "warn", "warn, deny", "backoff 1s"];
const closing = ["deny for 10m", "deny for 3h", "pause", "warn, pause"];
const holding = ["hold 10s", "warn, hold 30s", "backoff 2s, hold 5s"];

/** One rule without its label. */
export const randomRule: fc.Arbitrary<RandomRule> = fc
  .tuple(
    fc.oneof(
      { arbitrary: fc.array(tested, { minLength: 1, maxLength: 2 }), weight: 8 },
      fc.constant<Tested[]>([]),
      fc.constantFrom<Tested[]>([{ text: "call.unpriced", kind: "call" }], [{ text: "call.unmetered", kind: "call" }]),
    ),
    fc.option(filter),
    fc.nat(5).map((dice) => dice === 0),
    fc.nat(99),
  )
  .map(([conditions, when, shadow, dice]) => {
    const lasting = conditions.some(({ kind }) => kind !== "call");
    const frees = conditions.length > 0 && conditions.every(({ kind }) => kind === "frees");
    const known = [...stopping, ...(lasting ? closing : []), ...(frees ? holding : [])];
    const text = conditions.map((one) => one.text).join(" and ");
    const whose = when === null ? (text === "" ? "tenant is missing" : null) : when;
    return { shadow, text: `${text}${whose === null ? "" : ` when ${whose}`} -> ${known[dice % known.length]}`.trim() };
  });

export const randomPolicy: fc.Arbitrary<RandomPolicy> = fc.record({
  timezone: fc.option(fc.constantFrom(...ZONES)),
  rules: fc.array(randomRule, { minLength: 1, maxLength: 7 }),
});

/** A rule as a statement. */
export const ruleText = ({ text, shadow }: RandomRule, label: string): string =>
  `${shadow ? "shadow " : ""}${label}: ${text}`;

/** Files of a policy: the declarations, and the rules with their zone. */
export function filesOf({ timezone, rules }: RandomPolicy): readonly string[] {
  const zone = timezone === null ? "" : `timezone "${timezone}"\n`;
  return [`${zone}${DECLARATIONS}`, `${zone}${rules.map((rule, at) => `${ruleText(rule, `r${at}`)}\n`).join("")}`];
}

// --------------------------------------------------------------------------------------- what happens

export type Step = CallStep | OtherStep;

export type CallStep = Extract<AnyStep, { kind: "call" }>;
export type OtherStep = Exclude<AnyStep, { kind: "call" }>;

type AnyStep = { readonly wait: number } & (
  | {
      readonly kind: "call";
      readonly subject: {
        readonly tenant: string;
        readonly feature: string;
        readonly run: string;
        readonly plan: string;
      };
      readonly model: string;
      readonly cents: number;
      readonly input: number;
      readonly output: number;
      readonly fingerprint: string | null;
      readonly sdkRetry: number | null;
      readonly odd: "unpriced" | "unmetered" | null;
    }
  | {
      readonly kind: "end";
      /** Which of those under way. */
      readonly which: number;
      readonly cents: number;
      readonly input: number;
      readonly output: number;
      readonly how: "success" | "failure" | "released";
    }
  | { readonly kind: "limit"; readonly name: "quota" | "many"; readonly of: string; readonly amount: number | null }
  | { readonly kind: "pause" | "resume"; readonly tenant: string; readonly minutes: number | null }
);

/** ms: mostly soon, sometimes much later, never at once; all steps of a history fit into a day. */
const wait = fc.oneof(...[5, 120_000, 20 * 60_000, 90 * 60_000].map((max) => fc.integer({ min: 1, max })));
const sizes = { cents: fc.nat(9), input: fc.nat(600), output: fc.nat(600) };

const call: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant("call" as const),
  wait,
  subject: fc.record({
    tenant: value,
    feature: value,
    run: fc.constantFrom("r1", "r2", "r3"),
    plan: fc.constantFrom("pro", "free", "max", "(none)"),
  }),
  model,
  ...sizes,
  fingerprint: fc.constantFrom("f1", "f2", null),
  sdkRetry: fc.constantFrom(null, null, null, 0, 1),
  odd: fc.constantFrom(null, null, null, null, "unpriced" as const, "unmetered" as const),
});

const other: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({
      kind: fc.constant("end" as const),
      wait,
      which: fc.nat(5),
      ...sizes,
      how: fc.constantFrom("success", "success", "failure", "released"),
    }),
    weight: 5,
  },
  {
    arbitrary: fc
      .record({
        kind: fc.constant("limit" as const),
        wait,
        name: fc.constantFrom("quota", "quota", "many"),
        whose: fc.constantFrom("a", "b"),
        amount: fc.constantFrom(null, 0, 1, 3, Number.POSITIVE_INFINITY),
      })
      .map(({ whose, ...step }) => ({ ...step, of: step.name === "quota" ? whose : whose === "a" ? "pro" : "free" })),
    weight: 3,
  },
  fc.record({
    kind: fc.constantFrom("pause", "resume"),
    wait,
    tenant: value,
    minutes: fc.constantFrom(null, 10),
  }),
);

export const randomSteps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof({ arbitrary: call, weight: 3 }, { arbitrary: other, weight: 2 }),
  {
    minLength: 3,
    maxLength: 14,
  },
);

/** Moments shortly before something begins anew: an hour, a day, a month, a year, a leap day; clocks put on and back. */
export const randomStart: fc.Arbitrary<number> = fc
  .tuple(
    fc.constantFrom(
      "2026-11-22T14:02:00Z",
      "2026-11-01T04:10:00Z",
      "2026-03-08T06:20:00Z",
      "2026-12-31T17:40:00Z",
      "2028-02-28T22:00:00Z",
      "2026-04-04T14:00:00Z",
      "2026-11-29T20:00:00Z",
    ),
    fc.nat(3_600_000),
  )
  .map(([text, ms]) => Date.parse(text) + ms);
