import { describe, expect, it } from "vitest";
import { PolicyError } from "../src/errors.ts";
import { loadPlan } from "../src/load-plan.ts";

const source = (text: string, file = "policies/a.budget") => ({ file, text });

function failure(...sources: readonly { file: string; text: string }[]): PolicyError {
  try {
    loadPlan(sources, () => {});
  } catch (error) {
    if (error instanceof PolicyError) return error;
    throw error;
  }
  throw new Error("it was loaded");
}

describe("a policy", () => {
  it("is loaded whole or not at all, with every error of every file", () => {
    const error = failure(
      source("tenant.daily > 5 -> deny\ntenant.daily > $5 -> block\n"),
      source("run.calls > 25 deny\n", "policies/b.budget"),
      source("tenant.daily > $1 -> deny\n", "policies/c.budget"),
    );
    expect(error.message).toBe("the policy has 3 errors, so nothing was started.");
    for (const place of ["a.budget:1:", "a.budget:2:", "b.budget:1:"]) expect(error.diagnostics).toContain(place);
    expect(failure(source("tenant.daily -> deny\n")).message).toContain("has 1 error,");
  });

  it("is loaded with warnings, which are said once together", () => {
    const said: string[] = [];
    const text = "tenant.daily > $5 -> deny\ntenant.daily > $9 -> deny\n";
    expect(loadPlan([source(text)], (line) => said.push(line)).rules).toHaveLength(2);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^the policy can be better:\n\nwarning\[/);
  });

  it("says nothing of what is only worth knowing", () => {
    const said: string[] = [];
    loadPlan([source('tenant.monthly > $200 when model == "gpt-5" -> deny\n')], (line) => said.push(line));
    expect(said).toEqual([]);
  });

  it("that is nowhere counts a few things and stops nothing", () => {
    const plan = loadPlan([], () => {});
    expect(plan.rules).toEqual([]);
    expect(plan.meters.map(({ id }) => id)).toEqual(["global.cost.daily", "global.calls.daily", "tenant.cost.daily"]);
    expect(loadPlan([source("")], () => {}).meters).toEqual([]);
  });

  it("is loaded with what it imports, whose errors are shown in their own file", () => {
    const read = (text: string) => ({ read: () => ({ file: "policies/org.budget", text }) });
    const importing = [source('import "./org.budget"\n')];
    const rule = "tenant.daily > $5 -> deny\n";
    expect(loadPlan(importing, () => {}, read(rule)).files).toEqual(["policies/a.budget", "policies/org.budget"]);
    expect(() => loadPlan(importing, () => {}, read("tenant.daily > 5 -> deny\n"))).toThrow(PolicyError);
    const said: string[] = [];
    loadPlan(importing, (line) => said.push(line), read(`${rule}tenant.daily > $9 -> deny\n`));
    expect(said[0]).toContain("policies/org.budget:2:1");
    expect(said[0]).toContain("2 | tenant.daily > $9 -> deny");
  });
});
