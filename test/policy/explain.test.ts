import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { compile, type ReadFile } from "../../src/policy/compile.ts";
import { renderAll } from "../../src/policy/diagnostics.ts";
import { explainRule } from "../../src/policy/explain.ts";
import { makeMeter } from "../../src/policy/meter.ts";
import type {
  Action,
  Condition,
  Filter,
  Limit,
  Metric,
  NamedLimit,
  Plan,
  Rule,
  Window,
} from "../../src/policy/plan.ts";
import { planOf } from "./support.ts";

const root = join(import.meta.dirname, "..", "..");

const beside: ReadFile = (from, path) => {
  const file = join(dirname(from), path);
  return { file, text: readFileSync(join(root, file), "utf8") };
};

function compiled(file: string): Plan {
  const sources = [{ file, text: readFileSync(join(root, file), "utf8") }];
  const { plan, diagnostics } = compile(sources, { read: beside });
  if (plan === null) throw new Error(renderAll(diagnostics, sources));
  return plan;
}

const programs = ["policies", "policies/examples"].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".budget") && !name.endsWith(".test.budget"))
    .map((name) => `${folder}/${name}`),
);

/** By program: each rule as written, and under it, indented, what it says. */
const golden = new Map(
  readFileSync(join(import.meta.dirname, "explain.golden.txt"), "utf8")
    .split(/^## /m)
    .slice(1)
    .map((part) => {
      const cut = part.indexOf("\n");
      return [part.slice(0, cut), part.slice(cut + 1).trim()] as const;
    }),
);

describe("every rule of the programs that ship, in English", () => {
  it.each(programs)("%s", (file) => {
    const plan = compiled(file);
    const said = plan.rules.map((rule) => `${rule.text}\n    ${explainRule(rule, plan)}`).join("\n");
    expect(said).toBe(golden.get(file));
  });
});

const one = (text: string): string => {
  const plan = planOf(text);
  const [rule] = plan.rules;
  if (rule === undefined) throw new Error("no rule");
  return explainRule(rule, plan);
};

describe("one rule in English", () => {
  it.each([
    [
      "tenant.hourly > $50 -> deny",
      "When a call would bring the tenant's spend this hour above $50: refuse the call; at most $1,200 a day for each tenant.",
    ],
    [
      "tenant.total >= $500 -> deny",
      "When a call would bring the tenant's total spend to $500 or more: refuse the call.",
    ],
    [
      "tenant.concurrency > 8 -> deny",
      "When a call would bring the tenant's calls in flight above 8: refuse the call.",
    ],
    [
      "tenant last 5m > $500/h -> deny for 10m",
      "When a call would bring the tenant's spend in the last 5 minutes above a rate of $500 an hour ($41.67): refuse all calls of the tenant from this one on; reopens after 10 minutes.",
    ],
    ["call.retries > 0 -> deny", "When a call is a retry: refuse the call."],
    ["call.retries >= 3 -> deny", "When a call is the 3rd retry of its request, or a later one: refuse the call."],
    ["call.cost >= $0.50 -> deny", "When a call is estimated to cost $0.50 or more: refuse the call."],
    ["call.unmetered -> warn", "When a call spends money in a way that cannot be counted: warn, and let the call go."],
    [
      "agent.errors last 5m > 50% and agent.errors last 5m > 10 -> deny for 5m",
      "When the agent's errors in the last 5 minutes have passed 50% of its calls and passed 10: refuse all calls of the agent from this one on; reopens after 5 minutes.",
    ],
    [
      'provider.errors last 1m > 25 when tenant != "internal" -> deny',
      'When a call whose tenant is not "internal" comes while the provider\'s errors in the last minute (whatever the tenant) have passed 25: refuse the call.',
    ],
    [
      "call.cost > $1 and tenant.daily > $20 -> deny",
      "When a call is estimated to cost more than $1 and would bring the tenant's spend today above $20: refuse the call.",
    ],
    [
      "global last 10m > $100 -> deny",
      "When a call would bring everyone's spend in the last 10 minutes above $100: refuse the call; at most $14,400 a day.",
    ],
    [
      "model.tokens last 2d > 1M tokens -> deny",
      "When a call would bring the model's tokens in the last 2 days above 1,000,000: refuse the call; at most 16,000,000 tokens a month for each model.",
    ],
    [
      "feature.hourly > $10 -> pause, deny",
      "When a call would bring the feature's spend this hour above $10: refuse the call and pause the feature until someone resumes it.",
    ],
    ["run.calls > 10 -> warn, deny", "When a call would bring the run's calls above 10: warn and refuse the call."],
  ])("%s", (text, said) => {
    expect(one(text)).toBe(said);
  });

  it("says that `when` chooses who is judged, and counts all the same", () => {
    expect(one('tenant.monthly > $200 when model matches "claude-opus-*" -> deny')).toBe(
      'When a call whose model matches "claude-opus-*" would bring the tenant\'s spend this month (whatever the model) above $200: refuse the call.',
    );
    expect(one('tenant.model.monthly > $200 when model matches "claude-opus-*" -> deny')).not.toContain("whatever");
  });

  it("promises no bound where a filter lets calls count that are never judged", () => {
    expect(one('tenant.hourly > $50 when feature == "research" -> deny')).not.toContain("at most");
    expect(one('feature.hourly > $50 when feature == "research" -> deny')).toContain("; at most $1,200 a day");
  });
});

describe("whose bound it is", () => {
  it("is told by the scopes, unless a filter tells already", () => {
    expect(one("tenant.feature.hourly > $2 -> deny")).toMatch(/; at most \$48 a day for each tenant and feature\.$/);
    expect(one('feature.hourly > $2 when feature == "a" -> deny')).toMatch(/; at most \$48 a day\.$/);
  });
});

describe("whose calls", () => {
  it.each([
    ["tenant is missing", "that names no tenant"],
    ["not tenant is missing", "that names a tenant"],
    ['feature in ["a", "b", "c"]', 'whose feature is "a", "b" or "c"'],
    ['not feature in ["a", "b"]', 'whose feature is neither "a" nor "b"'],
    ['feature == "a" and tenant != "b"', 'whose feature is "a" and whose tenant is not "b"'],
    ['feature == "a" or tenant == "b"', 'whose feature is "a" or whose tenant is "b"'],
    [
      'provider == "openai" and not (model matches "gpt-5-mini*" or tenant == "internal")',
      'whose provider is "openai", whose model does not match "gpt-5-mini*" and whose tenant is not "internal"',
    ],
    [
      '(feature == "a" or tenant == "b") and model == "c"',
      'for which either its feature is "a" or its tenant is "b", and its model is "c",',
    ],
    [
      'model == "c" or not (feature == "a" or tenant is missing)',
      'for which its model is "c", or both its feature is not "a" and it names a tenant,',
    ],
  ])("%s", (filter, said) => {
    expect(one(`when ${filter} -> deny`)).toBe(`For every call ${said}: refuse the call.`.replace(",:", ":"));
  });
});

interface Wishes {
  readonly scopes?: readonly string[];
  readonly metric?: Metric;
  readonly window?: Window;
  readonly limit?: Limit;
  readonly text?: string;
  readonly budget?: string;
  readonly limits?: readonly NamedLimit[];
  readonly filter?: Filter;
  readonly actions?: readonly Action[];
}

const DENY: Action = { kind: "deny", message: null };

function told(wishes: Wishes): string {
  const meter = makeMeter(wishes.scopes ?? ["tenant"], wishes.metric ?? "cost", wishes.window ?? { kind: "total" });
  const condition: Condition = {
    reading: { kind: "meter", meter: 0 },
    op: ">",
    limit: wishes.limit ?? { kind: "fixed", amount: 50e9 },
    text: wishes.text ?? "x > $50",
    budget: wishes.budget ?? null,
  };
  const rule: Rule = {
    id: "rule",
    text: "rule",
    doc: null,
    file: "p.budget",
    line: 1,
    shadow: false,
    conditions: [condition],
    flag: null,
    filter: wishes.filter ?? null,
    actions: wishes.actions ?? [DENY],
    closes: wishes.scopes ?? ["tenant"],
  };
  const plan: Plan = {
    meters: [meter],
    rules: [rule],
    budgets: [],
    limits: wishes.limits ?? [],
    dimensions: [],
    files: ["p.budget"],
    hash: "0",
  };
  return explainRule(rule, plan);
}

describe("the words for", () => {
  it.each([
    [["tenant", "feature"], "the tenant's total spend on the feature"],
    [["tenant", "agent"], "the tenant's total spend through the agent"],
    [["user", "model"], "the user's total spend on the model"],
    [["tenant", "workspace"], "the tenant's total spend for the workspace"],
    [["tenant", "run"], "the tenant's total spend in the run"],
    [["provider", "key"], "the provider's total spend under the API key"],
    [[], "everyone's total spend"],
  ])("the scopes %s", (scopes, said) => {
    expect(told({ scopes })).toBe(`When a call would bring ${said} above $50: refuse the call.`);
  });

  it("a time zone", () => {
    const window: Window = { kind: "daily", timezone: "America/New_York" };
    expect(told({ window })).toContain("the tenant's spend today (America/New_York time) above $50");
    const filter: Filter = { kind: "in", dimension: "feature", values: ["a"] };
    expect(told({ window, filter })).toContain("today (America/New_York time; whatever the feature) above");
    expect(told({ window: { kind: "daily", timezone: "UTC" } })).toContain("the tenant's spend today above $50");
  });

  it("runs", () => {
    expect(told({ metric: "runs", window: { kind: "last", ms: 300_000 }, limit: { kind: "fixed", amount: 8 } })).toBe(
      "When a call would bring the tenant's different runs in the last 5 minutes above 8: refuse the call.",
    );
  });

  const plans: NamedLimit = {
    name: "plan-quota",
    by: "plan",
    unit: "money",
    rows: new Map([
      ["free", { kind: "amount", amount: 5e9 }],
      ["enterprise", { kind: "unlimited" }],
    ]),
    fromStore: false,
    otherwise: { kind: "amount", amount: 1e9 },
  };
  const table = 'the plan\'s plan-quota ($5 for "free", no limit for "enterprise", else $1)';

  it("a named limit, and a share of it", () => {
    const whole: Limit = { kind: "named", limit: 0, millionths: 1_000_000 };
    expect(told({ limits: [plans], limit: whole })).toContain(`above ${table}: refuse`);
    expect(told({ limits: [plans], limit: { ...whole, millionths: 800_000 } })).toContain(
      `above 80% of ${table}: refuse`,
    );
  });

  it("a limit that the store keeps, with another one behind it", () => {
    const quota: NamedLimit = {
      name: "quota",
      by: "tenant",
      unit: "money",
      rows: new Map(),
      fromStore: true,
      otherwise: { kind: "limit", limit: 0 },
    };
    expect(told({ limits: [plans, quota], limit: { kind: "named", limit: 1, millionths: 1_000_000 } })).toContain(
      `above the tenant's quota (as the store keeps it, else ${table.replace(" (", ": ")}: refuse`,
    );
  });

  it("a long table, by its length", () => {
    const rows = new Map(
      Array.from({ length: 40 }, (_, at) => [`t${at}`, { kind: "amount", amount: at * 1e9 }] as const),
    );
    const limit: Limit = { kind: "named", limit: 0, millionths: 1_000_000 };
    expect(told({ limits: [{ ...plans, rows }], limit })).toContain("plan-quota (a table of 40, else $1)");
  });

  it.each<[Action, string]>([
    [{ kind: "hold", ms: 30_000 }, "hold the call for up to 30 seconds until there is room, then refuse it"],
    [{ kind: "backoff", ms: 500 }, "delay the call by 500 milliseconds, twice as long with each further retry"],
    [{ kind: "route", model: "gpt-5-mini" }, 'send the call to "gpt-5-mini" instead'],
    [{ kind: "cap", tokens: 2_000 }, "cap the answer at 2,000 tokens"],
    [{ kind: "pause", message: null }, "refuse the call and pause the tenant until someone resumes it"],
  ])("the action %o", (action, said) => {
    expect(told({ actions: [action] })).toBe(`When a call would bring the tenant's total spend above $50: ${said}.`);
  });

  it("a limit that returns every hour without an amount of its own", () => {
    const window: Window = { kind: "hourly", timezone: "UTC" };
    const limit: Limit = { kind: "named", limit: 0, millionths: 1_000_000 };
    expect(told({ window, limits: [plans], limit, actions: [{ kind: "hold", ms: 30_000 }] })).toMatch(
      /then refuse it; at most 24 times that a day\.$/,
    );
  });
});
