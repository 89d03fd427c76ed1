import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bucketOf } from "../../src/store/histogram.ts";
import type { Judgement, JudgeRequest, Store } from "../../src/store/store.ts";
import {
  above,
  aCharge,
  aMeter,
  aRequest,
  aSettlement,
  DAY,
  HOUR,
  hourly,
  inFlight,
  last,
  run,
  total,
  unique,
} from "./asks.ts";
import { limitsConformance } from "./conformance-limits.ts";
import { notesConformance } from "./conformance-notes.ts";
import { runsConformance } from "./conformance-runs.ts";
import { zonesConformance } from "./conformance-zones.ts";

/** A store under test, and its time: an injected clock is moved on, a real one is waited for. */
export interface Bench {
  readonly store: Store;
  now(): number;
  pass(ms: number): Promise<void>;
  end(): Promise<void>;
}

/** What every store must do. `jumps`: its clock is injected, so that hours can pass. */
export function conformance(name: string, jumps: boolean, make: () => Promise<Bench>): void {
  runsConformance(name, jumps, make);
  limitsConformance(name, make);
  notesConformance(name, jumps, make);
  zonesConformance(name, jumps, make);
  describe(`the ${name} store`, () => {
    let bench: Bench;
    let store: Store;
    /** Expiring holds live so long, ms: short where time must really pass. */
    const brief = jumps ? 60_000 : 120;

    beforeEach(async () => {
      bench = await make();
      store = bench.store;
    });
    afterEach(() => bench.end());

    const standing = async (key = "tenant.cost.hourly|acme", window = hourly) => {
      const [reading] = await store.read([{ key, window }]);
      return { spent: reading?.spent, held: reading?.held };
    };
    const judged = async (more: Partial<JudgeRequest> = {}): Promise<Judgement & { attempt: string }> => {
      const request = aRequest(more);
      return { ...(await store.judge(request)), attempt: request.attempt };
    };
    const spend = async (amount: number): Promise<void> => {
      await store.settle(aSettlement(unique("spent"), bench.now(), { charges: [aCharge({ amount })] }));
    };

    describe("judging", () => {
      test("holds a first call and shows the state before it", async () => {
        const answer = await judged();
        expect(answer.held).toBe(true);
        expect(answer.fired).toEqual([]);
        expect(answer.readings).toEqual([
          { spent: 0, held: 0, add: 10, resetsAt: (Math.floor(answer.now / HOUR) + 1) * HOUR },
        ]);
        expect(Math.abs(answer.now - bench.now())).toBeLessThan(2_000);
        expect(await standing()).toEqual({ spent: 0, held: 10 });
      });

      test("counts what others hold", async () => {
        await judged();
        expect((await judged()).readings[0]).toMatchObject({ spent: 0, held: 10, add: 10 });
      });

      test("answers a repeated attempt from its own hold, and adds nothing", async () => {
        const request = aRequest({ stops: [above(10)] });
        const first = await store.judge(request);
        const again = await store.judge(request);
        expect(again.held).toBe(true);
        expect(again.readings).toEqual(first.readings);
        expect(await standing()).toEqual({ spent: 0, held: 10 });
      });

      test("lets exactly as many of 50 parallel calls go as the limit holds", async () => {
        const answers = await Promise.all(Array.from({ length: 50 }, () => judged({ stops: [above(100)] })));
        expect(answers.filter(({ held }) => held)).toHaveLength(10);
        expect(await standing()).toEqual({ spent: 0, held: 100 });
      });

      test("lets 3 of 50 parallel calls go that are 30 % of the limit each (litellm #34732)", async () => {
        const answers = await Promise.all(
          Array.from({ length: 50 }, () => judged({ meters: [aMeter({ add: 30 })], stops: [above(100)] })),
        );
        expect(answers.filter(({ held }) => held)).toHaveLength(3);
      });

      test("lets nothing of a first wave go where one call is above the limit (litellm #40095)", async () => {
        const answers = await Promise.all(Array.from({ length: 8 }, () => judged({ stops: [above(9)] })));
        expect(answers.filter(({ held }) => held)).toHaveLength(0);
      });

      test("tells > from >=", async () => {
        expect((await judged({ stops: [above(10)] })).held).toBe(true);
        expect((await judged({ stops: [above(20, 0, true)] })).held).toBe(false);
        expect((await judged({ stops: [above(20)] })).held).toBe(true);
      });

      test("holds nothing when it refuses, and names the stops that fired", async () => {
        const answer = await judged({ stops: [above(5), above(50), above(9)] });
        expect(answer.held).toBe(false);
        expect(answer.fired).toEqual([0, 2]);
        expect(await standing()).toEqual({ spent: 0, held: 0 });
      });

      test("stops only where all tests of a stop hold", async () => {
        const meters = [aMeter(), aMeter({ key: "run.calls|r1", window: run, add: 1 })];
        const both = { tests: [...above(5).tests, ...above(1, 1).tests], closes: null };
        expect((await judged({ meters, stops: [both] })).held).toBe(true);
        expect((await judged({ meters, stops: [both] })).fired).toEqual([0]);
      });

      test("always stops where a stop has no tests", async () => {
        expect((await judged({ meters: [], stops: [{ tests: [], closes: null }] })).fired).toEqual([0]);
      });

      test("compares a meter with a share of another, this call included", async () => {
        const meters = [
          aMeter({ key: "feature.retries.last 15m|f", window: last(900_000), add: "retry" }),
          aMeter({ key: "feature.calls.last 15m|f", window: last(900_000), add: 1 }),
        ];
        const stop = {
          tests: [{ kind: "share", meter: 0, of: 1, millionths: 500_000, orEqual: false } as const],
          closes: null,
        };
        expect((await judged({ meters, stops: [stop] })).held).toBe(true);
        expect((await judged({ meters, stops: [stop], sdkRetry: 1 })).held).toBe(true);
        expect((await judged({ meters, stops: [stop], sdkRetry: 1 })).fired).toEqual([0]);
      });

      test("judges a call without meters", async () => {
        expect(await judged({ meters: [] })).toMatchObject({ held: true, readings: [] });
      });

      test("holds both amounts where a request names one meter twice", async () => {
        const meters = [aMeter(), aMeter({ add: 5 })];
        await judged({ meters });
        const { attempt, now } = await judged({ meters });
        expect(await standing()).toEqual({ spent: 0, held: 30 });
        await store.settle(aSettlement(attempt, now, { charges: [] }));
        expect(await standing()).toEqual({ spent: 0, held: 15 });
      });

      test("judges a call on 120 meters at once", async () => {
        const meters = Array.from({ length: 120 }, (_, n) =>
          aMeter({ key: `m${n}|x`, add: n, window: n % 2 === 0 ? hourly : last(60_000) }),
        );
        await judged({ meters });
        const { readings } = await judged({ meters });
        expect(readings.map(({ held }) => held)).toEqual(meters.map(({ add }) => add));
      });

      test("refuses amounts that cannot be added up", async () => {
        await expect(judged({ meters: [aMeter({ add: Number.NaN })] })).rejects.toThrow(RangeError);
        await expect(judged({ meters: [aMeter({ add: -1 })] })).rejects.toThrow(RangeError);
        await expect(judged({ meters: [aMeter({ add: 0.5 })] })).rejects.toThrow(RangeError);
        await expect(judged({ stops: [above(Number.NaN)] })).rejects.toThrow(RangeError);
        await expect(judged({ stops: [above(1, 7)] })).rejects.toThrow(RangeError);
        const bill = aSettlement("x", bench.now(), { charges: [aCharge({ amount: Number.POSITIVE_INFINITY })] });
        await expect(store.settle(bill)).rejects.toThrow(RangeError);
        expect(await standing()).toEqual({ spent: 0, held: 0 });
      });

      test("adds up millions of dollars to the last nano-dollar", async () => {
        const big = 2 ** 52 + 1;
        await spend(big);
        await spend(2);
        const { readings } = await judged({ stops: [above(big + 12)] });
        expect(readings[0]?.spent).toBe(4_503_599_627_370_499);
        expect((await judged({ stops: [above(big + 12)] })).held).toBe(false);
      });
    });

    describe("settling", () => {
      test("replaces the hold by the bill", async () => {
        const { attempt, now } = await judged();
        await store.settle(aSettlement(attempt, now, { charges: [aCharge({ amount: 7 })] }));
        expect(await standing()).toEqual({ spent: 7, held: 0 });
      });

      test("charges more than was held where the bill is higher", async () => {
        const { attempt, now } = await judged();
        await store.settle(aSettlement(attempt, now, { charges: [aCharge({ amount: 25 })] }));
        expect(await standing()).toEqual({ spent: 25, held: 0 });
      });

      test("charges an attempt once, however often it is said", async () => {
        const { attempt, now } = await judged();
        const bill = aSettlement(attempt, now);
        await Promise.all([store.settle(bill), store.settle(bill), store.settle(bill)]);
        expect(await standing()).toEqual({ spent: 10, held: 0 });
      });

      test("charges an attempt that it never judged, once", async () => {
        const bill = aSettlement(unique("elsewhere"), bench.now());
        // Of several that tell the same, one is told that it was the first.
        const first = await Promise.all([store.settle(bill), store.settle(bill), store.settle(bill)]);
        expect(first.filter(Boolean)).toHaveLength(1);
        expect(await store.settle(bill)).toBe(false);
        expect(await standing()).toEqual({ spent: 10, held: 0 });
      });

      test("does not hold an attempt again that is settled", async () => {
        const request = aRequest();
        const { now } = await store.judge(request);
        await store.settle(aSettlement(request.attempt, now));
        expect((await store.judge(request)).held).toBe(false);
        expect(await standing()).toEqual({ spent: 10, held: 0 });
      });

      test("takes a settlement without charges as a release, after which the bill may still come", async () => {
        const { attempt, now } = await judged();
        await store.settle(aSettlement(attempt, now, { charges: [] }));
        expect(await standing()).toEqual({ spent: 0, held: 0 });
        await store.settle(aSettlement(attempt, now));
        expect(await standing()).toEqual({ spent: 10, held: 0 });
      });

      test("charges meters that were not held", async () => {
        const { attempt, now } = await judged();
        const errors = aCharge({ key: "tenant.errors.total|acme", window: total, amount: 1 });
        await store.settle(aSettlement(attempt, now, { charges: [aCharge(), errors] }));
        expect(await standing("tenant.errors.total|acme", total)).toEqual({ spent: 1, held: 0 });
      });

      test("charges the calendar window in which the call was judged", async () => {
        const { attempt, now } = await judged();
        await store.settle(aSettlement(attempt, now - HOUR));
        expect(await standing()).toEqual({ spent: 0, held: 0 });
      });
    });

    describe("expiry", () => {
      test("frees the hold of a dead holder, and keeps as spent what surely was", async () => {
        await judged({ holdMs: brief, meters: [aMeter({ floor: 4 })] });
        await bench.pass(brief + 1);
        expect(await standing()).toEqual({ spent: 4, held: 0 });
      });

      test("gives the room of an expired hold to the next call", async () => {
        await judged({ holdMs: brief, stops: [above(10)] });
        expect((await judged({ stops: [above(10)] })).held).toBe(false);
        await bench.pass(brief + 1);
        expect((await judged({ stops: [above(10)] })).held).toBe(true);
      });

      test("takes a late bill in place of the floor, once", async () => {
        const meters = [aMeter({ floor: 4 }), aMeter({ key: "t|x", window: last(HOUR), floor: 6 })];
        const { attempt, now } = await judged({ holdMs: brief, meters });
        await bench.pass(brief + 1);
        expect(await standing("t|x", last(HOUR))).toEqual({ spent: 6, held: 0 });
        const charges = [aCharge({ amount: 9 }), aCharge({ key: "t|x", window: last(HOUR), amount: 3 })];
        await store.settle(aSettlement(attempt, now, { charges }));
        await store.settle(aSettlement(attempt, now, { charges }));
        expect(await standing()).toEqual({ spent: 9, held: 0 });
        expect(await standing("t|x", last(HOUR))).toEqual({ spent: 3, held: 0 });
      });

      test("does not come while heartbeats do", async () => {
        const { attempt } = await judged({ holdMs: brief });
        for (let beat = 0; beat < 3; beat++) {
          await bench.pass(brief / 2);
          await store.extend([{ attempt, holdMs: brief }]);
        }
        expect(await standing()).toEqual({ spent: 0, held: 10 });
      });

      test("keeps the floors that the last heartbeat named", async () => {
        const { attempt } = await judged({ holdMs: brief, meters: [aMeter({ floor: 1 })] });
        await store.extend([{ attempt, holdMs: brief, floors: [8] }]);
        await bench.pass(brief + 1);
        expect(await standing()).toEqual({ spent: 8, held: 0 });
      });

      test("is undone by a heartbeat of a holder that only slept", async () => {
        const { attempt, now } = await judged({ holdMs: brief, meters: [aMeter({ floor: 4 })] });
        await bench.pass(brief + 1);
        expect(await standing()).toEqual({ spent: 4, held: 0 });
        await store.extend([{ attempt, holdMs: 60_000, floors: [5] }]);
        expect(await standing()).toEqual({ spent: 0, held: 10 });
        await store.settle(aSettlement(attempt, now));
        expect(await standing()).toEqual({ spent: 10, held: 0 });
      });

      test("ignores heartbeats of attempts that it does not know or that are settled", async () => {
        const { attempt, now } = await judged();
        await store.settle(aSettlement(attempt, now));
        await store.extend([
          { attempt: "never seen", holdMs: 60_000 },
          { attempt, holdMs: 60_000 },
        ]);
        expect(await standing()).toEqual({ spent: 10, held: 0 });
      });

      test("frees hundreds of holds, some with each operation", async () => {
        await Promise.all(Array.from({ length: 200 }, () => judged({ holdMs: brief })));
        await bench.pass(brief + 1);
        for (let turn = 0; turn < 200; turn++) if ((await standing()).held === 0) break;
        expect(await standing()).toEqual({ spent: 0, held: 0 });
      });

      test("spends no floor on a meter to which the call added nothing", async () => {
        await judged({ holdMs: brief, meters: [aMeter({ add: "retry", floor: 1 })] });
        await bench.pass(brief + 1);
        expect(await standing()).toEqual({ spent: 0, held: 0 });
      });
    });

    describe("concurrency", () => {
      test("counts what is in flight and nothing else", async () => {
        const key = "tenant.concurrency|acme";
        const meters = [aMeter({ key, window: inFlight, add: 1, floor: 1 })];
        const first = await judged({ meters, stops: [above(2)] });
        await judged({ meters, stops: [above(2)], holdMs: brief });
        expect((await judged({ meters, stops: [above(2)] })).held).toBe(false);
        const charges = [aCharge({ key, window: inFlight, amount: 1 })];
        await store.settle(aSettlement(first.attempt, first.now, { charges }));
        expect(await standing(key, inFlight)).toEqual({ spent: 0, held: 1 });
        await bench.pass(brief + 1);
        expect(await standing(key, inFlight)).toEqual({ spent: 0, held: 0 });
      });
    });

    describe("gates", () => {
      const gates = [{ key: "rule a|tenant=acme" }, { key: "|tenant=acme" }];
      const pausing = (ms: number | null, gate = 0) => ({ tests: above(5).tests, closes: { gate, ms } });

      test("close when their stop fires, and stop the calls after that", async () => {
        const first = await judged({ gates, stops: [pausing(null)] });
        expect(first).toMatchObject({ held: false, fired: [0], closed: [null, null] });
        const second = await judged({ gates });
        expect(second).toMatchObject({ held: false, fired: [] });
        expect(second.closed).toEqual([{ key: "rule a|tenant=acme", since: first.now, until: null }, null]);
        expect(second.readings[0]).toMatchObject({ spent: 0, held: 0, add: 10 });
        expect(await standing()).toEqual({ spent: 0, held: 0 });
      });

      test("open by themselves when their time is over", async () => {
        const first = await judged({ gates, stops: [pausing(brief)] });
        expect((await judged({ gates })).closed[0]).toMatchObject({ until: first.now + brief });
        await bench.pass(brief + 1);
        expect((await judged({ gates })).held).toBe(true);
        expect(await store.gates()).toEqual([]);
      });

      test("stay closed for the longest time that a stop asks for", async () => {
        const { now } = await judged({ gates, stops: [pausing(1_000), pausing(9_000), pausing(5_000)] });
        expect((await store.gates())[0]?.until).toBe(now + 9_000);
        await judged({ meters: [aMeter()], gates: [{ key: "b|" }], stops: [pausing(null), pausing(9_000)] });
        expect((await store.gates()).find(({ key }) => key === "b|")?.until).toBe(null);
      });

      test("close beside one that is closed, which keeps its time", async () => {
        const two = [{ key: "breaker|" }, { key: "ceiling|" }];
        const { now } = await judged({ gates: two, stops: [pausing(9_000)] });
        const next = await judged({ gates: two, stops: [pausing(60_000), pausing(null, 1)] });
        expect(next).toMatchObject({ held: false, fired: [0, 1], closed: [{ until: now + 9_000 }, null] });
        const closed = new Map((await store.gates()).map(({ key, until }) => [key, until]));
        expect(closed).toEqual(
          new Map([
            ["breaker|", now + 9_000],
            ["ceiling|", null],
          ]),
        );
      });

      test("are closed and opened by hand", async () => {
        await store.close("|tenant=acme", null);
        expect((await judged({ gates })).closed[1]).toMatchObject({ key: "|tenant=acme", until: null });
        expect(await store.gates()).toHaveLength(1);
        expect(await store.open(["|tenant=acme", "|tenant=other"])).toBe(1);
        expect(await store.open(["|tenant=acme"])).toBe(0);
        expect(await store.gates()).toEqual([]);
        expect((await judged({ gates })).held).toBe(true);
      });

      test("close by hand for part of a millisecond, and not at all for a time that is over", async () => {
        for (const ms of [-5, 0]) {
          await store.close("|tenant=acme", ms);
          expect(await store.gates()).toEqual([]);
        }
        await store.close("|tenant=acme", 59_999.5);
        expect(await store.gates()).toMatchObject([{ key: "|tenant=acme" }]);
      });

      test("let a call that was held before go on", async () => {
        const request = aRequest({ gates });
        await store.judge(request);
        await store.close("|tenant=acme", null);
        expect(await store.judge(request)).toMatchObject({ held: true, closed: [null, null] });
      });
    });

    describe("fingerprints", () => {
      const retries = aMeter({ key: "run.retries|r", window: run, add: "retry" });
      const repeats = aMeter({ key: "run.repeats|r", window: run, add: "repeat" });
      const attempt = (more: Partial<JudgeRequest> = {}) =>
        judged({ fingerprint: "r1:f1", meters: [retries, repeats], ...more });
      const over = (call: { attempt: string; now: number }, outcome: "success" | "failure" | "none") =>
        store.settle(
          aSettlement(call.attempt, call.now, {
            fingerprint: "r1:f1",
            outcome,
            charges: [
              { key: retries.key, window: run, amount: "retry" },
              { key: repeats.key, window: run, amount: "repeat" },
            ],
          }),
        );

      test("make the call after a failure a retry, and count failures in a row", async () => {
        const first = await attempt();
        expect(first).toMatchObject({ attemptNumber: 0, repeat: false });
        await over(first, "failure");
        const second = await attempt();
        expect(second).toMatchObject({ attemptNumber: 1, repeat: false });
        expect(second.readings.map(({ add }) => add)).toEqual([1, 0]);
        await over(second, "failure");
        expect((await attempt()).attemptNumber).toBe(2);
        expect((await attempt({ fingerprint: "r2:f1" })).attemptNumber).toBe(0);
      });

      test("make the call after a success a repeat", async () => {
        await over(await attempt(), "failure");
        await over(await attempt(), "success");
        const third = await attempt();
        expect(third).toMatchObject({ attemptNumber: 0, repeat: true });
        expect(third.readings.map(({ add }) => add)).toEqual([0, 1]);
      });

      test("do not change by a call that never reached the provider", async () => {
        await over(await attempt(), "failure");
        await over(await attempt(), "none");
        expect((await attempt()).attemptNumber).toBe(1);
      });

      test("yield to the SDK's own word where that is greater", async () => {
        expect(await attempt({ sdkRetry: 3 })).toMatchObject({ attemptNumber: 3, repeat: false });
        const first = await attempt({ fingerprint: null, sdkRetry: 0 });
        expect(first.attemptNumber).toBe(0);
        await over(first, "success");
        expect(await attempt({ sdkRetry: 2 })).toMatchObject({ attemptNumber: 2, repeat: false });
        await over(await attempt(), "failure");
        expect((await attempt({ sdkRetry: 0 })).attemptNumber).toBe(1);
      });

      test("stop an attempt by its number", async () => {
        const stop = { tests: [{ kind: "attempt", limit: 1, orEqual: false } as const], closes: null };
        await over(await attempt(), "failure");
        expect((await attempt({ stops: [stop] })).held).toBe(true);
        await over(await attempt(), "failure");
        expect((await attempt({ stops: [stop] })).fired).toEqual([0]);
        expect((await attempt({ stops: [stop], fingerprint: null, sdkRetry: 2 })).fired).toEqual([0]);
      });

      test("charge at settling what the judgement said, whatever happened since", async () => {
        const [first, other] = [await attempt(), await attempt()];
        await over(other, "failure");
        await over(first, "success");
        expect(await standing(retries.key, run)).toEqual({ spent: 0, held: 0 });
        expect(await standing(repeats.key, run)).toEqual({ spent: 0, held: 0 });
        const third = await attempt();
        await over(await attempt(), "failure");
        await over(third, "success");
        expect(await standing(repeats.key, run)).toEqual({ spent: 2, held: 0 });
      });

      test("count an outcome once, however often it is said", async () => {
        const first = await attempt();
        await over(first, "failure");
        await over(first, "failure");
        expect((await attempt()).attemptNumber).toBe(1);
      });
    });

    describe("windows", () => {
      test("roll: spend leaves no sooner than its time, and soon after", async () => {
        const ms = jumps ? 900_000 : 600;
        const window = last(ms);
        const { attempt, now } = await judged({ meters: [aMeter({ key: "k|r", window })] });
        await store.settle(aSettlement(attempt, now, { charges: [aCharge({ key: "k|r", window })] }));
        const [fresh] = await store.read([{ key: "k|r", window }]);
        const leaves = fresh?.resetsAt ?? 0;
        expect(leaves - now).toBeGreaterThanOrEqual(ms);
        expect(leaves - now).toBeLessThanOrEqual(ms + ms / 30 + (jumps ? 0 : 500));
        await bench.pass(ms / 2);
        expect(await standing("k|r", window)).toEqual({ spent: 10, held: 0 });
        await bench.pass(leaves - bench.now() + 1);
        const [gone] = await store.read([{ key: "k|r", window }]);
        expect(gone).toEqual({ spent: 0, held: 0, add: 0, resetsAt: null });
      });

      test.runIf(jumps)("start anew at the full hour, and lose nothing at it", async () => {
        await bench.pass(HOUR - (bench.now() % HOUR) - 1);
        const before = await judged();
        await spend(5);
        expect(before.readings[0]?.resetsAt).toBe(before.now + 1);
        await bench.pass(1);
        expect(await standing()).toEqual({ spent: 0, held: 0 });
        const after = await judged({ stops: [above(10)], holdMs: HOUR });
        expect(after.held).toBe(true);
        // Time enough for what is over to be forgotten.
        await bench.pass(50_000);
        expect(await standing()).toEqual({ spent: 0, held: 10 });
        await store.settle(aSettlement(before.attempt, before.now));
        expect(await standing()).toEqual({ spent: 0, held: 10 });
        await bench.pass(-50_001);
        expect(await standing()).toEqual({ spent: 15, held: 0 });
      });

      test.runIf(jumps)("of a day, a week and a month keep their spend as long as they last", async () => {
        const kinds = ["daily", "weekly", "monthly"] as const;
        const asks = kinds.map((kind) => ({ key: `${kind}|x`, window: { kind, timezone: "UTC" } }));
        await bench.pass(Date.UTC(2027, 1, 1) - bench.now());
        const charges = asks.map((ask) => ({ ...ask, amount: 3 }));
        await store.settle(aSettlement(unique("a"), bench.now(), { charges }));
        const spent = async () => (await store.read(asks)).map((reading) => reading.spent);
        await bench.pass(DAY - 1);
        expect(await spent()).toEqual([3, 3, 3]);
        await bench.pass(1);
        expect(await spent()).toEqual([0, 3, 3]);
        await bench.pass(6 * DAY);
        expect(await spent()).toEqual([0, 0, 3]);
        await bench.pass(21 * DAY);
        expect(await spent()).toEqual([0, 0, 0]);
      });

      test.runIf(jumps)("for ever are for ever", async () => {
        await store.settle(aSettlement("x", bench.now(), { charges: [aCharge({ key: "g|", window: total })] }));
        for (let year = 0; year < 3; year++) {
          await bench.pass(365 * DAY);
          await judged();
        }
        expect(await standing("g|", total)).toEqual({ spent: 10, held: 0 });
      });
    });

    describe("status", () => {
      const meter = (id: string, window = hourly) => ({ id, scopes: ["tenant"], metric: "cost", window }) as const;

      test("lists what the meters of a kind hold, with the figures that judge decides on", async () => {
        await judged();
        await spend(3);
        await judged({ meters: [aMeter({ key: "tenant.cost.hourly|other" })] });
        const states = await store.list([meter("tenant.cost.hourly")]);
        expect([...states].sort((a, b) => (a.key < b.key ? -1 : 1))).toEqual([
          { key: "tenant.cost.hourly|acme", spent: 3, held: 10, resetsAt: expect.any(Number) },
          { key: "tenant.cost.hourly|other", spent: 0, held: 10, resetsAt: expect.any(Number) },
        ]);
      });

      test("lists no meter of another kind or window, and none that holds nothing", async () => {
        await judged({
          meters: [aMeter({ key: "tenant.cost.hourlyX|a" }), aMeter({ key: "tenant.cost|a", window: total })],
        });
        const { attempt, now } = await judged();
        await store.settle(aSettlement(attempt, now - HOUR));
        expect(await store.list([meter("tenant.cost.hourly"), meter("tenant.cost.daily")])).toEqual([]);
      });

      test("lists a meter without scopes", async () => {
        await judged({
          meters: [
            aMeter({ key: "global.cost.total", window: total }),
            aMeter({ key: "global.calls|", window: total }),
          ],
        });
        const states = await store.list([meter("global.cost.total", total), meter("global.calls", total)]);
        expect(states.map(({ key }) => key).sort()).toEqual(["global.calls|", "global.cost.total"]);
      });

      test.each(["a*b", "a?b", "[a]", "a\\b", "a|b", "a@b", "ü 漢 \u{1f600}", "q\"uo'te", "a\nb", "%s", " "])(
        "keeps apart and finds the value %j",
        async (value) => {
          const key = `tenant.cost.total|${value}`;
          await judged({ meters: [aMeter({ key, window: total })] });
          await judged({ meters: [aMeter({ key: "tenant.cost.total|axb", window: total, add: 1 })] });
          expect(await standing(key, total)).toEqual({ spent: 0, held: 10 });
          const keys = (await store.list([meter("tenant.cost.total", total)])).map((state) => state.key);
          expect(keys.sort()).toEqual([key, "tenant.cost.total|axb"].sort());
        },
      );

      test("reads nothing where nothing is asked", async () => {
        expect(await store.read([])).toEqual([]);
        expect(await store.list([])).toEqual([]);
        expect(await store.recall([])).toEqual([]);
        expect(await store.open([])).toBe(0);
        await store.extend([]);
      });
    });

    test("learns values and recalls how often each bucket was met", async () => {
      const lesson = (key: string, value: number) => ({ key, value });
      const first = aSettlement("a", bench.now(), {
        lessons: [lesson("opus", 100), lesson("opus", 100), lesson("gpt", 5)],
      });
      await store.settle(first);
      await store.settle(first);
      await store.settle(aSettlement("b", bench.now(), { lessons: [lesson("opus", 9_999_999)] }));
      const [opus, gpt, none] = await store.recall(["opus", "gpt", "none"]);
      expect(opus).toHaveLength(48);
      expect(opus?.[bucketOf(100)]).toBe(2);
      expect(opus?.[47]).toBe(1);
      expect(gpt?.reduce((sum, count) => sum + count, 0)).toBe(1);
      expect(none).toBe(null);
    });
  });
}
