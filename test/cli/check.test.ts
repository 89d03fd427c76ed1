import { describe, expect, it } from "vitest";
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
});
