import { expect, test } from "vitest";
import { subjectOf } from "../src/call/subject.ts";
import { namesFor } from "../src/names.ts";
import { compile } from "../src/policy/compile.ts";
import type { Plan } from "../src/policy/plan.ts";

function planOf(text: string): Plan {
  const { plan, diagnostics } = compile([{ file: "a.budget", text }]);
  if (plan === null) throw new Error(JSON.stringify(diagnostics));
  return plan;
}

const plan = planOf("tenant.feature.hourly > $5 -> deny for 10m\nrun.calls > 9 -> deny\n");
const acme = subjectOf({ tenant: "acme", feature: "search", run: "r1" }, "gpt-5", "openai");

test("a subject's names are those of its meters, of the gates people may close, and of those its rules close", () => {
  const names = namesFor(plan, acme);
  expect(names.meters).toEqual(["run.calls|r1", "tenant.feature.cost.hourly|acme|search"]);
  expect(names.byHand.map(({ key }) => key)).toEqual([
    "|",
    ...["|tenant=acme", "|feature=search", "|run=r1", "|model=gpt-5", "|provider=openai"],
    "|tenant=acme,feature=search",
  ]);
  const rule = plan.rules.find(({ closes }) => closes.length === 2);
  expect(rule && names.gate(rule).key).toBe(`${rule?.id}|tenant=acme,feature=search`);
});

test("they are made once for a subject and plan, and never taken for another's", () => {
  expect(namesFor(plan, acme)).toBe(namesFor(plan, acme));
  const other = planOf("tenant.daily > $5 -> deny\n");
  expect(namesFor(other, acme).meters).toEqual(["tenant.cost.daily|acme"]);
  const globex = subjectOf({ tenant: "globex", feature: "search", run: "r1" }, "gpt-5", "openai");
  expect(namesFor(plan, globex).meters).toEqual(["run.calls|r1", "tenant.feature.cost.hourly|globex|search"]);
});
