import { describe, expect, it } from "vitest";
import { clean, identify, LONGEST_VALUE } from "../../src/call/identity.ts";
import { sources } from "./builders.ts";

describe("the value of a scope", () => {
  const everywhere = {
    context: { tenant: "context" },
    headers: { "x-budget-tenant": "header", accept: "json" },
    incoming: { tenant: "incoming" },
    baggage: { tenant: "baggage" },
    environment: { tenant: "environment" },
  };

  it.each([
    ["context", {}],
    ["header", { context: {} }],
    ["incoming", { context: {}, headers: {} }],
    ["baggage", { context: {}, headers: {}, incoming: null }],
    ["environment", { context: {}, headers: {}, incoming: null, baggage: null }],
    ["(none)", { context: {}, headers: {}, incoming: null, baggage: null, environment: {} }],
  ])("comes from the %s when nothing before it names one", (expected, missing) => {
    expect(identify(sources({ ...everywhere, ...missing })).values.tenant).toBe(expected);
  });

  it("is decided scope by scope", () => {
    const { values } = identify(
      sources({
        context: { feature: "research" },
        headers: { "x-budget-agent": "critic" },
        environment: { user: "u1" },
      }),
    );
    expect(values).toMatchObject({ tenant: "(none)", feature: "research", agent: "critic", user: "u1" });
  });

  it("is read for declared dimensions, whose headers may use hyphens", () => {
    const { values } = identify(
      sources({
        dimensions: ["plan", "cost_center"],
        context: { plan: "pro", colour: "red" },
        headers: { "x-budget-cost-center": "7" },
      }),
    );
    expect(values.plan).toBe("pro");
    expect(values.cost_center).toBe("7");
    expect(values).not.toHaveProperty("colour");
  });

  it("passes over a source that gives an empty one", () => {
    const { values } = identify(sources({ context: { tenant: "  " }, headers: { "x-budget-tenant": "acme" } }));
    expect(values.tenant).toBe("acme");
  });
});

it("names every x-budget header for removal, known or not", () => {
  const { removeHeaders } = identify(
    sources({ headers: { "x-budget-tenant": "a", "x-budget-colour": "b", "x-budgets": "c", authorization: "d" } }),
  );
  expect(removeHeaders).toEqual(["x-budget-tenant", "x-budget-colour"]);
});

describe("the run", () => {
  it.each([
    ["explicit", "job-7", { context: { run: "job-7" }, traceId: "t", requestId: "r" }],
    ["trace", "t", { traceId: "t", requestId: "r" }],
    ["request", "r", { requestId: "r" }],
    ["process", "process-1", {}],
  ])("is %s where that is the first there is", (source, value, given) => {
    const identity = identify(sources(given));
    expect([identity.runSource, identity.values.run]).toEqual([source, value]);
  });
});

describe("a value", () => {
  it("loses control characters and outer spaces", () => {
    expect(clean(" ac\u0000me\r\nx-evil: 1\u2028 ")).toBe("acmex-evil: 1");
    expect(clean("\u0007")).toBeNull();
  });

  it("is cut to a bound, and two long ones stay distinct", () => {
    const a = clean(`${"a".repeat(500)}1`);
    const b = clean(`${"a".repeat(500)}2`);
    expect(a?.length).toBe(LONGEST_VALUE);
    expect(a).not.toBe(b);
    expect(clean("a".repeat(LONGEST_VALUE))).toBe("a".repeat(LONGEST_VALUE));
  });

  it("is never cut inside a character", () => {
    const cut = clean("😀".repeat(200)) ?? "";
    expect(cut).not.toMatch(/\p{Cs}/u);
    expect(cut.length).toBeLessThanOrEqual(LONGEST_VALUE);
  });
});
