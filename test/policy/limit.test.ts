import { describe, expect, it } from "vitest";
import { limitKey } from "../../src/keys.ts";
import { compile } from "../../src/policy/compile.ts";
import { entitlementOf, keptKeys } from "../../src/policy/entitlement.ts";
import { planOf } from "./support.ts";

const codes = (text: string, json?: string) =>
  compile([{ file: "p.budget", text }], {
    read: () => (json === undefined ? { why: "there is no such file" } : { file: "q.json", text: json }),
  }).diagnostics.map(({ code }) => code);

const fromJson = (json: string, otherwise = "$1") =>
  compile([{ file: "p.budget", text: `limit q by tenant from "q.json" else ${otherwise}\ntenant.daily > q -> deny` }], {
    read: () => ({ file: "q.json", text: json }),
  });

const DOLLAR = 1_000_000_000;
const nothing: ReadonlyMap<string, number> = new Map();

describe("a table of limits", () => {
  const plan = planOf(
    'dimension plan\nlimit q by plan { "free": $5, "big": unlimited } else $1\ntenant.daily > q -> deny',
  );
  const granted = (values: Record<string, string>) => entitlementOf(plan, 0, values, nothing);

  it("gives each value its own, and the others the rest", () => {
    expect(granted({ plan: "free" })).toBe(5 * DOLLAR);
    expect(granted({ plan: "other" })).toBe(DOLLAR);
    expect(granted({})).toBe(DOLLAR);
    expect(granted({ plan: "big" })).toBe(Number.POSITIVE_INFINITY);
    expect(granted({ plan: "__proto__" })).toBe(DOLLAR);
  });

  it("is compared with what a rule counts, by a dimension that the rule does not count by", () => {
    expect(plan.rules[0]?.conditions[0]).toMatchObject({
      limit: { kind: "named", limit: 0, millionths: 1_000_000 },
      text: "tenant.daily > q",
    });
    expect(plan.meters.map(({ id }) => id)).toEqual(["tenant.cost.daily"]);
  });

  it("may bound one call, tokens and counts", () => {
    const limits = 'limit t by tenant { "a": 2M tokens } else 1K tokens\nlimit n by tenant { "a": 20 } else 5\n';
    expect(planOf(`${limits}call.tokens > t -> deny\nrun.calls > n -> deny`).limits.map(({ unit }) => unit)).toEqual([
      "count",
      "tokens",
    ]);
    // A bare number fits tokens, too.
    expect(codes(`${limits}tenant.tokens.daily > n -> deny\nrun.calls > t -> deny`)).toContain("unit");
    expect(codes(`${limits}tenant.tokens.daily > n -> deny\ntenant.tokens.daily > t -> deny`)).not.toContain("unit");
  });

  it("is what a budget may be, and shares of it are millionths", () => {
    const { rules, budgets, limits } = planOf(
      'limit q by tenant { "a": $5 } else $1\nbudget b = q of tenant.monthly\nb > 80% -> warn\ntenant last 1h > 2.5% of b -> deny',
    );
    expect(budgets).toEqual([{ name: "b", limit: { kind: "named", limit: 0, millionths: 1_000_000 }, meter: 1 }]);
    expect(rules.map(({ conditions }) => conditions[0]?.limit)).toEqual([
      { kind: "named", limit: 0, millionths: 800_000 },
      { kind: "named", limit: 0, millionths: 25_000 },
    ]);
    expect(limits.map(({ name }) => name)).toEqual(["q"]);
  });

  it("has one unit, one row a value and an end", () => {
    expect(codes('limit q by tenant { "a": $5, "b": 20 } else $1')).toEqual(["unit"]);
    expect(codes('limit q by tenant { "a": $5 } else 20')).toEqual(["unit"]);
    expect(codes('limit q by tenant { "a": $5, "a": $6 } else $1')).toEqual(["duplicate-name"]);
    expect(codes('limit q by tenant { "a": $5 }')).toEqual(["no-else"]);
    expect(codes('limit q by nobody { "a": $5 } else $1')).toEqual(["unknown-name"]);
    expect(codes("limit q by tenant {} else $1\ntenant.daily > q -> deny")).toEqual([]);
  });
});

describe("a chain of limits", () => {
  const text =
    'dimension plan\nlimit by-plan by plan { "pro": $200 } else by-user\nlimit by-user by user { "u": $3 } else $1\n' +
    "limit q by tenant from store else by-plan\ntenant.daily > q -> deny";
  const plan = planOf(text);
  const q = plan.limits.findIndex(({ name }) => name === "q");

  it("asks the store first and then down the chain", () => {
    const subject = { tenant: "acme", plan: "free", user: "u" };
    expect(entitlementOf(plan, q, subject, nothing)).toBe(3 * DOLLAR);
    expect(entitlementOf(plan, q, { ...subject, plan: "pro" }, nothing)).toBe(200 * DOLLAR);
    expect(entitlementOf(plan, q, subject, new Map([[limitKey("q", "tenant", "acme"), 7]]))).toBe(7);
    expect(keptKeys(plan, q, subject)).toEqual([limitKey("q", "tenant", "acme")]);
  });

  it("takes its unit from where it ends", () => {
    expect(plan.limits.map(({ unit }) => unit)).toEqual(["money", "money", "money"]);
    expect(codes(`${text}\nrun.calls > q -> deny`)).toContain("unit");
  });

  it("that leads back to itself is an error", () => {
    expect(codes("limit a by tenant from store else b\nlimit b by tenant from store else a")).toEqual(["no-else"]);
    expect(codes('limit a by tenant { "x": a } else $5')).toEqual(["no-else"]);
  });

  it("ends after 100", () => {
    const long = (length: number): string =>
      Array.from(
        { length },
        (_, at) => `limit l${at} by tenant from store else ${at + 1 < length ? `l${at + 1}` : "$5"}`,
      ).join("\n");
    expect(codes(`${long(100)}\ntenant.daily > l0 -> deny`)).toEqual([]);
    expect(codes(`${long(5_000)}\ntenant.daily > l0 -> deny`)).toContain("no-else");
  });

  it("without any amount is in the unit of what is compared with it", () => {
    const open = "limit a by tenant from store else b\nlimit b by user from store else unlimited\n";
    expect(planOf(`${open}run.calls > a -> deny`).limits.map(({ unit }) => unit)).toEqual(["count", "count"]);
    expect(codes(`${open}run.calls > a -> deny\ntenant.daily > b -> deny`)).toContain("unit");
  });

  it("that no rule comes to is warned about", () => {
    expect(codes('limit a by tenant { "x": $5 } else $1\ntenant.daily > $5 -> deny')).toEqual(["unused-budget"]);
  });
});

describe("a file of limits", () => {
  it("is read with the policy: texts are amounts, numbers are in the unit of the others", () => {
    const { plan } = fromJson('{"acme": "$50", "globex": 200.5, "big": "unlimited", "__proto__": "$7"}');
    const row = (value: string) => entitlementOf(plan ?? { limits: [] }, 0, { tenant: value }, nothing);
    expect([row("acme"), row("globex"), row("big"), row("__proto__"), row("other")]).toEqual([
      50 * DOLLAR,
      200.5 * DOLLAR,
      Number.POSITIVE_INFINITY,
      7 * DOLLAR,
      DOLLAR,
    ]);
    expect(plan?.files).toEqual(["p.budget", "q.json"]);
    expect(plan?.hash).not.toBe(fromJson('{"acme": "$51"}').plan?.hash);
  });

  it("is in the unit of `else` where it holds only numbers", () => {
    expect(fromJson('{"acme": 200}', "$1").plan?.limits[0]?.rows.get("acme")).toEqual({
      kind: "amount",
      amount: 200 * DOLLAR,
    });
    const calls = 'limit q by tenant from "q.json" else 5\nrun.calls > q -> deny';
    expect(codes(calls, '{"acme": 200}')).not.toContain("import");
    expect(codes(calls, '{"acme": 0.5}')).toEqual(["import"]);
  });

  it.each([
    ["no JSON", "{"],
    ["a list", '["$5"]'],
    ["a bare text", '"$5"'],
    ["a nested table", '{"acme": {"daily": "$5"}}'],
    ["null", '{"acme": null}'],
    ["a word", '{"acme": "lots"}'],
    ["two amounts", '{"acme": "$5 $6"}'],
    ["a smuggled line", '{"acme": "$5\\nrun.calls > 0 -> deny"}'],
    ["a comment", '{"acme": "$5 # for now"}'],
    ["another currency", '{"acme": "€5"}'],
    ["below zero", '{"acme": -5}'],
    ["an exponent", '{"acme": 1e30}'],
    ["a share", '{"acme": "5%"}'],
    ["a key twice", '{"acme": "$5", "acme": "$6"}'],
  ])("that holds %s is an error on the statement", (_, json) => {
    const { plan, diagnostics } = fromJson(json);
    expect(plan).toBeNull();
    expect(diagnostics.length).toBeGreaterThan(0);
    for (const { code, span } of diagnostics) expect([code, span]).toEqual(["import", { start: 23, end: 31 }]);
  });

  it("has the unit of its `else`", () => {
    expect(fromJson('{"acme": "5 tokens"}').diagnostics).toMatchObject([
      { code: "import", message: 'row "acme" of q.json: it is tokens, the others are money' },
    ]);
    expect(fromJson('{"acme": 50, "globex": "60"}').diagnostics).toMatchObject([
      {
        message: 'row "globex" of q.json: it is a bare number, the others are money',
        help: 'write 60 without quotes, or "$60"',
      },
    ]);
    expect(fromJson('{"acme": {}, "globex": 1e30}').diagnostics).toMatchObject([
      { message: 'row "acme" of q.json: a table is no amount' },
      { message: 'row "globex" of q.json: 1e+30 is no amount' },
    ]);
    expect(fromJson('{"acme": "$5", "globex": "5 tokens"}').diagnostics).toMatchObject([
      { code: "import", message: 'row "globex" of q.json: it is tokens, the others are money' },
    ]);
  });

  it("names the row that is wrong", () => {
    expect(fromJson('{"acme": "$1,000"}').diagnostics[0]).toMatchObject({
      message: 'row "acme" of q.json: a comma cannot separate digits',
      help: "write `1_000`, or `1K`, `2M`",
    });
  });

  it("of 20,000 rows is read in good time", () => {
    const rows = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`tenant-${at}`, "$5"]));
    const started = performance.now();
    expect(fromJson(JSON.stringify(rows)).plan?.limits[0]?.rows.size).toBe(20_000);
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});
