import fc from "fast-check";
import { expect, test } from "vitest";
import { openMemory } from "../../src/store/memory.ts";
import { above, aCharge, aMeter, aRequest, aSettlement, HOUR, hourly, last, total } from "./asks.ts";
import { handClock } from "./hand-clock.ts";

const ROLL = 30 * 60_000;
const asks = [
  { key: "hour|a", window: hourly },
  { key: "roll|a", window: last(ROLL) },
  { key: "ever|a", window: total },
];

/** Often about a whole number of buckets, which are a minute long: the oldest one that counts must be met too. */
const pass = fc.oneof(
  fc.nat(20 * 60_000),
  fc.tuple(fc.nat(31), fc.constantFrom(1, 20_000, 40_000, 59_999)).map(([minutes, more]) => minutes * 60_000 + more),
);

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("judge" as const), add: fc.nat(50), floor: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("settle" as const), which: fc.nat(30), amount: fc.nat(60) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("beat" as const), which: fc.nat(30) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: pass }) },
);

interface Known {
  readonly attempt: string;
  readonly judgedAt: number;
  readonly add: number;
  readonly floor: number;
  expires: number;
  state: "held" | "expired" | "settled";
}

test("every reading is what a plain list of all that happened adds up to, and the limit is never passed", async () => {
  const HOLD = 10 * 60_000;
  const LIMIT = 200;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
      const clock = handClock();
      const store = openMemory(clock.now);
      const calls: Known[] = [];
      const spent: { judgedAt: number; at: number; amount: number; attempt: string }[] = [];
      /** What the reference says has happened by now. */
      const expire = () => {
        for (const call of calls) {
          if (call.state !== "held" || call.expires > clock.now()) continue;
          call.state = "expired";
          spent.push({ judgedAt: call.judgedAt, at: call.expires, amount: call.floor, attempt: call.attempt });
        }
      };
      for (const [index, one] of steps.entries()) {
        if (one.kind === "pass") await clock.pass(one.ms);
        expire();
        const call = "which" in one ? calls[one.which % Math.max(1, calls.length)] : undefined;
        if (one.kind === "judge") {
          const floor = Math.min(one.floor, one.add);
          const meters = asks.map((ask) => aMeter({ ...ask, add: one.add, floor }));
          const attempt = `${index}`;
          const before = await store.read(asks);
          const answer = await store.judge(aRequest({ attempt, holdMs: HOLD, meters, stops: [above(LIMIT, 0)] }));
          expect(answer.readings.map(({ spent, held }) => [spent, held])).toEqual(
            before.map(({ spent, held }) => [spent, held]),
          );
          const [hour] = answer.readings;
          expect(answer.held).toBe((hour?.spent ?? 0) + (hour?.held ?? 0) + one.add <= LIMIT);
          const judgedAt = clock.now();
          if (answer.held)
            calls.push({ attempt, judgedAt, add: one.add, floor, expires: judgedAt + HOLD, state: "held" });
        } else if (one.kind === "settle" && call !== undefined) {
          const charges = asks.map((ask) => aCharge({ ...ask, amount: one.amount }));
          await store.settle(aSettlement(call.attempt, call.judgedAt, { charges }));
          if (call.state !== "settled") {
            for (const entry of spent) if (entry.attempt === call.attempt) entry.amount = 0;
            spent.push({ judgedAt: call.judgedAt, at: clock.now(), amount: one.amount, attempt: call.attempt });
            call.state = "settled";
          }
        } else if (one.kind === "beat" && call !== undefined) {
          await store.extend([{ attempt: call.attempt, holdMs: HOLD }]);
          if (call.state !== "settled") {
            for (const entry of spent) if (entry.attempt === call.attempt) entry.amount = 0;
            call.state = "held";
            call.expires = clock.now() + HOLD;
          }
        }
        const now = clock.now();
        const sum = (those: (entry: (typeof spent)[number]) => boolean) =>
          spent.filter(those).reduce((total, { amount }) => total + amount, 0);
        const inHour = (time: number) => Math.floor(time / HOUR) === Math.floor(now / HOUR);
        const held = (those: (call: Known) => boolean) =>
          calls.filter((call) => call.state === "held" && those(call)).reduce((total, { add }) => total + add, 0);
        const [hour, roll, ever] = await store.read(asks);
        expect(hour).toMatchObject({
          spent: sum(({ judgedAt }) => inHour(judgedAt)),
          held: held((c) => inHour(c.judgedAt)),
        });
        expect(ever).toMatchObject({ spent: sum(() => true), held: held(() => true) });
        expect(roll?.held).toBe(held(() => true));
        // Never under: all of the window counts, and at most the one bucket that is half out of it.
        expect(roll?.spent).toBeGreaterThanOrEqual(sum(({ at }) => at > now - ROLL));
        expect(roll?.spent).toBeLessThanOrEqual(sum(({ at }) => at > now - ROLL - ROLL / 30));
      }
    }),
    { numRuns: 300 },
  );
});
