import { describe, expect, it } from "vitest";
import { closedGates, isExactly, openGates, pauseScope, scopeNames, standings, whyNotPausable } from "../src/gates.ts";
import { gateKey, meterKey } from "../src/keys.ts";
import { compile } from "../src/policy/compile.ts";
import { askFor } from "../src/request.ts";
import { openStore } from "../src/store/open.ts";
import { aCall } from "./support/a-call.ts";

const at = Date.UTC(2026, 10, 22, 14, 30);
const memory = () => openStore("memory:", { root: "/", clock: () => at });

function planOf(text: string) {
  const { plan } = compile([{ file: "a.budget", text }]);
  if (plan === null) throw new Error("the policy has errors");
  return plan;
}

const plan = planOf(
  "dimension plan\npair: tenant.feature.daily > $5 -> pause\nstorm: run.retries > 5 -> deny for 10m\n",
);

describe("gates", () => {
  it("closes the gate that calls ask about, whatever way its values are written", async () => {
    const store = await memory();
    await pauseScope(store, plan, { feature: "research\n", tenant: " acme " }, null);
    await pauseScope(store, plan, { model: "openai/gpt-5-2025-08-07" }, null);
    expect((await store.gates()).map(({ key }) => key).sort()).toEqual([
      gateKey("", ["model"], { model: "gpt-5" }),
      gateKey("", ["tenant", "feature"], { tenant: "acme", feature: "research" }),
    ]);
  });

  it("knows what a rule closed from what a person did, and a rule that is gone", async () => {
    const store = await memory();
    await store.close(gateKey("pair", ["tenant", "feature"], { tenant: "acme" }), null);
    await store.close(gateKey("storm", ["run"], { run: "r1" }), 60_000);
    await store.close(gateKey("gone", ["run"], { run: "r1" }), 60_000);
    await store.close(gateKey("", [], {}), 60_000);
    const gates = await closedGates(store, plan);
    expect(Object.fromEntries(gates.map(({ rule, kind, stale }) => [rule, [kind, stale]]))).toEqual({
      pair: ["paused", false],
      storm: ["tripped", false],
      gone: ["tripped", true],
      null: ["paused", false],
    });
  });

  it("opens exactly the scope that is named", async () => {
    const store = await memory();
    await pauseScope(store, plan, { tenant: "acme" }, null);
    await pauseScope(store, plan, { tenant: "acme", feature: "research" }, null);
    const opened = await openGates(store, plan, (gate) => isExactly(gate, { tenant: "acme " }));
    expect(opened.map(({ scope }) => scope)).toEqual([{ tenant: "acme" }]);
    expect(await store.gates()).toHaveLength(1);
  });

  it("can close what any rule counts by, whatever the rule does, in one order of names", async () => {
    const store = await memory();
    const denying = planOf("feature.tenant.daily > $5 -> deny\n");
    expect(whyNotPausable(denying, { feature: "x", tenant: "acme" })).toBeNull();
    await pauseScope(store, denying, { feature: "x", tenant: "acme" }, null);
    const closed = (await store.gates()).map(({ key }) => key);
    const call = aCall({ subject: { feature: "x" } });
    const pausing = planOf("feature.tenant.daily > $5 -> pause\ntenant.feature.hourly > $5 -> pause\n");
    for (const of of [denying, pausing]) {
      const asked = askFor(of, call, [], 60_000, true).gates.map(({ key }) => key);
      expect(asked.filter((key) => key.includes(","))).toEqual(closed);
    }
  });

  it("names the scopes that can be paused, and says why another cannot", () => {
    expect(scopeNames(plan)).toEqual(["tenant", "feature", "agent", "user", "run", "model", "provider", "plan"]);
    expect(whyNotPausable(plan, { tenant: "acme", feature: "x" })).toBeNull();
    expect(whyNotPausable(plan, {})).toBeNull();
    expect(whyNotPausable(plan, { tenant: "acme", run: "x" })).toContain("No rule counts by tenant and run together");
    expect(whyNotPausable(null, { plan: "free" })).toContain('There is no scope "plan"');
  });

  it("can close a key where the policy looks at keys: elsewhere calls have no name for theirs", () => {
    expect(whyNotPausable(plan, { key: "key-0123456789ab" })).toContain('There is no scope "key"');
    const byKey = planOf("key.daily > $5 -> deny\n");
    expect(whyNotPausable(byKey, { key: "key-0123456789ab" })).toBeNull();
    const call = aCall({ subject: { key: "key-0123456789ab" } });
    const asked = askFor(byKey, call, [], 60_000, true).gates.map(({ key }) => key);
    expect(asked).toContain("|key=key-0123456789ab");
  });

  it("says where a meter stands only if the gate tells whose it is", async () => {
    const mixed = planOf("mixed: tenant.daily > $5 and run.calls > 2 -> pause\nplain: tenant.daily > $5 -> pause\n");
    const store = await memory();
    const subject = { tenant: "acme", run: "r1" };
    await store.settle({
      attempt: "a",
      judgedAt: at,
      charges: mixed.meters.map((meter) => ({ key: meterKey(meter, subject), window: meter.window, amount: 4e9 })),
      run: "r1",
      fingerprint: null,
      outcome: "success",
      lessons: [],
    });
    for (const rule of ["mixed", "plain"]) await store.close(gateKey(rule, ["tenant"], subject), null);
    const found = await standings(store, mixed, await closedGates(store, mixed));
    expect(found.map(({ rule, amount, limit }) => [rule.id, amount, limit])).toEqual([["plain", 4e9, 5e9]]);
  });
});
