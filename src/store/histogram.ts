import type { Histogram } from "./store.ts";

const COUNT = 48;
const LARGEST = 2_000_000;

/**
 * Upper bounds of the buckets, tokens: whole numbers in about geometric steps from 1 to 2 million. Part of the stored
 * format: a change needs a new version of the ledger.
 */
export const BUCKETS: readonly number[] = Object.freeze(bounds());

/** The bucket that a value is counted in; what is above the last bound is counted in the last. */
export function bucketOf(value: number): number {
  let low = 0;
  let high = COUNT - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= (BUCKETS[middle] ?? 0)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The bound that a share `q` (0 to 1) of the values did not exceed; null where there are no values. */
export function quantile(histogram: Histogram, q: number): number | null {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let seen = 0;
  for (const [index, count] of histogram.entries()) {
    seen += count;
    if (count > 0 && seen >= q * total) return BUCKETS[index] ?? LARGEST;
  }
  return LARGEST;
}

function bounds(): number[] {
  const list: number[] = [];
  for (let index = 0; index < COUNT; index++) {
    list.push(Math.max((list.at(-1) ?? 0) + 1, Math.round(LARGEST ** (index / (COUNT - 1)))));
  }
  return list;
}
