import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Store } from "../../src/store/store.ts";
import { windowAt } from "../../src/store/window.ts";
import { aCharge, aMeter, aRequest, aSettlement, HOUR, unique } from "./asks.ts";
import type { Bench } from "./conformance.ts";

/** What every store must do with calendar windows of other zones than UTC. */
export function zonesConformance(name: string, jumps: boolean, make: () => Promise<Bench>): void {
  describe(`time zones in the ${name} store`, () => {
    let bench: Bench;
    let store: Store;
    beforeEach(async () => {
      bench = await make();
      store = bench.store;
    });
    afterEach(() => bench.end());

    const kinds = ["hourly", "daily", "weekly", "monthly"] as const;
    const zones = ["America/New_York", "Asia/Kathmandu", "Pacific/Apia", "UTC"];
    const asks = zones.flatMap((timezone) =>
      kinds.map((kind) => ({ key: `tenant.cost.${kind}@${timezone}|acme`, window: { kind, timezone } })),
    );

    test("each count for themselves, and end with their own clocks", async () => {
      const request = aRequest({ meters: asks.map((ask) => aMeter(ask)) });
      const { now, readings } = await store.judge(request);
      expect(readings.map(({ resetsAt }) => resetsAt)).toEqual(asks.map(({ window }) => windowAt(window, now).end));
      await store.settle(
        aSettlement(request.attempt, now, { charges: asks.map((ask) => aCharge({ ...ask, amount: 7 })) }),
      );
      expect((await store.read(asks)).map(({ spent, held }) => [spent, held])).toEqual(asks.map(() => [7, 0]));
      const meters = asks.map(({ key, window }) => {
        return { id: key.slice(0, key.indexOf("|")), scopes: ["tenant"], metric: "cost", window } as const;
      });
      const listed = await store.list(meters);
      expect(listed.map(({ key }) => key).sort()).toEqual(asks.map(({ key }) => key).sort());
      expect(await store.list(meters.slice(0, 1))).toMatchObject([{ key: asks[0]?.key, spent: 7 }]);
    });

    test.runIf(jumps)("keep the hour that comes twice apart, and a day of 25 hours together", async () => {
      const [hour, day] = [asks[0], asks[1]];
      if (hour === undefined || day === undefined) throw new Error("there are windows to ask for");
      const standing = async () => (await store.read([hour, day])).map(({ spent }) => spent);
      const spend = () =>
        store.settle(
          aSettlement(unique("a"), bench.now(), {
            charges: [aCharge({ ...hour, amount: 1 }), aCharge({ ...day, amount: 1 })],
          }),
        );
      const to = (text: string) => bench.pass(Date.parse(text) - bench.now());
      await to("2027-11-07T04:00:00Z");
      await spend();
      await to("2027-11-07T05:59:59.999Z");
      await spend();
      expect(await standing()).toEqual([1, 2]);
      const before = bench.now();
      await bench.pass(1);
      expect(await standing()).toEqual([0, 2]);
      await spend();
      await store.settle(aSettlement(unique("late"), before, { charges: [aCharge({ ...hour, amount: 5 })] }));
      expect(await standing()).toEqual([1, 3]);
      await bench.pass(-1);
      expect(await standing()).toEqual([6, 3]);
      await to("2027-11-08T04:59:59.999Z");
      expect((await standing())[1]).toBe(3);
      await bench.pass(1);
      expect(await standing()).toEqual([0, 0]);
    });

    test.runIf(jumps)("lose nothing held over a change of the clocks", async () => {
      const [hour] = asks;
      if (hour === undefined) throw new Error("there are windows to ask for");
      await bench.pass(Date.parse("2027-03-14T06:59:00Z") - bench.now());
      const request = aRequest({ meters: [aMeter({ ...hour, floor: 4 })], holdMs: HOUR });
      const { now, readings } = await store.judge(request);
      expect(readings[0]?.resetsAt).toBe(Date.parse("2027-03-14T07:00:00Z"));
      await bench.pass(120_000);
      expect((await store.judge(aRequest({ meters: [aMeter(hour)] }))).readings[0]).toMatchObject({
        spent: 0,
        held: 0,
      });
      await store.settle(aSettlement(request.attempt, now, { charges: [aCharge(hour)] }));
      await bench.pass(-120_000);
      expect((await store.read([hour]))[0]).toMatchObject({ spent: 10, held: 0 });
    });
  });
}
