import { describe, expect, it } from "vitest";
import { compile } from "../../src/policy/compile.ts";

const codes = (text: string) => compile([{ file: "p.budget", text }]).diagnostics.map(({ code }) => code);

describe("what is allowed and probably not meant", () => {
  it("is not said of a budget that is shed by feature: there the whole is meant", () => {
    expect(codes('budget day = $600 of global.daily\nday > 70% when feature == "x" -> deny')).toEqual([]);
    expect(codes('global.daily > $600 when feature == "x" -> deny')).toEqual(["gate"]);
    expect(codes('feature.daily > $600 when feature == "x" -> deny')).toEqual([]);
  });

  it("is not a warning said beside a refusal, but a refusal beside a refusal", () => {
    expect(codes("tenant.daily > $5 -> deny, warn")).toEqual([]);
    expect(codes("tenant.daily > $5 -> deny, pause")).toEqual(["unreachable"]);
  });

  it("is a budget that is only watched, also through a shadow rule", () => {
    const budget = "budget b = $5 of tenant.daily\n";
    expect(codes(`${budget}b > 80% -> warn`)).toEqual(["unused-budget"]);
    expect(codes(`${budget}shadow b > 80% -> deny`)).toEqual(["unused-budget"]);
    expect(codes(`${budget}tenant last 1h > 10% of b -> deny`)).toEqual([]);
  });

  it("is not said while the policy has errors", () => {
    expect(codes("budget b = $5 of tenant.daily\ntenant.daily > 5 -> deny")).toEqual(["unit"]);
  });
});
