import { expect, it } from "vitest";
import { wantsKey } from "../src/key-scope.ts";
import { loadPlan } from "./support/load-plan.ts";

const plan = (text: string) => loadPlan([{ file: "policies/test.budget", text }], () => {});

it.each([
  "key.daily > $5 -> deny",
  "tenant.key.calls.daily > 5 -> deny",
  'tenant.daily > $5 when key == "key-0123456789ab" -> deny',
  'tenant.daily > $5 when tenant == "a" and not (key matches "key-0*" or tenant == "b") -> deny',
  "when key is missing -> deny",
  'limit most by key { "key-0123456789ab": $5 } else $1\ntenant.daily > most -> deny',
])("a policy that says %s wants the key's name", (text) => {
  const made = plan(text);
  expect(wantsKey(made)).toBe(true);
  expect(wantsKey(made)).toBe(true);
});

it("a policy that never speaks of the key does not", () => {
  expect(wantsKey(plan('tenant.daily > $5 when tenant == "key" -> deny'))).toBe(false);
  expect(wantsKey(plan("global.daily > $5 -> deny"))).toBe(false);
});
