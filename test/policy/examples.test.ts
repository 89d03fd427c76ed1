import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compile } from "../../src/policy/compile.ts";
import { renderAll } from "../../src/policy/diagnostics.ts";

const root = join(import.meta.dirname, "..", "..");
const later = "test/policy/later";

const compiled = (folder: string, file: string) =>
  compile([{ file, text: readFileSync(join(root, folder, file), "utf8") }]);
const programs = (folder: string) => readdirSync(join(root, folder)).filter((name) => name.endsWith(".budget"));

describe("the policies that ship", () => {
  it.each([
    ...programs("policies").map((file) => ["policies", file] as const),
    ...programs("policies/examples").map((file) => ["policies/examples", file] as const),
  ])("%s/%s checks clean", (folder, file) => {
    const { plan, diagnostics, sources } = compiled(folder, file);
    const serious = diagnostics.filter(({ severity }) => severity !== "info");
    expect(renderAll(serious, sources)).toBe("");
    expect(plan?.rules.length).toBeGreaterThan(0);
  });

  it("pair everything in the starter that reopens by itself with a pause on the same kind of loop", () => {
    const { plan } = compiled("policies", "starter.budget");
    const metricsWith = (kind: string): Set<string> =>
      new Set(
        plan?.rules
          .filter(({ actions }) => actions.some((action) => action.kind === kind))
          .flatMap(({ conditions }) => conditions)
          .flatMap(({ reading }) => (reading.kind === "meter" ? (plan.meters[reading.meter]?.metric ?? []) : [])),
      );
    expect(metricsWith("deny for").size).toBeGreaterThan(0);
    expect(metricsWith("pause")).toEqual(metricsWith("deny for"));
  });

  it("stop the incident: 2% of $4.5K is $90 an hour", () => {
    const { plan } = compiled("policies", "incident.budget");
    const burn = plan?.rules.find(({ id }) => id === "burn-rate");
    expect(burn?.conditions[0]?.limit).toEqual({ kind: "fixed", amount: 90_000_000_000 });
    expect(burn?.closes).toEqual(["feature"]);
  });
});

describe("a program of the language that does not run yet", () => {
  it.each(programs(later))("%s is refused for that reason alone", (file) => {
    const { plan, diagnostics } = compiled(later, file);
    expect(plan).toBeNull();
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(["not-yet"]));
    for (const { help } of errors) expect(help).toBeTruthy();
  });
});
