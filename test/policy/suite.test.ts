import { beforeAll, describe, expect, it } from "vitest";
import { loadEstimator } from "../../src/cli/estimator.ts";
import { roomAt } from "../../src/cli/room.ts";
import { renderAll } from "../../src/policy/diagnostics.ts";
import { indexRules } from "../../src/policy/match.ts";
import type { Estimator } from "../../src/policy/simulate-call.ts";
import { runTest, type TestResult } from "../../src/policy/suite.ts";
import { coverageOf } from "../../src/policy/suite-coverage.ts";
import { parseSuite } from "../../src/policy/syntax.ts";
import { NOW, planOf } from "./support.ts";

let estimator: Estimator;
beforeAll(async () => {
  estimator = await loadEstimator({}, () => NOW);
});

async function run(policy: string, body: string): Promise<TestResult> {
  const plan = planOf(policy);
  const { tests, findings } = parseSuite(`test "t"\n${body.replace(/^(?=.)/gm, "  ")}\n`);
  const [test] = tests;
  if (test === undefined) throw new Error(findings.map(({ message }) => message).join("\n"));
  return runTest(test, { plan, rulesFor: indexRules(plan), estimator, now: NOW, resetsAt: roomAt });
}

/** What was wrong, each as `message | help`. */
const wrong = async (policy: string, body: string): Promise<readonly string[]> =>
  (await run(policy, body)).findings.map(({ message, help }) => `${message} | ${help}`);

const POLICY = `dimension plan
limit quota by tenant from store else $25
limit tier by plan { "pro": $200 } else unlimited
budget day = $100 of global.daily
budget share = tier of tenant.weekly
loop: run.repeats > 3 -> deny for 10m
tenant.hourly > $50 -> deny
day > 80% -> warn
share > 50% -> hold 10s
tenant.monthly > quota -> pause
tokens: user.tokens last 5m > 10K -> deny
unknown: call.unpriced -> deny
free: call.unmetered -> warn
first: call.retries > 0 -> backoff 1s`;

const passes = async (body: string): Promise<void> => {
  const { passed, findings, happened } = await run(POLICY, body);
  expect({ passed, happened, findings: findings.map(({ message }) => message) }).toMatchObject({
    findings: [],
    passed: true,
  });
};

describe("a test passes where decision and reason are as expected", () => {
  it.each([
    ["deny", 'given tenant.hourly = $49.99\ncall tenant = "acme", cost = $0.02\nexpect deny'],
    ["deny for a label", 'given run.repeats = 3\ncall run = "r", repeats = 1\nexpect deny by loop'],
    ["what was given alone fires", 'given run.repeats = 4\ncall run = "r"\nexpect deny by loop'],
    [
      "a rule without a label",
      'given tenant.hourly = $50\ncall cost = $1\nexpect deny by "tenant.hourly > $50 -> deny"',
    ],
    ["allow", 'given tenant.hourly = $49.98\ncall tenant = "acme", cost = $0.02\nexpect allow'],
    ["a budget by its share", 'given day = 80%\ncall cost = $0.01\nexpect warn by "day > 80% -> warn"'],
    ["a budget by its amount", "given day = $79.99\ncall cost = $0.01\nexpect allow"],
    ["a budget of a named limit", 'given share = 50%\ncall plan = "pro", cost = $0.01\nexpect hold'],
    ["a kept limit", "given quota = $80\ngiven tenant.monthly = $50\ncall cost = $1\nexpect allow"],
    ["a limit that nobody keeps", "given tenant.monthly = $25\ncall cost = $1\nexpect pause"],
    ["a kept limit without end", "given quota = unlimited\ngiven tenant.monthly = $9K\ncall cost = $1\nexpect allow"],
    [
      "tokens of both kinds",
      'given user.tokens last 5m = 9K tokens\ncall user = "ann", input_tokens = 900, output_tokens = 101\nexpect deny by tokens',
    ],
    ["all tokens at once", 'given user.tokens last 5m = 9K\ncall user = "ann", tokens = 1_000\nexpect allow'],
    ["a model without a price", 'call model = "never-heard-of-it", input_tokens = 1\nexpect deny by unknown'],
    ["a price that is said to be unknown", 'call model = "gpt-5", unpriced = "yes"\nexpect deny by unknown'],
    ["a price that is said to be known", 'call model = "never-heard-of-it", unpriced = "no"\nexpect allow'],
    ["what cannot be metered", 'call unmetered = "yes"\nexpect warn by free'],
    ["a retry", "call retries = 1\nexpect backoff by first"],
    ["all that is done with one call", "given day = 90%\ncall retries = 1, cost = $0.01\nexpect warn"],
    ["and the other of it", "given day = 90%\ncall retries = 1, cost = $0.01\nexpect backoff"],
  ])("%s", async (_, body) => passes(body));

  it("a cost that is not said is made of model and tokens", async () => {
    const body = (given: string, expected: string): string =>
      `given tenant.hourly = ${given}\ncall model = "claude-opus-4-7", input_tokens = 8K, output_tokens = 1K\nexpect ${expected}`;
    const price = estimator.estimate("anthropic", "claude-opus-4-7", 8_000, 1_000).cost.total / 1e9;
    expect(price).toBeGreaterThan(0.05);
    await passes(body(`$${(50 - price).toFixed(6)}`, "allow"));
    await passes(body(`$${(50 - price + 0.000001).toFixed(6)}`, "deny"));
  });

  it("the time is that of the test: a message names the end of its month", async () => {
    const body = 'given tenant.monthly = $25\nat "2028-02-29T12:00:00Z"\ncall cost = $1\nexpect allow';
    const { findings } = await run(POLICY.replace("-> pause", '-> deny "until {reset}"'), body);
    expect(findings[0]?.note).toContain("until 1 March 00:00 UTC");
  });
});

describe("a test fails", () => {
  it("with what happened instead, its reason, and the caret at what was expected", async () => {
    const body = 'given tenant.hourly = $49.99\ncall tenant = "acme", cost = $0.02\nexpect allow';
    const { findings, passed, happened } = await run("tenant.hourly > $50 -> deny", body);
    expect(passed).toBe(false);
    expect(happened).toBe("denied by `tenant.hourly > $50 -> deny`");
    const text = `test "t"\n${body.replace(/^(?=.)/gm, "  ")}\n`;
    expect(
      renderAll(
        findings.map((one) => ({ ...one, file: "p.test.budget" })),
        [{ file: "p.test.budget", text }],
      ),
    ).toBe(
      `error[expect]: the call is denied by \`tenant.hourly > $50 -> deny\`, not allowed
 --> p.test.budget:4:10
  |
4 |   expect allow
  |          ^^^^^
  = note: tenant "acme" would reach $50.01 of $50.00 this hour (rule "tenant.hourly > $50 -> deny", p.budget:1). Resets at 15:00 UTC.`,
    );
  });

  it("where the reason is another, with what the expected rule read", async () => {
    const body = "given tenant.hourly = $50\ngiven run.repeats = 2\ncall cost = $1\nexpect deny by loop";
    expect(await wrong(POLICY, body)).toEqual([
      "the call is denied, but by `tenant.hourly > $50 -> deny`, not by `loop` | `loop` does not fire: `run.repeats > 3` stands at 2 of 3 with this call",
    ]);
  });

  it("where the expected rule does not concern the call, or its flag is down", async () => {
    const policy = 'a: tenant.daily > $1 when feature == "x" -> deny\nb: call.unpriced -> deny';
    expect(await wrong(policy, 'given tenant.daily = $9\ncall feature = "y", cost = $1\nexpect deny by a')).toEqual([
      'the call is allowed, not denied by `a` | `a` does not concern this call: feature is "y", not "x"',
    ]);
    expect(await wrong(policy, 'call model = "gpt-5"\nexpect deny by b')).toEqual([
      "the call is allowed, not denied by `b` | `b` does not fire: the price of gpt-5 is known",
    ]);
  });

  it.each([
    ['feature == "x" and agent == "y"', 'feature is "z", not "x"'],
    ['feature == "x" and agent == "w"', 'feature is "z", not "x"'],
    ['feature == "x" or agent == "y"', 'feature is "z", not "x" and agent is "w", not "y"'],
    ['not (feature == "z" or agent == "y")', 'feature is "z"'],
    ['feature in ["x", "y"]', 'feature is "z", not "x" or "y"'],
    ['feature matches "x*"', 'feature is "z", which does not match "x*"'],
    ["feature is missing", 'feature is "z"'],
    ['user == "ann"', "the call names no user"],
    ["not user is missing", "the call names no user"],
  ])("where the filter %s keeps the rule away", async (filter, why) => {
    const [said] = await wrong(`a: when ${filter} -> deny`, 'call feature = "z", agent = "w"\nexpect deny by a');
    expect(said).toContain(`\`a\` does not concern this call: ${why}`);
    expect(said?.endsWith(why)).toBe(true);
  });

  it("where no model is named that could have a price", async () => {
    expect(await wrong("b: call.unpriced -> deny", "call cost = $1\nexpect deny by b")).toEqual([
      "the call is allowed, not denied by `b` | `b` does not fire: the call names no model",
    ]);
  });

  it("where two rules refuse and the other one is named", async () => {
    const policy = "a: run.calls > 1 -> deny\nb: run.calls > 1 -> pause";
    expect(await wrong(policy, "given run.calls = 1\ncall cost = $1\nexpect deny by a")).toEqual([
      "the call is paused by `b`, not denied by `a` | `a` fires as well, but another rule is stricter, or has the smaller name",
    ]);
  });

  it("where a call is allowed, but not without a word", async () => {
    const policy = "a: run.calls > 1 -> warn\nshadow s: run.calls > 0 -> deny";
    expect(await wrong(policy, "given run.calls = 1\ncall cost = $1\nexpect allow")).toEqual([
      "the call is allowed with a warning by `a`, not allowed | undefined",
    ]);
    const { passed } = await run(policy, "call cost = $1\nexpect allow by s");
    expect(passed).toBe(true);
    expect(await wrong(policy, "call cost = $1\nexpect allow by a")).toEqual([
      "the call is allowed, but by `s`, not by `a` | `a` does not fire: `run.calls > 1` stands at 1 of 1 with this call",
    ]);
  });
});

describe("a test that means nothing says why", () => {
  it.each([
    ["given tenant.horly = $1", "no rule of this policy reads `tenant.horly` | did you mean `tenant.hourly`?"],
    [
      "given user.tokens last 6m = 1",
      "no rule of this policy reads `user.tokens last 6m` | did you mean `user.tokens last 5m`?",
    ],
    ["given dya = 80%", "no rule of this policy reads `dya` | did you mean `day`?"],
    ["given tenant.hourly = 20", "`tenant.hourly` is measured in dollars | write `given tenant.hourly = $20`"],
    [
      "given user.tokens last 5m = $20",
      "`user.tokens last 5m` is measured in tokens | write `given user.tokens last 5m = 20 tokens`",
    ],
    ["given run.repeats = $4", "`run.repeats` is measured in whole numbers | write `given run.repeats = 4`"],
    [
      "given tenant.hourly = 80%",
      "`tenant.hourly` is no budget, so it has no percentage | write how much was spent or counted",
    ],
    ["given tenant.hourly = $1\ngiven tenant.hourly = $2", "`tenant.hourly` is given twice | delete one"],
    ["given day = $1\ngiven global.daily = $2", "`global.daily` is given twice | delete one"],
    ["given call.cost = $1", "`call.cost` is a fact of the call | say it behind `call`: `call cost = $0.02`"],
    ["given call.unpriced", '`call.unpriced` is a fact of the call | say it behind `call`: `call unpriced = "yes"`'],
    ["given store.down = 3", "`store.down` is yes or no | write `given store.down`"],
    [
      "given tier = $5",
      'the limit `tier` is not kept in the store, so it is what the policy says | only a limit `from store` can be given; or say whose call it is: `call tenant = "acme"`',
    ],
    [
      "given share = 50%",
      "the budget `share` has no limit for this call | write how much was spent: `given budget = $20`",
    ],
    [
      'at "noon"',
      '"noon" is no time | write date, time and zone: `at "2026-04-19T03:47:00Z"`, or `+02:00` in place of `Z`',
    ],
    [
      'at "2026-04-31T03:47:00Z"',
      '"2026-04-31T03:47:00Z" is no time | write date, time and zone: `at "2026-04-19T03:47:00Z"`, or `+02:00` in place of `Z`',
    ],
    [
      'at "2026-04-19T03:47:00"',
      '"2026-04-19T03:47:00" is no time | write date, time and zone: `at "2026-04-19T03:47:00Z"`, or `+02:00` in place of `Z`',
    ],
  ])("%s", async (given, said) => {
    expect(await wrong(POLICY, `${given}\ncall cost = $1\nexpect allow`)).toEqual([said]);
  });

  it.each([
    ['tennant = "acme"', "nothing is known by `tennant` of a call | did you mean `tenant`?"],
    ['customer = "acme"', "nothing is known by `customer` of a call | did you mean `tenant`?"],
    [
      "errors = 1",
      "whether a call fails is known only when it is over | say how many failed before it: `given provider.errors last 1m = 26`",
    ],
    ["calls = 2", "a call is always one call | say what went before it: `given run.calls = 20`"],
    ["tenant = 4", '`tenant` is a text | write it in quotes: `tenant = "acme"`'],
    ["cost = 3", "`cost` is measured in dollars | write `cost = $3`"],
    ["cost = €3", "prices are in US dollars, not € | write `$3`"],
    ['cost = "$3"', "`cost` is an amount, not a text | leave out the quotes: `cost = $3`"],
    ["retries = $1", "`retries` is a number of retries | write `retries = 1`"],
    ["input_tokens = 1K calls", "`input_tokens` is a number of tokens | write `input_tokens = 4K`"],
    [
      "repeats = 2",
      "one call adds at most one of `repeats` | write `repeats = 1` or `repeats = 0`; what went before it is `given`",
    ],
    ['unpriced = "maybe"', '`unpriced` is yes or no | write `unpriced = "yes"`'],
    ["cost = $1, cost = $2", "`cost` is said twice of this call | delete one"],
    [
      "tokens = 5, input_tokens = 6",
      "`tokens` is not the sum of `input_tokens` and `output_tokens` | say two of the three",
    ],
    [
      "tokens = 5, input_tokens = 1, output_tokens = 1",
      "`tokens` is not the sum of `input_tokens` and `output_tokens` | say two of the three",
    ],
  ])("call %s", async (fact, said) => {
    expect(await wrong(POLICY, `call ${fact}\nexpect allow`)).toEqual([said]);
  });

  it("a reason that is no rule", async () => {
    expect(await wrong(POLICY, "call cost = $1\nexpect deny by lopo")).toEqual([
      "this policy has no rule `lopo` | did you mean `loop`?",
    ]);
    expect(await wrong(POLICY, 'call cost = $1\nexpect deny by "tenant.hourly > $5 -> deny"')).toEqual([
      'this policy has no rule `tenant.hourly > $5 -> deny` | did you mean `by "tenant.hourly > $50 -> deny"`?',
    ]);
  });

  it("everything that is wrong at once, from top to bottom", async () => {
    const { findings } = await run(POLICY, 'given x = 1\nat "y"\ncall z = 1\nexpect deny by w');
    expect(findings.map(({ code }) => code)).toEqual(["given", "given", "fact", "unknown-name"]);
  });
});

describe("a meter", () => {
  it("is known in whatever zone the policy counts it", async () => {
    const policy = 'timezone "Asia/Tokyo"\ntenant.daily > $5 -> deny';
    expect((await run(policy, "given tenant.daily = $5\ncall cost = $1\nexpect deny")).passed).toBe(true);
  });

  it("is known by its scopes in any order, and with or without `cost`", async () => {
    const policy = "tenant.feature.daily > $5 -> deny";
    expect((await run(policy, "given feature.tenant.cost.daily = $5\ncall cost = $1\nexpect deny")).passed).toBe(true);
  });

  it("of another model has seen nothing when the call is sent there", async () => {
    const policy = 'model.calls.daily > 5 -> route to "gpt-5-mini"\nm: model.calls.daily > 5 -> deny';
    const { happened } = await run(
      policy,
      'given model.calls.daily = 9\ncall model = "gpt-5", tokens = 9\nexpect route',
    );
    expect(happened).toBe('routed by `model.calls.daily > 5 -> route to "gpt-5-mini"`');
  });

  it("of retries is one of as many calls, where nobody says how many", async () => {
    const policy = "run.retries > 60% -> deny";
    const body = (calls: string): string => `given run.retries = 6${calls}\ncall retries = 0\nexpect allow`;
    expect((await run(policy, body(""))).findings[0]?.note).toContain("6 retries in 7 calls");
    expect((await run(policy, body("\ngiven run.calls = 20"))).passed).toBe(true);
  });
});

describe("coverage", () => {
  it("names rules that no test fired, and rules that no test let pass", async () => {
    const policy =
      'a: run.calls > 1 -> deny\nb: run.calls > 9 -> deny\nc: when feature == "x" -> warn\nd: when feature == "y" -> warn';
    const plan = planOf(policy);
    const calls = await Promise.all([
      run(policy, 'given run.calls = 1\ncall feature = "x"\nexpect deny'),
      run(policy, 'given run.calls = 5\ncall feature = "x"\nexpect deny'),
    ]);
    const { neverFired, neverPassed } = coverageOf(
      plan,
      calls.flatMap(({ simulated }) => simulated ?? []),
    );
    expect(neverFired.map(({ id }) => id)).toEqual(["b", "d"]);
    expect(neverPassed.map(({ id }) => id)).toEqual(["a", "c"]);
  });
});
