import { describe, expect, it } from "vitest";
import { parseSuite } from "../../src/policy/syntax.ts";

const said = (text: string) => parseSuite(text).findings.map(({ message }) => message);
const helps = (text: string) => parseSuite(text).findings.map(({ help }) => help);

const good = `# Tests of the starter policy.

## The line itself.
test "the call that would pass $50 is refused"
  given tenant.hourly = $49.99  # so far
  given store.down

  ## said in passing
  at "2026-04-19T03:47:00Z"
  given call.unpriced
  call  tenant = "acme", cost = $0.02,
    input_tokens = 12K
  expect deny by "tenant.hourly > $50 -> deny"
test "the fourth repeat trips the breaker"
  given run.repeats = 4
  call run = "r-1"
  expect deny by loop
`;

describe("a file of tests", () => {
  it("holds calls and what is expected of them, with comments anywhere", () => {
    const { tests, findings } = parseSuite(good);
    expect(findings).toEqual([]);
    expect(tests.map(({ title }) => title.value)).toEqual([
      "the call that would pass $50 is refused",
      "the fourth repeat trips the breaker",
    ]);
    const [first, second] = tests;
    expect(first?.doc).toBe("The line itself.");
    expect(first?.givens.map(({ amount }) => amount?.kind ?? null)).toEqual(["Money", null, null]);
    expect(first?.at?.value).toBe("2026-04-19T03:47:00Z");
    expect(first?.expect).toMatchObject({
      verdict: "deny",
      by: { kind: "String", value: "tenant.hourly > $50 -> deny" },
    });
    expect(second?.expect).toMatchObject({ verdict: "deny", by: { kind: "Name", text: "loop" } });
    expect(second?.doc).toBeNull();
  });

  it("reports every bad test and keeps the good ones", () => {
    const text = `test "a"\n  call cost = $1\n${good}test "b"\n  expect deny\n`;
    expect(said(text)).toEqual(["this test expects nothing", "`expect` was not expected here"]);
    expect(parseSuite(text).tests).toHaveLength(2);
  });

  it("knows where its tests stand", () => {
    const text = `\n${good}`;
    const [first] = parseSuite(text).tests;
    expect(text.slice(first?.span.start, first?.span.end)).toMatch(/^test "the call[\s\S]*-> deny"$/);
  });

  it("may be empty, or come from Windows", () => {
    expect(parseSuite("")).toEqual({ tests: [], findings: [] });
    expect(parseSuite(good.replaceAll("\n", "\r\n")).tests).toHaveLength(2);
  });

  it.each([
    ['test "a"', "this test makes no call", "add `call"],
    ['test "a"\n  call cost = $1', "this test expects nothing", "add `expect deny`"],
    ['test "a"\n  call cost = $1\n  expect block', "`block` was not expected here", "did you mean `deny`?"],
    ['test "a"\n  call cost = $1\n  expect refused', "`refused` was not expected here", "the verdicts are"],
    ['test "a"\n  call cost = $1\n  expect deny for 10m', "`for` was not expected here", "covers `deny for`"],
    ['test "a"\n  call cost = $1\n  expect deny by run.calls', "`run.calls` was not expected here", "in quotes"],
    ['test "a"\n  call tenant = acme\n  expect deny', "`acme` is no value", 'write it in quotes: `tenant = "acme"`'],
    ['test "a"\n  call tenant == "acme"\n  expect deny', "`==` was not expected here", "`=` gives a value here"],
    ['test "a"\n  call cost = 5%\n  expect deny', "one call has plain amounts only", "cost = $0.02"],
    ['test "a"\n  given tenant.hourly > $5\n  call cost = $1\n  expect deny', "`>` was not expected here", "with `=`"],
    ['test "a"\n  given tenant.hourly\n  call cost = $1\n  expect deny', "how much is given?", "= $49.99"],
    [
      'test "a"\n  call cost = $1\n  given run.calls = 4\n  expect deny',
      "`given` was not expected here",
      "before the call",
    ],
    ['test "a"\n  call cost = $1\n  at "2026-04-19"\n  expect deny', "`at` was not expected here", "before `call`"],
    ['test "a"\n  at 2026-04-19\n  call cost = $1\n  expect deny', "`2026-04-19` was not expected here", "in quotes"],
    ["test a\n  call cost = $1\n  expect deny", "a test has a title in quotes", 'write `test "'],
    ["test\n  call cost = $1\n  expect deny", "a test has a title in quotes", 'write `test "'],
    ["given run.calls = 4", "a test begins with `test`, not with `given`", "indent it"],
    ["tenant.daily > $5 -> deny", "this is a rule, and this file holds tests", "move it"],
    ['it "a"\n  call cost = $1', "a test begins with `test`, not with `it`", "a test reads"],
    ['test "a\n  call cost = $1', "string is never closed", 'add the closing `"`'],
  ])("answers %j with the fix", (text, message, help) => {
    expect(said(text)).toEqual([message]);
    expect(helps(text)[0]).toContain(help);
  });
});
