import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadSources } from "../../src/files.ts";
import { compile } from "../../src/policy/compile.ts";
import { renderAll } from "../../src/policy/diagnostics.ts";

const root = join(import.meta.dirname, "..", "..");
function compiled(folder: string, file: string) {
  const { sources, read } = loadSources({ root, policy: { paths: [join(root, folder, file)], asked: true } });
  return compile(sources, { read });
}
const programs = (folder: string) =>
  readdirSync(join(root, folder)).filter((name) => name.endsWith(".budget") && !name.endsWith(".test.budget"));

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
