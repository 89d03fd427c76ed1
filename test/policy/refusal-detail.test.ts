import { describe, expect, it } from "vitest";
import { evaluate } from "../../src/policy/evaluate.ts";
import { refusalDetail } from "../../src/policy/refusal-detail.ts";
import { aCall } from "../support/a-call.ts";
import { NOW, planOf, readingsOf, type Wishes } from "./support.ts";

const DOLLAR = 1_000_000_000;

function detailOf(text: string, readings: Wishes = {}) {
  const plan = planOf(text);
  const call = aCall();
  const { decided } = evaluate(plan, call, plan.rules, readingsOf(plan, readings));
  if (decided === null) throw new Error("nothing fired");
  return refusalDetail(decided, call);
}

describe("what a refusal tells a program", () => {
  it("is in dollars and ISO times", () => {
    const resetsAt = Date.parse("2026-11-22T15:00:00Z");
    const state = { spent: 49.87 * DOLLAR, held: 0.1 * DOLLAR, add: 0.05 * DOLLAR, resetsAt };
    expect(detailOf("tenant.hourly > $50 -> deny", { meters: { "tenant.cost.hourly": state } })).toEqual({
      rule: "tenant.hourly > $50 -> deny",
      scope: { tenant: "acme" },
      metric: "cost",
      spent: 49.87,
      held: 0.1,
      estimate: 0.05,
      limit: 50,
      unit: "USD",
      resets_at: "2026-11-22T15:00:00Z",
    });
  });

  it("is in plain counts for everything else", () => {
    const detail = detailOf("run.calls > 2 -> deny", { meters: { "run.calls": { spent: 2, add: 1 } } });
    expect(detail).toMatchObject({ scope: { run: "run-1" }, spent: 2, limit: 2, unit: "calls", resets_at: null });
  });

  it("counts runs as runs, and a named limit as what it grants this call", () => {
    const text = 'limit few by tenant { "acme": 8 } else 1\ntenant.runs last 5m > few -> deny';
    const detail = detailOf(text, { meters: { "tenant.runs.last 5m": { spent: 8, add: 1, resetsAt: NOW + 60_000 } } });
    expect(detail).toMatchObject({ metric: "runs", spent: 8, estimate: 1, limit: 8, unit: "runs" });
    expect(detail.resets_at).toBe("2026-11-22T14:03:00Z");
  });

  it("of a hold tells when room returns by itself, if it does", () => {
    const state = { spent: 60, add: 1, resetsAt: NOW + 9_000 };
    expect(
      detailOf("model.calls last 1m > 60 -> hold 10s", { meters: { "model.calls.last 1m": state } }),
    ).toMatchObject({ scope: { model: "gpt-5" }, limit: 60, resets_at: "2026-11-22T14:02:09Z" });
    const busy = { meters: { "agent.concurrency": { held: 4, add: 1 } } };
    expect(detailOf("agent.concurrency > 4 -> hold 10s", busy)).toMatchObject({ held: 4, limit: 4, resets_at: null });
  });

  it("promises no reset for a pause", () => {
    const state = { spent: 6 * DOLLAR, resetsAt: NOW + 1_000 };
    expect(detailOf("tenant.daily > $5 -> pause", { meters: { "tenant.cost.daily": state } }).resets_at).toBeNull();
  });

  it("has no figures for a closed gate, but its scope and when it reopens", () => {
    const closed = new Map([["b", { since: NOW, until: NOW + 600_000 }]]);
    expect(detailOf("b: tenant.daily > $5 -> deny for 10m", { closed })).toEqual({
      rule: "b",
      scope: { tenant: "acme" },
      metric: "",
      spent: null,
      held: null,
      estimate: null,
      limit: null,
      unit: "",
      resets_at: "2026-11-22T14:12:00Z",
    });
  });

  it("has no figures for a flag or a bare filter", () => {
    expect(detailOf("when user is missing -> deny")).toMatchObject({ scope: {}, spent: null, resets_at: null });
  });
});
