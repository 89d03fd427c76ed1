import { describe, expect, it } from "vitest";
import { type Folder, folder } from "./command.ts";

const POLICY = "loop: run.repeats > 3 -> deny for 10m\ntenant.hourly > $50 -> deny\n";

const GOOD = `test "the call that would pass $50 is refused"
  given tenant.hourly = $49.99
  call tenant = "acme", cost = $0.02
  expect deny

test "the fourth repeat trips the breaker"
  given run.repeats = 3
  at "2026-04-19T03:47:00Z"
  call run = "r-1", repeats = 1
  expect deny by loop
`;

const BAD = `test "a call of two cents"
  given tenant.hourly = $49.99
  call tenant = "acme", cost = $0.02
  expect allow
`;

function project(files: Readonly<Record<string, string>>): Folder {
  const made = folder();
  for (const [name, text] of Object.entries(files)) made.write(name, text);
  return made;
}

describe("budget-guard test", () => {
  it("runs the tests beside the policy, names each, and ends with 0 where all pass", async () => {
    const { code, out } = await project({ "policies/a.budget": POLICY, "policies/a.test.budget": GOOD }).run(["test"]);
    expect(out).toBe(
      `policies/a.test.budget (policies/a.budget)
  ok    the call that would pass $50 is refused
  ok    the fourth repeat trips the breaker

2 tests passed.`,
    );
    expect(code).toBe(0);
  });

  it("shows a failure with its line, its reason and what was read, and ends with 1", async () => {
    const made = project({ "policies/a.budget": POLICY, "policies/a.test.budget": GOOD + BAD });
    const { code, out } = await made.run(["test"]);
    expect(out).toBe(
      `policies/a.test.budget (policies/a.budget)
  ok    the call that would pass $50 is refused
  ok    the fourth repeat trips the breaker
  FAIL  a call of two cents

    error[expect]: the call is denied by \`tenant.hourly > $50 -> deny\`, not allowed
      --> policies/a.test.budget:14:10
       |
    14 |   expect allow
       |          ^^^^^
       = note: tenant "acme" would reach $50.01 of $50.00 this hour (rule "tenant.hourly > $50 -> deny", policies/a.budget:2). Resets at 15:00 UTC.

    RULE                         READS                       SPENT  THIS CALL  LIMIT    LEFT  VERDICT
    tenant.hourly > $50 -> deny  tenant.hourly tenant=acme  $49.99     +$0.02    $50  -$0.01  deny

2 tests passed, 1 failed.`,
    );
    expect(code).toBe(1);
  });

  it("runs no test of a policy with errors: what is tested must be what would be enforced", async () => {
    const made = project({
      "policies/a.budget": `${POLICY}tenant.horuly > $5 -> deny\n`,
      "policies/a.test.budget": GOOD,
    });
    const { code, out } = await made.run(["test"]);
    expect(out).toContain("error[unknown-name]: unknown metric or window `horuly`");
    expect(out).toMatch(/1 error: no test was run\.$/);
    expect(out).not.toContain("ok");
    expect(code).toBe(1);
  });

  it("runs no test where one of them cannot be read", async () => {
    const made = project({
      "policies/a.budget": POLICY,
      "policies/a.test.budget": `${GOOD}test "x"\n  call cost = $1\n`,
    });
    const { code, out } = await made.run(["test"]);
    expect(out).toContain("this test expects nothing");
    expect(out).toContain("policies/a.test.budget:");
    expect(code).toBe(1);
  });

  it("tests one file with what it imports, and the whole folder where no file has the name", async () => {
    const made = project({
      "policies/org.budget": "org: global.daily > $500 -> deny\n",
      "policies/team.budget": 'import "./org.budget"\nteam: feature.daily > $9 -> deny\n',
      "policies/team.test.budget": 'test "t"\n  given global.daily = $500\n  call cost = $1\n  expect deny by org\n',
      "policies/org.test.budget": 'test "o"\n  given feature.daily = $9\n  call cost = $1\n  expect allow\n',
      "policies/all.test.budget": 'test "a"\n  given feature.daily = $9\n  call cost = $1\n  expect deny by team\n',
    });
    const { code, out } = await made.run(["test"]);
    expect(out).toContain("policies/all.test.budget (policies/)\n  ok    a");
    expect(out).toContain("policies/team.test.budget (policies/team.budget)\n  ok    t");
    // org.budget alone reads no feature.daily.
    expect(out).toContain("error[given]: no rule of this policy reads `feature.daily`");
    expect(out).toMatch(/2 tests passed, 1 failed\.$/);
    expect(code).toBe(1);
  });

  it("takes files of tests, policies and folders", async () => {
    const made = project({
      "a/x.budget": POLICY,
      "a/x.test.budget": GOOD,
      "a/y.budget": POLICY,
      "a/y.test.budget": BAD,
    });
    expect(await made.run(["test", "a/x.budget"])).toMatchObject({ code: 0 });
    expect(await made.run(["test", "a/x.test.budget"])).toMatchObject({ code: 0 });
    expect(await made.run(["test", "x.budget"], { below: "a" })).toMatchObject({ code: 0 });
    expect((await made.run(["test", "a"])).out).toMatch(/2 tests passed, 1 failed\.$/);
    expect(await made.run(["test", "b.budget"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("no file or folder b.budget"),
    });
  });

  it("says what to write where there are no tests", async () => {
    const made = project({ "policies/a.budget": POLICY });
    expect(await made.run(["test"])).toEqual({
      code: 1,
      out: "",
      err: "There are no tests: write policies/NAME.test.budget beside policies/NAME.budget.",
    });
    const named = await made.run(["test", "policies/a.budget"]);
    expect(named).toMatchObject({ code: 2, err: expect.stringContaining("policies/a.test.budget does not exist") });
  });

  it("knows the deployment's own prices", async () => {
    const made = project({
      "budget-guard.json": '{"prices": {"our-model": {"input": 1000, "output": 0}}}',
      "policies/a.budget": POLICY,
      "policies/a.test.budget": 'test "t"\n  call model = "our-model", input_tokens = 51K\n  expect deny\n',
    });
    expect(await made.run(["test"])).toMatchObject({ code: 0 });
  });
});

describe("coverage", () => {
  const files = { "policies/a.budget": `${POLICY}dear: call.cost > $9 -> warn\n`, "policies/a.test.budget": GOOD };

  it("lists rules that no test fired or let pass, and fails nothing by itself", async () => {
    const { code, out } = await project(files).run(["test", "--coverage"]);
    expect(out).toContain(
      `policies/a.budget: 2 of 3 rules fired, 3 let a call pass
  no test fired
    dear  policies/a.budget:3`,
    );
    expect(code).toBe(0);
  });

  it("fails the run under --strict, until it is complete", async () => {
    expect(await project(files).run(["test", "--strict"])).toMatchObject({ code: 1 });
    const whole = `${GOOD}test "dear"\n  call cost = $10\n  expect warn by dear\n`;
    expect(await project({ ...files, "policies/a.test.budget": whole }).run(["test", "--strict"])).toMatchObject({
      code: 0,
    });
  });

  it("counts the tests of all files about one folder together", async () => {
    const made = project({
      "policies/a.budget": "a: run.calls > 1 -> deny\n",
      "policies/one.test.budget": 'test "fires"\n  given run.calls = 1\n  call run = "r"\n  expect deny\n',
      "policies/two.test.budget": 'test "passes"\n  call run = "r"\n  expect allow\n',
    });
    expect(await made.run(["test", "--strict"])).toMatchObject({ code: 0 });
  });
});

describe("for a program", () => {
  it("what keeps the tests from being run is told, each error once", async () => {
    const made = project({
      "policies/org.budget": "tenant.horuly > $5 -> deny\n",
      "policies/a.budget": 'import "./org.budget"\n',
      "policies/a.test.budget": GOOD,
      "policies/org.test.budget": 'test "x"\n  call cost = $1\n',
    });
    const { code, out } = await made.run(["test", "--json"]);
    expect(JSON.parse(out)).toMatchObject({
      passed: 0,
      failed: 0,
      suites: [],
      errors: [
        { code: "unknown-name", file: "policies/org.budget", line: 1, column: 8 },
        { code: "syntax", file: "policies/org.test.budget", line: 2, help: "add `expect deny` or `expect allow`" },
      ],
    });
    expect(code).toBe(1);
  });

  it("every test is told with its line, what was expected and what happened", async () => {
    const made = project({ "policies/a.budget": POLICY, "policies/a.test.budget": GOOD + BAD });
    const { code, out } = await made.run(["test", "--json", "--coverage"]);
    const told = JSON.parse(out);
    expect(told).toMatchObject({
      passed: 2,
      failed: 1,
      coverage: [{ policy: "policies/a.budget", rules: 2, neverFired: [] }],
    });
    expect(told.suites[0].tests[2]).toMatchObject({
      title: "a call of two cents",
      line: 11,
      passed: false,
      expected: { verdict: "allow", by: null },
      happened: "denied by `tenant.hourly > $50 -> deny`",
      findings: [{ code: "expect", line: 14, column: 10, help: null }],
    });
    expect(told.suites[0].tests[1].expected).toEqual({ verdict: "deny", by: "loop" });
    expect(code).toBe(1);
  });
});
