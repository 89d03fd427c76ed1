import { describe, expect, it } from "vitest";
import { shape } from "../../src/policy/shape.ts";
import { aCall } from "../support/a-call.ts";
import { planOf, readingsOf } from "./support.ts";

const DOLLAR = 1_000_000_000;

describe("shaping", () => {
  it("takes the smallest cap of the rules that fire", () => {
    const plan = planOf(
      "a: call.output_tokens > 100 -> cap 50\nb: call.output_tokens > 200 -> cap 300\nc: call.output_tokens > 9K -> cap 1",
    );
    const shaped = shape(plan, aCall({ outputTokens: 500 }), plan.rules, null);
    expect(shaped.cap).toBe(50);
    expect(shaped.fired.map(({ rule }) => rule.id)).toEqual(["a", "b"]);
    expect(shaped.needsReadings).toBe(false);
  });

  it("leaves a call alone that no rule concerns", () => {
    const plan = planOf("call.output_tokens > 1K -> cap 1K\ntenant.daily > $5 -> deny");
    expect(shape(plan, aCall({ outputTokens: 1_000 }), plan.rules, null)).toEqual({
      cap: null,
      fired: [],
      routes: [],
      needsReadings: false,
    });
  });

  it("asks for readings where a rule looks at a meter or at the attempt, and decides with them", () => {
    const plan = planOf("m: tenant.daily > $5 -> cap 100\nr: call.retries > 1 -> cap 200");
    expect(shape(plan, aCall(), plan.rules, null)).toMatchObject({ cap: null, needsReadings: true });
    const spent = readingsOf(plan, { meters: { "tenant.cost.daily": { spent: 6 * DOLLAR } } });
    expect(shape(plan, aCall(), plan.rules, spent)).toMatchObject({ cap: 100, needsReadings: false });
    expect(shape(plan, aCall(), plan.rules, readingsOf(plan, { attemptNumber: 2 }))).toMatchObject({ cap: 200 });
  });

  it("decides by itself where it can, while another rule needs the store", () => {
    const plan = planOf("call.output_tokens > 100 -> cap 300\ntenant.daily > $5 -> cap 100");
    expect(shape(plan, aCall(), plan.rules, null)).toMatchObject({ cap: 300, needsReadings: true });
  });

  it("is not done by shadow rules", () => {
    const plan = planOf("shadow call.output_tokens > 100 -> cap 300");
    expect(shape(plan, aCall(), plan.rules, null)).toEqual({
      cap: null,
      fired: [],
      routes: [],
      needsReadings: false,
    });
  });

  it("says what it does", () => {
    const plan = planOf("call.output_tokens > 100 -> cap 2K tokens");
    expect(shape(plan, aCall(), plan.rules, null).fired[0]?.message).toBe(
      'this call is estimated at 500 output tokens, and the limit is 100 (rule "call.output_tokens > 100 -> cap 2K tokens", p.budget:1). Its answer is capped at 2,000 tokens.',
    );
  });
});
