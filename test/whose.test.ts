import { describe, expect, it } from "vitest";
import { withBudget } from "../src/call/context.ts";
import { lookAround, slipsOf, whoseCall } from "../src/whose.ts";
import { loadPlan } from "./support/load-plan.ts";

const planOf = (text: string) => loadPlan([{ file: "a.budget", text }], () => {});
const parts = { config: { identity: { user: "from the environment" } }, processId: "process-1" };
const incoming = { current: () => ({ id: "request-1", identity: { agent: "from the request served" } }) };
const arrival = { at: 1, traceId: null, baggage: { "tenant.id": "from baggage", "user.id": "too" }, context: null };
const unseen = { headers: {}, path: "/" };

describe("a name that withBudget gives", () => {
  it("is a slip where nothing counts by it and it looks like one that does", () => {
    const plan = planOf("dimension workflow\nworkflow.daily > $5 -> deny\n");
    expect(slipsOf({ tennant: "acme", worklow: "w", tenant: "acme", workflow: "w" }, plan)).toEqual([
      { name: "tennant", meant: "tenant" },
      { name: "worklow", meant: "workflow" },
    ]);
  });

  it("is none where it looks like no other: it may be there for another policy", () => {
    expect(slipsOf({ plan: "pro", region: "eu", run: "r-1" }, planOf("tenant.daily > $5 -> deny\n"))).toEqual([]);
  });
});

describe("whose call it is", () => {
  it("is asked of every source, whatever the way that the call was seen", () => {
    const around = withBudget({ feature: "from the code" }, () => lookAround(arrival, incoming));
    const { values, runSource } = whoseCall(parts, planOf("tenant.daily > $5 -> deny\n"), around, unseen);
    expect(values).toEqual({
      tenant: "from baggage",
      feature: "from the code",
      agent: "from the request served",
      user: "too",
      run: "request-1",
    });
    expect(runSource).toBe("request");
  });

  it("has the key where the policy looks at it, and there alone", () => {
    const around = lookAround({ ...arrival, baggage: {} }, { current: () => null });
    const sent = { headers: { authorization: "Bearer sk-1" }, path: "/" };
    expect(whoseCall(parts, planOf("tenant.daily > $5 -> deny\n"), around, sent).values.key).toBeUndefined();
    expect(whoseCall(parts, planOf("key.daily > $5 -> deny\n"), around, sent).values.key).toMatch(/^key-[0-9a-f]{12}$/);
    expect(whoseCall(parts, planOf("key.daily > $5 -> deny\n"), around, unseen).values).toMatchObject({
      user: "from the environment",
      run: "process-1",
      key: "(none)",
    });
  });
});
