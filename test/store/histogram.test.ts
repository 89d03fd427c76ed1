import fc from "fast-check";
import { expect, test } from "vitest";
import { BUCKETS, bucketOf, quantile } from "../../src/store/histogram.ts";

test("the buckets are 48 growing whole numbers from 1 to 2 million tokens", () => {
  expect(BUCKETS).toHaveLength(48);
  expect([BUCKETS[0], BUCKETS.at(-1)]).toEqual([1, 2_000_000]);
  for (const [index, bound] of BUCKETS.entries()) {
    expect(Number.isInteger(bound)).toBe(true);
    if (index > 0) expect(bound).toBeGreaterThan(BUCKETS[index - 1] ?? 0);
  }
});

test("a value falls into the first bucket that it does not exceed", () => {
  for (const [index, bound] of BUCKETS.entries()) {
    expect(bucketOf(bound)).toBe(index);
    expect(bucketOf(bound + 1)).toBe(Math.min(index + 1, 47));
  }
  expect(bucketOf(0)).toBe(0);
  expect(bucketOf(1e9)).toBe(47);
});

test("a quantile is never below the true one, and at most one bucket above it", () => {
  const values = fc.array(fc.integer({ min: 1, max: 2_000_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(values, fc.double({ min: 0.01, max: 1, noNaN: true }), (list, q) => {
      const counts = BUCKETS.map(() => 0);
      for (const value of list) counts[bucketOf(value)] = (counts[bucketOf(value)] ?? 0) + 1;
      const truth = [...list].sort((a, b) => a - b)[Math.ceil(q * list.length - 1e-9) - 1] ?? 0;
      expect(quantile(counts, q)).toBe(BUCKETS[bucketOf(truth)]);
    }),
  );
});

test("nothing learned has no quantile", () => {
  expect(quantile([], 0.99)).toBe(null);
  expect(quantile([0, 0, 0], 0.5)).toBe(null);
});
