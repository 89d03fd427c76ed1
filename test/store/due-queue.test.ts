import fc from "fast-check";
import { expect, test } from "vitest";
import { DueQueue } from "../../src/store/due-queue.ts";

const key = fc.constantFrom("a", "b", "c", "d", "e");
const step = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), key, due: fc.option(fc.nat(20)) }),
  fc.record({ kind: fc.constant("delete" as const), key }),
  fc.record({ kind: fc.constant("due" as const), now: fc.nat(20), limit: fc.integer({ min: 1, max: 6 }) }),
);

test("the queue names exactly the keys that a scan of all would, in the same order", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const queue = new DueQueue();
      const all = new Map<string, number>();
      for (const one of steps) {
        if (one.kind === "set") {
          queue.set(one.key, one.due);
          if (one.due === null) all.delete(one.key);
          else all.set(one.key, one.due);
        } else if (one.kind === "delete") {
          queue.delete(one.key);
          all.delete(one.key);
        } else {
          const scanned = [...all]
            .map(([name, due]) => ({ key: name, due }))
            .filter(({ due }) => due <= one.now)
            .sort((a, b) => a.due - b.due || (a.key < b.key ? -1 : 1));
          expect(queue.due(one.now, one.limit)).toEqual(scanned.slice(0, one.limit));
        }
      }
    }),
    { numRuns: 2_000 },
  );
});
