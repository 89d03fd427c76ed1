import { afterEach, describe, expect, it } from "vitest";
import type { Call } from "../src/call/call.ts";
import { type Judged, judge } from "../src/judging.ts";
import { gateKey } from "../src/keys.ts";
import { indexRules } from "../src/policy/match.ts";
import { stops } from "../src/policy/verdict.ts";
import { StoreDown } from "../src/store/down.ts";
import { type FallbackStore, withFallback } from "../src/store/fallback.ts";
import { openMemory } from "../src/store/memory.ts";
import { createLog } from "../src/telemetry/log.ts";
import { aCall } from "./support/a-call.ts";
import { loadPlan } from "./support/load-plan.ts";

interface Court {
  readonly store: FallbackStore;
  readonly said: readonly string[];
  judge(call?: Call): Promise<Judged>;
}

const open: FallbackStore[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((store) => store.shut()));
});

interface Wishes {
  /** What the store answers a judgement with, instead of judging. */
  readonly failure?: Error;
  readonly strict?: boolean;
  readonly enforce?: boolean;
}

function court(policy: string, { failure, strict = false, enforce = true }: Wishes = {}): Court {
  const clock = (): number => Date.parse("2026-11-22T12:00:00Z");
  const plan = loadPlan([{ file: "policies/test.budget", text: policy }], () => {});
  const memory = openMemory(clock);
  const broken = { ...memory, judge: () => Promise.reject(failure) };
  const store = withFallback(async () => (failure === undefined ? memory : broken), { clock, name: "test" });
  open.push(store);
  const said: string[] = [];
  const log = createLog("debug", (line) => said.push(line));
  const options = { store, plan, holdMs: 60_000, enforce, strict, localMillionths: 50_000, log };
  const rulesFor = indexRules(plan);
  return { store, said, judge: (call = aCall()) => judge(options, call, rulesFor(call)) };
}

const away = new StoreDown("the ledger (test) is away");

describe("a judgement", () => {
  it("holds what it lets go and holds nothing of what it stops", async () => {
    const one = court("tenant.daily > $0.015 -> deny");
    expect(await one.judge()).toMatchObject({ held: true, degraded: false, verdict: { kind: "allow" } });
    const second = await one.judge();
    expect(second).toMatchObject({ held: false, verdict: { kind: "deny" } });
    expect(second.verdict.decided?.figures).toMatchObject({
      held: 10_000_000,
      estimate: 10_000_000,
      limit: 15_000_000,
    });
  });

  it("by several rules is the strictest, and its gate is the one that closes", async () => {
    const one = court("tenant.daily > $0 -> deny\nrun.calls > 0 -> pause\nuser.calls.daily > 0 -> deny for 5m");
    expect(await one.judge()).toMatchObject({ held: false, verdict: { kind: "pause" } });
    const again = await one.judge();
    expect(again.verdict.decided?.closed).toMatchObject({ until: null });
    expect((await one.store.gates()).map(({ key }) => key).sort()).toEqual([
      "run.calls > 0 -> pause|run=run-1",
      "user.calls.daily > 0 -> deny for 5m|user=(none)",
    ]);
  });

  it("meets the gates that a person closed, for exactly the scope that was named", async () => {
    const one = court("tenant.feature.daily > $9 -> deny");
    await one.store.close(gateKey("", ["tenant", "feature"], { tenant: "acme", feature: "a|b" }), null);
    const paused = await one.judge(aCall({ subject: { feature: "a|b" } }));
    expect(paused.verdict).toMatchObject({
      kind: "pause",
      decided: { rule: { id: "", closes: ["tenant", "feature"] } },
    });
    expect(paused.held).toBe(false);
    expect((await one.judge(aCall({ subject: { feature: "a" } }))).held).toBe(true);
  });

  it("in shadow mode says what would be, and holds all the same", async () => {
    const one = court("tenant.daily > $0 -> pause", { enforce: false });
    await one.store.close(gateKey("", ["tenant"], { tenant: "acme" }), null);
    expect(await one.judge()).toMatchObject({ held: true, verdict: { kind: "pause" } });
    expect(await one.store.gates()).toHaveLength(1);
  });
});

describe("a judgement by limits that the store keeps", () => {
  const policy = "limit quota by tenant from store else $0.015\ntenant.daily > quota -> deny";

  it("is by what it keeps now, and by the policy where it keeps none", async () => {
    const one = court(policy);
    await one.judge();
    const refused = await one.judge();
    expect(refused.verdict.decided?.figures?.limit).toBe(15_000_000);
    await one.store.setLimit("quota|tenant=acme", 25_000_000);
    expect(await one.judge()).toMatchObject({ held: true, verdict: { kind: "allow" } });
    const again = await one.judge();
    expect(again.verdict.decided?.figures).toMatchObject({ limit: 25_000_000, held: 20_000_000 });
    await one.store.setLimit("quota|tenant=acme", Number.POSITIVE_INFINITY);
    expect((await one.judge()).held).toBe(true);
    await one.store.setLimit("quota|tenant=acme", null);
    expect((await one.judge()).verdict.decided?.figures?.limit).toBe(15_000_000);
  });
});

describe("a judgement without a ledger", () => {
  it("is made by the share of this process, and its figures are of that share", async () => {
    const one = court("tenant.daily > $0.30 -> deny", { failure: away });
    expect(await one.judge()).toMatchObject({ held: true, degraded: true });
    const { verdict, held } = await one.judge();
    expect(held).toBe(false);
    expect(verdict.decided?.figures).toMatchObject({ limit: 15_000_000, held: 10_000_000 });
    expect(verdict.decided?.message).toContain("one process may spend 5% of a limit");
  });

  it("leaves limits whole that stop loops, and those of a run", async () => {
    const one = court("run.cost > $0.021 -> deny\ntenant.calls.daily > 2 -> deny", { failure: away });
    const kinds = [];
    for (let i = 0; i < 3; i++) kinds.push((await one.judge()).verdict.kind);
    expect(kinds).toEqual(["allow", "allow", "deny"]);
  });

  it("is made by the share of a named limit, too, whoever keeps it", async () => {
    for (const source of ['{ "acme": $0.30 }', "from store"]) {
      const one = court(`limit quota by tenant ${source} else $0.30\ntenant.daily > quota -> deny`, { failure: away });
      expect(await one.judge()).toMatchObject({ held: true, degraded: true });
      const { verdict, held } = await one.judge();
      expect(held).toBe(false);
      expect(verdict.decided?.figures).toMatchObject({ limit: 15_000_000, held: 10_000_000 });
    }
  });

  it("says so of a call that it holds", async () => {
    const one = court("tenant.concurrency > 1 -> hold 10s", { failure: away });
    await one.judge();
    const { verdict } = await one.judge();
    expect(verdict).toMatchObject({ kind: "hold", waits: [{ action: { kind: "hold" } }] });
    expect(verdict.waits[0]?.message).toContain("one process may spend 5% of a limit");
  });

  it("agrees with the local ledger on every condition: what it stops holds nothing, what it lets go is held", async () => {
    const one = court(
      "tenant.daily > $0.25 and run.calls > 1 -> deny\nglobal.tokens.daily >= 60K -> deny for 5m\nuser.daily > $0.9 -> pause",
      { failure: away },
    );
    for (let i = 0; i < 8; i++) {
      const { held, verdict } = await one.judge(aCall({ subject: { user: `u-${i % 2}`, run: `r-${i % 3}` } }));
      expect(held).toBe(!stops(verdict));
    }
  });

  it("is as the policy says: deny before allow, and neither holds anything", async () => {
    const allow = court("tenant.daily > $0 -> deny\nstore.down -> allow", { failure: away });
    expect(await allow.judge()).toMatchObject({ held: false, degraded: true, verdict: { kind: "allow" }, at: null });
    const deny = court('store.down -> allow\nstore.down when tenant == "acme" -> deny', { failure: away });
    expect(await deny.judge()).toMatchObject({ held: false, verdict: { kind: "deny" } });
  });

  it("is a refusal where the deployment is strict, unless the policy says otherwise; a shadow rule says nothing", async () => {
    const policy = "tenant.daily > $9 -> deny";
    const strict = { failure: away, strict: true };
    const { verdict } = await court(policy, strict).judge();
    expect(verdict.decided).toMatchObject({ rule: { id: "store.strict" }, figures: null });
    expect((await court(`${policy}\nstore.down -> local`, strict).judge()).verdict.kind).toBe("allow");
    expect((await court(`${policy}\nshadow store.down -> allow`, strict).judge()).verdict.kind).toBe("deny");
  });

  it("keeps the attempt number that the SDK itself says", async () => {
    const one = court("store.down -> allow", { failure: away });
    expect((await one.judge(aCall({ sdkRetry: 2 }))).attemptNumber).toBe(2);
  });

  it("is the same for a ledger that breaks in a way of its own, which is said", async () => {
    const one = court("tenant.daily > $0.30 -> deny", { failure: new SyntaxError("Unexpected end of JSON input") });
    expect(await one.judge()).toMatchObject({ held: true, degraded: true });
    expect(one.said).toEqual(["budget-guard: the ledger failed: Unexpected end of JSON input\n"]);
    const strict = court("store.down -> deny", { failure: new TypeError("odd") });
    expect((await strict.judge()).verdict.kind).toBe("deny");
  });
});
