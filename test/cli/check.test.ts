import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeCode, isDescribed } from "../../src/cli/diagnostic-codes.ts";
import { folder } from "./command.ts";

const clean = "tenant.hourly > $50 -> deny\nrun.calls > 25 -> deny\n";
const broken = "tenant.horuly > $50 -> deny\nrun.calls > 25 -> deny\ntenant.daily > 50 -> deny\n";
const warned = 'budget research = $6K of feature.monthly when feature == "research"\ntenant.daily > $5 -> deny\n';

describe("check", () => {
  it("says how many rules in how many files are sound", async () => {
    const project = folder(clean);
    project.write("policies/more.budget", "global.daily > $500 -> deny\n");
    expect(await project.run(["check"])).toMatchObject({
      code: 0,
      out: expect.stringContaining("3 rules in 2 files"),
      err: "",
    });
  });

  it("shows every error with caret and help, and ends with 1", async () => {
    const { code, out } = await folder(broken).run(["check"]);
    expect(code).toBe(1);
    expect(out).toContain(
      [
        "error[unknown-name]: unknown metric or window `horuly`",
        " --> policies/test.budget:1:8",
        "  |",
        "1 | tenant.horuly > $50 -> deny",
        "  |        ^^^^^^",
        "  = help: did you mean `hourly`?",
      ].join("\n"),
    );
    expect(out).toContain(" --> policies/test.budget:3:16");
    expect(out).toContain("1 file: 2 errors.");
  });

  it("fails on warnings only with --strict", async () => {
    const project = folder(warned);
    const lenient = await project.run(["check"]);
    expect(lenient.code).toBe(0);
    expect(lenient.out).toContain("warning[unused-budget]");
    expect((await project.run(["check", "--strict"])).code).toBe(1);
  });

  it("gives a program the place of every finding as JSON and nothing else", async () => {
    const { code, out, err } = await folder(broken).run(["check", "--json"]);
    expect({ code, err }).toEqual({ code: 1, err: "" });
    expect(JSON.parse(out)).toMatchObject([
      {
        code: "unknown-name",
        severity: "error",
        message: "unknown metric or window `horuly`",
        file: "policies/test.budget",
        line: 1,
        column: 8,
        endLine: 1,
        endColumn: 14,
        help: "did you mean `hourly`?",
      },
      { code: "unit", line: 3, column: 16, endColumn: 18 },
    ]);
  });

  it("gives an empty list for a sound policy", async () => {
    expect(await folder(clean).run(["check", "--json"])).toEqual({ code: 0, out: "[]", err: "" });
  });

  it("reads the files named, from the folder it is called in, in place of the policy", async () => {
    const project = folder(broken);
    project.write("next/other.budget", clean);
    const { code, out } = await project.run(["check", "other.budget"], { below: "next" });
    expect(code).toBe(0);
    expect(out).toContain("2 rules in 1 file");
  });

  it("ends with 2 for a file that is not there", async () => {
    const { code, err } = await folder(clean).run(["check", "nope.budget"]);
    expect(code).toBe(2);
    expect(err).toContain("There is no file or folder nope.budget.");
  });

  it("ends with 1 where there is no policy, and says how to write one", async () => {
    const { code, err } = await folder().run(["check"]);
    expect(code).toBe(1);
    expect(err).toContain("npx budget-guard init");
  });

  it("calls a policy without rules what it is", async () => {
    const { code, out } = await folder("# nothing yet\n").run(["check"]);
    expect({ code, out }).toEqual({
      code: 0,
      out: "0 rules in 1 file: nothing is limited, calls are only counted.",
    });
  });

  it("ends with 78 where the policy that was asked for does not exist", async () => {
    const { code, err } = await folder().run(["check"], { env: { BUDGET_GUARD_POLICY: "gone.budget" } });
    expect(code).toBe(78);
    expect(err).toContain("gone.budget");
  });

  it("names a variable that nobody reads", async () => {
    const { code, err } = await folder(clean).run(["check"], { env: { BUDGET_GUARD_STROE: "memory:" } });
    expect(code).toBe(0);
    expect(err).toContain("BUDGET_GUARD_STROE is read by nobody");
  });

  it("reads the tests beside the policy, says how many, and what is wrong with them", async () => {
    const project = folder(clean);
    project.write("policies/a.test.budget", 'test "one"\n  call tenant = "acme"\n  expect allow\n');
    expect((await project.run(["check"])).out).toBe("2 rules in 1 file, 1 test in 1 file: nothing to complain about.");
    project.write("policies/a.test.budget", 'test "one"\n  call tenant = "acme"\n');
    const { code, out } = await project.run(["check"]);
    expect(code).toBe(1);
    expect(out).toContain(" --> policies/a.test.budget:");
    expect((await project.run(["check", "policies/a.test.budget"])).out).toContain("0 tests in 1 file: 1 error.");
  });

  it("knows the models and prices of the project", async () => {
    const project = folder('tenant.daily > $5 -> deny\nglobal.daily > $9 -> route to "my-model"\n');
    expect((await project.run(["check"])).out).toContain("warning[unpriced]");
    project.write("budget-guard.json", '{ "prices": { "my-model": { "input": 0.2, "output": 0.8 } } }');
    expect((await project.run(["check"])).out).not.toContain("unpriced");
  });

  it("reads what a policy imports", async () => {
    const project = folder('import "./org/org.budget"\nresearch > 100% -> deny\n');
    project.write("policies/org/org.budget", "budget research = $6K of feature.monthly\n");
    expect(await project.run(["check"])).toMatchObject({ code: 0, out: expect.stringContaining("1 rule in 2 files") });
  });

  it("refuses a format that does not exist, or two that differ", async () => {
    expect(await folder(clean).run(["check", "--format", "xml"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("There is no format xml; there are text, json, sarif, github."),
    });
    expect((await folder(clean).run(["check", "--format", "sarif", "--json"])).code).toBe(2);
    expect((await folder(clean).run(["check", "--format", "json", "--json"])).code).toBe(0);
  });
});

describe("check --format github", () => {
  it("writes a command for each finding, escaped as the runner reads it", async () => {
    const project = folder();
    project.write("policies/a,b%c.budget", "tenant.horuly > $50 -> deny\n# \u{1F600}\nrun.calls > 80% -> deny\n");
    const { code, out, err } = await project.run(["check", "--format", "github"]);
    expect(code).toBe(1);
    const [first, second] = out.split("\n");
    expect(first).toBe(
      "::error file=policies/a%2Cb%25c.budget,line=1,col=8,endLine=1,endColumn=13,title=budget-guard%3A unknown-name" +
        "::unknown metric or window `horuly`%0Adid you mean `hourly`?",
    );
    expect(second).toMatch(
      /^::error file=[^,]*,line=3,col=\d+,endLine=3,endColumn=\d+,title=budget-guard%3A percent::/,
    );
    expect(second).toContain("%25");
    expect(err).toBe("1 file: 2 errors.");
  });

  it("calls warnings and notes by the runner's names", async () => {
    const { out } = await folder(warned).run(["check", "--format", "github"]);
    expect(out).toMatch(/^::warning file=policies\/test.budget,line=1,.*unused-budget/m);
  });

  it("tells paths from the top of the checkout", async () => {
    const project = folder();
    project.write("services/a/package.json", "{}");
    project.write("services/a/policies/x.budget", broken);
    const { out } = await project.run(["check", "--format", "github"], {
      below: "services/a",
      env: { GITHUB_WORKSPACE: project.path },
    });
    expect(out).toContain("file=services/a/policies/x.budget,");
  });
});

describe("check --format sarif", () => {
  const log = async (policy: string) => {
    const { code, out, err } = await folder(policy).run(["check", "--format", "sarif"]);
    expect(err).toBe("");
    return { code, log: JSON.parse(out) };
  };

  it("writes a log with the place, level and message of each finding, and its rule", async () => {
    const { code, log: sarif } = await log(broken);
    expect(code).toBe(1);
    expect(sarif).toMatchObject({ version: "2.1.0", $schema: expect.stringContaining("sarif-2.1.0") });
    const [run] = sarif.runs;
    expect(run.tool.driver).toMatchObject({
      name: "budget-guard",
      semanticVersion: expect.stringMatching(/^\d+\.\d+/),
    });
    expect(run.columnKind).toBe("utf16CodeUnits");
    expect(run.results[0]).toEqual({
      ruleId: "unknown-name",
      ruleIndex: 1,
      level: "error",
      message: { text: "unknown metric or window `horuly`. Help: did you mean `hourly`?" },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: "policies/test.budget" },
            region: { startLine: 1, startColumn: 8, endLine: 1, endColumn: 14 },
          },
        },
      ],
    });
    for (const result of run.results) expect(run.tool.driver.rules[result.ruleIndex].id).toBe(result.ruleId);
    for (const rule of run.tool.driver.rules) {
      expect(rule.shortDescription.text).toMatch(/^[A-Z].*\.$/);
      expect(rule.help.text.length).toBeGreaterThan(10);
      expect(rule.name).toMatch(/^[A-Z]\w+$/);
    }
  });

  it("maps warnings and notes, and is an empty log for a sound policy", async () => {
    const { log: warnings } = await log(`${warned}tenant.monthly > $9 when feature == "x" -> deny\n`);
    const levels = warnings.runs[0].results.map(({ level }: { level: string }) => level);
    expect(new Set(levels)).toEqual(new Set(["warning", "note"]));
    expect((await log("global.daily > $50 -> deny\n")).log.runs[0].results).toEqual([]);
  });

  it("counts columns in UTF-16 code units", async () => {
    const { log: sarif } = await log('tenant.daily > $5 when feature == "\u{1F600}\u{1F600}" -> dney\n');
    const { region } = sarif.runs[0].results[0].locations[0].physicalLocation;
    expect(region).toEqual({ startLine: 1, startColumn: 45, endLine: 1, endColumn: 49 });
  });

  it("writes paths as relative URIs", async () => {
    const project = folder();
    project.write("policies/a b#c.budget", broken);
    const { out } = await project.run(["check", "--format", "sarif"]);
    expect(JSON.parse(out).runs[0].results[0].locations[0].physicalLocation.artifactLocation.uri).toBe(
      "policies/a%20b%23c.budget",
    );
  });
});

describe("the table of codes", () => {
  const sources = readdirSync(join(import.meta.dirname, "../../src/policy"))
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(join(import.meta.dirname, "../../src/policy", name), "utf8"))
    .join("\n");
  const codes = [...sources.matchAll(/\bfinding\(\s*"(?:error|warning|info)",\s*"([a-z-]+)"/g)].map(
    ([, code = ""]) => code,
  );

  it.each([...new Set(codes)].sort())("describes %s", (code) => {
    expect(isDescribed(code)).toBe(true);
    expect(describeCode(code).help).toMatch(/\.$|--help`\.$/);
  });

  it("is not about nothing", () => {
    expect(codes.length).toBeGreaterThan(30);
    expect(describeCode("brand-new")).toEqual({ is: "brand new.", help: "See the message." });
  });
});
