import fc from "fast-check";
import { expect, test } from "vitest";
import { type Dated, DueQueue } from "../../src/store/due-queue.ts";

const names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
const NEVER = Number.POSITIVE_INFINITY;
const key = fc.constantFrom(...names);
const step = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), key, due: fc.option(fc.nat(20)) }),
  fc.record({ kind: fc.constant("delete" as const), key }),
  fc.record({ kind: fc.constant("due" as const), now: fc.nat(20), limit: fc.integer({ min: 1, max: 6 }) }),
);

test("the queue names exactly the keys that a scan of all would, in the same order", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 90, size: "max" }), (steps) => {
      const queue = new DueQueue<Dated>();
      const entries = new Map(names.map((name) => [name, { key: name, due: NEVER, at: -1 }]));
      const entry = (name: string): Dated => entries.get(name) ?? { key: name, due: NEVER, at: -1 };
      const all = new Map<string, number>();
      for (const one of steps) {
        if (one.kind === "set") {
          queue.set(entry(one.key), one.due ?? NEVER);
          if (one.due === null) all.delete(one.key);
          else all.set(one.key, one.due);
        } else if (one.kind === "delete") {
          queue.delete(entry(one.key));
          all.delete(one.key);
        } else {
          const scanned = [...all]
            .map(([name, due]) => ({ key: name, due }))
            .filter(({ due }) => due <= one.now)
            .sort((a, b) => a.due - b.due || (a.key < b.key ? -1 : 1));
          const found = queue.due(one.now, one.limit).map(({ key: name, due }) => ({ key: name, due }));
          expect(found).toEqual(scanned.slice(0, one.limit));
        }
      }
    }),
    { numRuns: 2_000 },
  );
});
