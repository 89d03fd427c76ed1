import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { openMemory } from "../../src/store/memory.ts";
import { aRequest, aSettlement } from "./asks.ts";
import { conformance } from "./conformance.ts";
import { handClock } from "./hand-clock.ts";

conformance("memory", true, async () => {
  const clock = handClock();
  return { store: openMemory(clock.now), now: clock.now, pass: clock.pass, end: async () => {} };
});

it("a memory store remembers 10,000 settled calls, each another question, in less than 5 MB", async () => {
  setFlagsFromString("--expose-gc");
  const gc: () => void = runInNewContext("gc");
  const store = openMemory(handClock().now);
  const calls = async (from: number, to: number): Promise<void> => {
    for (let index = from; index < to; index++) {
      const attempt = ["0123456789abcdef", index].join(".");
      const fingerprint = ["process-01234567-89ab-cdef-0123-456789abcdef", index].join("|");
      const { now, held } = await store.judge(aRequest({ attempt, fingerprint }));
      if (!held) throw new Error("a limit was reached");
      await store.settle(aSettlement(attempt, now, { fingerprint, outcome: "success" }));
    }
  };
  await calls(0, 1_000);
  gc();
  const before = process.memoryUsage().heapUsed;
  await calls(1_000, 11_000);
  gc();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(5_000_000);
  expect(await store.judge(aRequest({ attempt: "0123456789abcdef.1000" }))).toMatchObject({ held: false });
});
