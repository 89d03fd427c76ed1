import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Judgement, JudgeRequest, Store, Test } from "../../src/store/store.ts";
import { above, aMeter, aRequest, aSettlement, unique } from "./asks.ts";
import type { Bench } from "./conformance.ts";

type Kept = Extract<Test, { kind: "kept" }>;

/** What every store must do with limits that it keeps, and with foresight. */
export function limitsConformance(name: string, make: () => Promise<Bench>): void {
  describe(`limits that the ${name} store keeps`, () => {
    let bench: Bench;
    let store: Store;
    beforeEach(async () => {
      bench = await make();
      store = bench.store;
    });
    afterEach(() => bench.end());

    const quota = "quota|tenant=acme";
    const judged = (more: Partial<JudgeRequest> = {}): Promise<Judgement> =>
      store.judge(aRequest({ limits: [quota], ...more }));
    /** A stop on the first meter against the first limit of the request. */
    const kept = (more: Partial<Kept> = {}) => ({
      tests: [
        {
          kind: "kept",
          left: { kind: "meter", meter: 0 },
          limits: [0],
          otherwise: null,
          millionths: 1_000_000,
          orEqual: false,
          ...more,
        } as const,
      ],
      closes: null,
    });
    const fires = async (more: Partial<Kept>, request: Partial<JudgeRequest> = {}) =>
      (await judged({ stops: [kept(more)], ...request })).fired.length === 1;

    test("are said with the judgement, in order, null where none is kept", async () => {
      await store.setLimit(quota, 80);
      await store.setLimit("seats|plan=pro", Number.POSITIVE_INFINITY);
      await store.setLimit("none|plan=free", 0);
      const limits = ["none|plan=free", "other|tenant=acme", quota, "seats|plan=pro"];
      expect((await judged({ limits })).limits).toEqual([0, null, 80, Number.POSITIVE_INFINITY]);
      expect((await judged({ limits: [] })).limits).toEqual([]);
    });

    test("count from the next call on, raised, lowered and forgotten", async () => {
      expect(await fires({ otherwise: 5 })).toBe(true);
      await store.setLimit(quota, 10);
      expect(await fires({ otherwise: 5 })).toBe(false);
      expect(await fires({ otherwise: 5 })).toBe(true);
      await store.setLimit(quota, 30);
      expect(await fires({ otherwise: 5 })).toBe(false);
      await store.setLimit(quota, 29);
      expect(await fires({ otherwise: 5 })).toBe(true);
      await store.setLimit(quota, null);
      expect(await fires({ otherwise: 1_000 })).toBe(false);
      await store.setLimit(quota, null);
      expect(await store.limits()).toEqual(new Map());
    });

    test("of nothing let no call go, and unlimited lets every call go", async () => {
      await store.setLimit(quota, 0);
      expect(await fires({ otherwise: 1_000 })).toBe(true);
      await store.setLimit(quota, Number.POSITIVE_INFINITY);
      const huge = { meters: [aMeter({ add: 2 ** 53 - 1 })] };
      expect(await fires({ otherwise: 5 }, huge)).toBe(false);
      expect(await fires({ otherwise: 5, orEqual: true }, huge)).toBe(false);
      expect(await fires({ otherwise: 5, millionths: 0 })).toBe(false);
    });

    test("are infinite where there is no `else` or it is infinite", async () => {
      const huge = { meters: [aMeter({ add: 2 ** 50 })] };
      expect(await fires({ otherwise: null }, huge)).toBe(false);
      expect(await fires({ otherwise: Number.POSITIVE_INFINITY, orEqual: true }, huge)).toBe(false);
      expect(await fires({ limits: [], otherwise: 5 })).toBe(true);
    });

    test("tell > from >=, and a share to the millionth", async () => {
      await store.setLimit(quota, 10);
      const meters = [aMeter({ key: unique("m"), add: 10 })];
      expect(await fires({ orEqual: true }, { meters })).toBe(true);
      expect(await fires({ orEqual: false }, { meters })).toBe(false);
      await store.setLimit(quota, 100);
      const eighty = (add: number) => ({ meters: [aMeter({ key: unique("m"), add })] });
      expect(await fires({ millionths: 800_000 }, eighty(80))).toBe(false);
      expect(await fires({ millionths: 800_000 }, eighty(81))).toBe(true);
      expect(await fires({ millionths: 799_999 }, eighty(80))).toBe(true);
    });

    test("are the first of several that the store keeps", async () => {
      const limits = ["quota|tenant=acme", "plan-quota|plan=pro"];
      const meters = () => [aMeter({ key: unique("m"), add: 10 })];
      const both = { limits: [0, 1], otherwise: 5 };
      expect(await fires(both, { limits, meters: meters() })).toBe(true);
      await store.setLimit("plan-quota|plan=pro", 10);
      expect(await fires(both, { limits, meters: meters() })).toBe(false);
      await store.setLimit("quota|tenant=acme", 9);
      expect(await fires(both, { limits, meters: meters() })).toBe(true);
      await store.setLimit("quota|tenant=acme", Number.POSITIVE_INFINITY);
      await store.setLimit("plan-quota|plan=pro", 1);
      expect(await fires(both, { limits, meters: meters() })).toBe(false);
    });

    test("are compared with this call's own amount and its attempt number too", async () => {
      await store.setLimit(quota, 2);
      expect(await fires({ left: { kind: "amount", amount: 3 } })).toBe(true);
      expect(await fires({ left: { kind: "amount", amount: 2 } })).toBe(false);
      expect(await fires({ left: { kind: "attempt" } }, { sdkRetry: 3 })).toBe(true);
      expect(await fires({ left: { kind: "attempt" } }, { sdkRetry: 2 })).toBe(false);
    });

    test("stand beside fixed limits in one stop and in several, and close gates", async () => {
      await store.setLimit(quota, 5);
      const gates = [{ key: "g|" }];
      const stops = [
        { tests: [...kept().tests, ...above(100).tests], closes: null },
        {
          tests: [...above(5).tests, ...kept({ limits: [1, 0] }).tests, ...above(9).tests],
          closes: { gate: 0, ms: null },
        },
        above(10, 0, true),
      ];
      const answer = await judged({ gates, stops, limits: [quota, "other|x=y"] });
      expect(answer.fired).toEqual([1, 2]);
      expect((await judged({ gates })).closed[0]).not.toBe(null);
    });

    test("hold dollars to the last nano-dollar, and let exactly what fits go", async () => {
      await store.setLimit(quota, 9_007_199_254_740_991);
      expect((await judged()).limits).toEqual([9_007_199_254_740_991]);
      await store.setLimit(quota, 100);
      const meters = [aMeter({ key: unique("m") })];
      const answers = await Promise.all(Array.from({ length: 40 }, () => judged({ meters, stops: [kept()] })));
      expect(answers.filter(({ held }) => held)).toHaveLength(10);
    });

    test.each([
      "a*b",
      "a%7Cb",
      "[a]",
      "ü 漢 \u{1f600}",
      "q\"uo'te",
      "a\nb",
      " ",
      "unlimited",
      "__proto__",
      "constructor",
    ])("are kept for the value %j", async (value) => {
      const key = `quota|tenant=${value}`;
      await store.setLimit(key, 7);
      await store.setLimit("quota|tenant=axb", 8);
      expect((await judged({ limits: [key] })).limits).toEqual([7]);
      expect(await store.limits()).toEqual(
        new Map([
          [key, 7],
          ["quota|tenant=axb", 8],
        ]),
      );
    });

    test("refuse amounts that nothing can be compared with", async () => {
      for (const amount of [-1, 0.5, Number.NaN, 2 ** 53, Number.NEGATIVE_INFINITY]) {
        await expect(store.setLimit(quota, amount)).rejects.toThrow(RangeError);
      }
      await expect(store.setLimit("", 5)).rejects.toThrow(RangeError);
      await expect(fires({ limits: [4] })).rejects.toThrow(RangeError);
      await expect(fires({ millionths: Number.NaN })).rejects.toThrow(RangeError);
      await expect(fires({ otherwise: Number.NaN })).rejects.toThrow(RangeError);
      await expect(fires({ left: { kind: "meter", meter: 3 } })).rejects.toThrow(RangeError);
      expect(await store.limits()).toEqual(new Map());
    });

    describe("foresight", () => {
      const over = async (outcome: "success" | "failure") =>
        store.settle(aSettlement(unique("a"), bench.now(), { fingerprint: "r|f", outcome, charges: [] }));

      test("says what a judgement would say now", async () => {
        const ask = { fingerprint: "r|f", sdkRetry: null, limits: ["other|x=y", quota] };
        const agree = async () => {
          const { now, ...seen } = await store.foresee(ask);
          expect(Math.abs(now - bench.now())).toBeLessThan(2_000);
          const { attemptNumber, repeat, limits } = await judged({ ...ask, meters: [] });
          expect(seen).toEqual({ attemptNumber, repeat, limits });
          return seen;
        };
        expect(await agree()).toEqual({ attemptNumber: 0, repeat: false, limits: [null, null] });
        await store.setLimit(quota, 50);
        await over("failure");
        await over("failure");
        expect(await agree()).toEqual({ attemptNumber: 2, repeat: false, limits: [null, 50] });
        await over("success");
        await store.setLimit(quota, Number.POSITIVE_INFINITY);
        expect(await agree()).toEqual({ attemptNumber: 0, repeat: true, limits: [null, Number.POSITIVE_INFINITY] });
      });

      test("takes the SDK's own word where that is greater", async () => {
        await over("failure");
        const ask = { fingerprint: "r|f", limits: [] };
        expect((await store.foresee({ ...ask, sdkRetry: 3 })).attemptNumber).toBe(3);
        expect((await store.foresee({ ...ask, sdkRetry: 0 })).attemptNumber).toBe(1);
        expect(await store.foresee({ fingerprint: null, sdkRetry: 2, limits: [] })).toMatchObject({
          attemptNumber: 2,
          repeat: false,
          limits: [],
        });
        await expect(store.foresee({ ...ask, sdkRetry: -1 })).rejects.toThrow(RangeError);
      });

      test("changes nothing", async () => {
        await over("failure");
        for (let turn = 0; turn < 3; turn++)
          await store.foresee({ fingerprint: "r|f", sdkRetry: null, limits: [quota] });
        expect((await judged({ fingerprint: "r|f" })).attemptNumber).toBe(1);
        expect(await store.limits()).toEqual(new Map());
      });
    });
  });
}
