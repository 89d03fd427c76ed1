import { describe, expect, it } from "vitest";
import { evaluate, strictestStop } from "../../src/policy/evaluate.ts";
import { indexRules } from "../../src/policy/match.ts";
import { refusalDetail } from "../../src/policy/refusal-detail.ts";
import { stops, type Verdict } from "../../src/policy/verdict.ts";
import { backoffMs, backoffOf, shortestHold, waitedOut } from "../../src/policy/waits.ts";
import { aCall } from "../support/a-call.ts";
import { NOW, planOf, readingsOf, type Wishes } from "./support.ts";

function verdictOf(text: string, readings: Wishes = {}): Verdict {
  const plan = planOf(text);
  const call = aCall();
  return evaluate(plan, call, indexRules(plan)(call), readingsOf(plan, readings));
}

const busy: Wishes = { meters: { "agent.concurrency": { held: 4, add: 1 } } };
const ids = (fired: Verdict["waits"]) => fired.map(({ rule, action }) => `${rule.id} ${action.kind}`);

describe("a hold", () => {
  it("keeps the call waiting: it does not stop it, closes nothing, and stands among the waits", () => {
    const verdict = verdictOf("h: agent.concurrency > 4 -> hold 15s", busy);
    expect(verdict.kind).toBe("hold");
    expect(stops(verdict)).toBe(false);
    expect(verdict.decided?.rule.id).toBe("h");
    expect(ids(verdict.waits)).toEqual(["h hold"]);
    expect(verdictOf("h: agent.concurrency > 5 -> hold 15s", busy)).toMatchObject({ kind: "allow", waits: [] });
  });

  it("is a stop to the store, weaker than any other of its rule", () => {
    expect(strictestStop([{ kind: "hold", ms: 1 }])?.kind).toBe("hold");
    const warn = { kind: "warn", message: null } as const;
    expect(strictestStop([warn, { kind: "hold", ms: 1 }, { kind: "deny", message: null }])?.kind).toBe("deny");
    expect(strictestStop([warn, { kind: "backoff", ms: 1 }, { kind: "cap", tokens: 1 }])).toBeNull();
  });

  it("is stricter than a backoff and a warning, and weaker than a refusal", () => {
    const all = [
      "w: call.cost > $0 -> warn",
      "b: call.cost > $0 -> backoff 1s",
      "h: agent.concurrency > 4 -> hold 15s",
    ];
    expect(verdictOf(all.slice(0, 1).join("\n")).kind).toBe("warn");
    expect(verdictOf(all.slice(0, 2).join("\n")).kind).toBe("backoff");
    expect(verdictOf(all.join("\n"), busy).kind).toBe("hold");
    const refused = verdictOf(`${all.join("\n")}\nz: call.cost > $0 -> deny`, busy);
    expect(refused.kind).toBe("deny");
    expect(ids(refused.waits)).toEqual(["b backoff", "h hold"]);
    expect(refused.warnings).toHaveLength(1);
  });

  it("of a shadow rule only reports", () => {
    const text = ["hold 1s", "backoff 1s", 'route to "gpt-5-mini"'].map(
      (action, at) => `shadow s${at}: agent.concurrency > 4 -> ${action}`,
    );
    const verdict = verdictOf(text.join("\n"), busy);
    expect(verdict).toMatchObject({ kind: "allow", decided: null, waits: [] });
    expect(ids(verdict.shadows)).toEqual(["s0 hold", "s1 backoff", "s2 route"]);
  });

  it("ends with the shortest that fired, and says how long it waited", () => {
    const text =
      "a: agent.concurrency > 4 -> hold 20s\nb: agent.concurrency > 3 -> hold 10s\nc: agent.concurrency > 2 -> hold 10s";
    const verdict = verdictOf(text, busy);
    expect(verdict.decided?.rule.id).toBe("a");
    expect(shortestHold(verdict)).toMatchObject({ ms: 10_000, fired: { rule: { id: "b" } } });
    const over = waitedOut(verdict, 10_012);
    expect(over.kind).toBe("hold");
    expect(over.decided?.message).toBe(
      'agent (none) would reach 5 of 3 calls in flight (rule "b", p.budget:2). Room returns when one of these calls ends. It waited 10 seconds for room.',
    );
    if (over.decided === null) throw new Error("undecided");
    expect(refusalDetail(over.decided)).toMatchObject({ rule: "b", held: 4, estimate: 1, limit: 3, unit: "calls" });
    expect(waitedOut(verdict, 80).decided?.message).toMatch(/It waited 80 milliseconds for room\.$/);
    expect(waitedOut(verdict, 61_400).decided?.message).toMatch(/It waited 61 seconds for room\.$/);
  });

  it("does not run out where something stricter decided", () => {
    const verdict = verdictOf("agent.concurrency > 4 -> hold 20s\ncall.cost > $0 -> deny", busy);
    expect(shortestHold(verdict)).toBeNull();
    expect(waitedOut(verdict, 20_000)).toBe(verdict);
  });
});

describe("a backoff", () => {
  const rule = "call.retries > 0 -> backoff 500ms";

  it("doubles with each attempt, up to a minute", () => {
    expect([0, 1, 2, 3, 8, 500].map((attempt) => backoffMs(500, attempt))).toEqual([
      500, 500, 1_000, 2_000, 60_000, 60_000,
    ]);
  });

  it("lets the call go, later: the greatest of all that fired", () => {
    const verdict = verdictOf(`${rule}\ncall.retries > 1 -> backoff 2s\ncall.retries > 9 -> backoff 1m`, {
      attemptNumber: 2,
    });
    expect(verdict.kind).toBe("backoff");
    expect(stops(verdict)).toBe(false);
    expect(backoffOf(verdict, 2)).toBe(4_000);
    expect(backoffOf(verdictOf(rule), 0)).toBe(0);
  });

  it("says how long it is", () => {
    const saying = (attemptNumber: number) => verdictOf(rule, { attemptNumber }).decided?.message;
    const by = `(rule "${rule}", p.budget:1)`;
    expect(saying(1)).toBe(`this is retry 1 of the same request ${by}. It waits 500 milliseconds before it leaves.`);
    expect(saying(3)).toBe(`this is retry 3 of the same request ${by}. It waits 2 seconds before it leaves.`);
  });
});

describe("a closed gate", () => {
  it("of a rule that now only holds stops nothing", () => {
    const closed = new Map([["h", { since: NOW, until: null }]]);
    expect(verdictOf("h: agent.concurrency > 9 -> hold 15s", { closed }).kind).toBe("allow");
  });
});
