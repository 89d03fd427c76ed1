import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Window } from "../../src/policy/plan.ts";
import type { Judgement, JudgeRequest, Store } from "../../src/store/store.ts";
import { above, aMeter, aRequest, aSettlement, DAY, HOUR, hourly, last, total, unique } from "./asks.ts";
import type { Bench } from "./conformance.ts";

/** What every store must do with meters of runs. */
export function runsConformance(name: string, jumps: boolean, make: () => Promise<Bench>): void {
  describe(`runs in the ${name} store`, () => {
    let bench: Bench;
    let store: Store;
    beforeEach(async () => {
      bench = await make();
      store = bench.store;
    });
    afterEach(() => bench.end());

    const key = "tenant.runs.hourly|acme";
    const meterOf = (window: Window = hourly, of = key) => aMeter({ key: of, window, add: "run", floor: 1 });
    const judged = async (run: string, more: Partial<JudgeRequest> = {}): Promise<Judgement & { attempt: string }> => {
      const request = aRequest({ run, meters: [meterOf()], ...more });
      return { ...(await store.judge(request)), attempt: request.attempt };
    };
    const standing = async (window: Window = hourly, of = key) => {
      const [reading] = await store.read([{ key: of, window }]);
      return { spent: reading?.spent, held: reading?.held };
    };
    const billed = (run: string, judgedAt: number, window: Window = hourly, attempt = unique("a")) =>
      store.settle(aSettlement(attempt, judgedAt, { run, charges: [{ key, window, amount: "run" }] }));

    test("are counted once each, however many calls they make", async () => {
      const first = await judged("a");
      expect(first.readings[0]).toMatchObject({ spent: 0, held: 0, add: 1 });
      expect((await judged("a")).readings[0]).toMatchObject({ spent: 1, held: 0, add: 0 });
      expect((await judged("b")).readings[0]).toMatchObject({ spent: 1, held: 0, add: 1 });
      expect((await judged("a")).readings[0]).toMatchObject({ spent: 2, held: 0, add: 0 });
      expect(await standing()).toEqual({ spent: 2, held: 0 });
    });

    test("beyond the limit are refused, and those that are counted go on", async () => {
      const stops = [above(2)];
      for (const run of ["a", "b"]) expect((await judged(run, { stops })).held).toBe(true);
      expect(await judged("c", { stops })).toMatchObject({ held: false, fired: [0] });
      expect((await judged("a", { stops })).held).toBe(true);
      expect((await judged("b", { stops: [above(2, 0, true)] })).held).toBe(false);
      expect(await standing()).toEqual({ spent: 2, held: 0 });
    });

    test("of calls that are refused are not counted", async () => {
      await judged("a", { meters: [meterOf(), aMeter()], stops: [above(5, 1)] });
      await store.close("|tenant=acme", null);
      await judged("a", { gates: [{ key: "|tenant=acme" }] });
      expect(await standing()).toEqual({ spent: 0, held: 0 });
    });

    test("race for the last place, and one gets it", async () => {
      const stops = [above(10)];
      const answers = await Promise.all(Array.from({ length: 60 }, (_, index) => judged(`r${index % 30}`, { stops })));
      const held = new Set(answers.flatMap((answer, index) => (answer.held ? [index % 30] : [])));
      expect(held.size).toBe(10);
      expect(answers.filter((answer) => answer.held)).toHaveLength(20);
      expect(await standing()).toEqual({ spent: 10, held: 0 });
    });

    test("stay counted when the call is settled, released or forgotten", async () => {
      const [settled, released] = [await judged("a"), await judged("b")];
      await billed("a", settled.now, hourly, settled.attempt);
      await store.settle(aSettlement(released.attempt, released.now, { run: "b", charges: [] }));
      const brief = jumps ? 60_000 : 60;
      const lost = await judged("c", { holdMs: brief });
      await bench.pass(brief + 1);
      expect(await standing()).toEqual({ spent: 3, held: 0 });
      await store.extend([{ attempt: lost.attempt, holdMs: 60_000, floors: [7] }]);
      expect(await standing()).toEqual({ spent: 3, held: 0 });
    });

    test("that were judged elsewhere are counted when their bill comes, once", async () => {
      await billed("a", bench.now());
      await billed("a", bench.now());
      await billed("b", bench.now());
      expect(await standing()).toEqual({ spent: 2, held: 0 });
      expect((await judged("b")).readings[0]?.add).toBe(0);
    });

    test("of a repeated attempt are answered from its own hold", async () => {
      const request = aRequest({ run: "a", meters: [meterOf()], stops: [above(1)] });
      await store.judge(request);
      expect(await store.judge(request)).toMatchObject({ held: true, readings: [{ spent: 1, held: 0, add: 0 }] });
    });

    test("stand beside other meters, whose holds and floors stay their own", async () => {
      const meters = [meterOf(), aMeter({ floor: 4 }), meterOf(total, "tenant.runs.total|acme")];
      const brief = jumps ? 60_000 : 60;
      const { attempt } = await judged("a", { meters, holdMs: brief });
      await store.extend([{ attempt, holdMs: brief, floors: [9, 6, 9] }]);
      await bench.pass(brief + 1);
      const readings = await store.read(meters);
      expect(readings.map(({ spent, held }) => [spent, held])).toEqual([
        [1, 0],
        [6, 0],
        [1, 0],
      ]);
    });

    test("keep meters apart, whatever they are called", async () => {
      const names = ["a|b", "a", "b@2026", "", "ü 漢", "q\"uo'te", "a\nb", "%", "0"];
      for (const run of names) {
        await judged(run, { meters: [meterOf(total, "t.runs.total|x"), meterOf(total, `t.runs.total|${run}`)] });
      }
      expect((await standing(total, "t.runs.total|x")).spent).toBe(names.length);
      for (const run of names) expect((await standing(total, `t.runs.total|${run}`)).spent).toBe(1);
    });

    test("leave a rolling window when they were not seen for so long", async () => {
      const ms = jumps ? 300_000 : 600;
      const window = last(ms);
      const meters = [meterOf(window)];
      const { now } = await judged("a", { meters });
      await judged("b", { meters });
      const [fresh] = await store.read([{ key, window }]);
      const leaves = fresh?.resetsAt ?? 0;
      expect(leaves - now).toBeGreaterThanOrEqual(ms);
      expect(leaves - now).toBeLessThanOrEqual(ms + ms / 30 + (jumps ? 0 : 500));
      await bench.pass(ms / 2);
      await billed("a", bench.now(), window);
      await bench.pass(leaves - bench.now() + 1 + (jumps ? 0 : 60));
      expect((await judged("c", { meters })).readings[0]).toMatchObject({ spent: 1, add: 1 });
      expect((await judged("a", { meters })).readings[0]).toMatchObject({ spent: 2, add: 0 });
      expect((await judged("b", { meters })).readings[0]).toMatchObject({ spent: 2, add: 1 });
    });

    test.runIf(jumps)("start anew with the hour, and come back a day later as new ones", async () => {
      await judged("a");
      await bench.pass(HOUR);
      expect((await judged("a")).readings[0]).toMatchObject({ spent: 0, add: 1 });
      await bench.pass(DAY);
      await judged("x");
      await bench.pass(60_000);
      expect((await judged("a")).readings[0]).toMatchObject({ spent: 1, add: 1 });
    });

    test.runIf(jumps)("roll for weeks without growing, and are exact at every step", async () => {
      const window = last(30 * 60_000);
      const seen = new Map<string, number>();
      for (let turn = 0; turn < 600; turn++) {
        await bench.pass(((turn * 7919) % 13) * 60_000);
        const run = `r${(turn * 31) % 17}`;
        const { now, readings } = await judged(run, { meters: [meterOf(window)] });
        // A run counts for as long as its minute is in the window, in whole minutes.
        const counted = [...seen].filter(([, at]) => Math.floor(at / 60_000) >= Math.floor(now / 60_000) - 30);
        expect(readings[0]?.spent).toBe(counted.length);
        expect(readings[0]?.add).toBe(counted.some(([name]) => name === run) ? 0 : 1);
        seen.set(run, now);
      }
    });

    test("charge the calendar window in which the call was judged", async () => {
      await billed("a", bench.now() - HOUR);
      expect(await standing()).toEqual({ spent: 0, held: 0 });
    });

    test("are listed with the figure that judge decides on", async () => {
      await judged("a");
      await judged("b");
      const meter = { id: "tenant.runs.hourly", scopes: ["tenant"], metric: "runs", window: hourly } as const;
      expect(await store.list([meter])).toEqual([{ key, spent: 2, held: 0, resetsAt: expect.any(Number) }]);
    });
  });
}
