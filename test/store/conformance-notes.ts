import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Bench } from "./conformance.ts";

/** What every store must do with texts that one process leaves for another. `jumps`: its clock is injected. */
export function notesConformance(name: string, jumps: boolean, make: () => Promise<Bench>): void {
  describe(`notes in the ${name} store`, () => {
    let bench: Bench;
    beforeEach(async () => {
      bench = await make();
    });
    afterEach(() => bench.end());

    test("are kept as they are until a later one replaces them", async () => {
      expect(await bench.store.noted("work|openai|batch_1")).toBeNull();
      await bench.store.note("work|openai|batch_1", '{"é": 1}', 60_000);
      expect(await bench.store.noted("work|openai|batch_1")).toBe('{"é": 1}');
      await bench.store.note("work|openai|batch_1", "settled", 60_000);
      expect(await bench.store.noted("work|openai|batch_1")).toBe("settled");
      expect(await bench.store.noted("work|openai|batch_2")).toBeNull();
    });

    test("are forgotten after their time", async () => {
      const brief = jumps ? 60_000 : 120;
      await bench.store.note("brief", "gone soon", brief);
      await bench.pass(brief + 2_000);
      // Whatever comes next tidies up.
      await bench.store.read([]);
      expect(await bench.store.noted("brief")).toBeNull();
    });
  });
}
