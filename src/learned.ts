/**
 * What earlier calls have taught about sizes, read from the ledger and kept for a minute: no round trip per call.
 * @module
 */
import { type Learned, learn, lessonKeys } from "./call/estimate.ts";
import type { Clock } from "./clock.ts";
import { BUCKETS } from "./store/histogram.ts";
import type { Histogram, Store } from "./store/store.ts";

const FRESH_MS = 60_000;
/** Keys are made of model and feature names, which callers choose. */
const MOST = 2_000;
/** One call in twenty may be longer than its hold; its bill is counted whole all the same. */
const SHARE = 0.95;

export type Teacher = (provider: string, model: string, feature: string) => Promise<Learned>;

/** A reader of lessons with a memory of a minute. Without a store that answers it knows nothing, and estimates stay safe. */
export function teacher(store: Pick<Store, "recall">, clock: Clock): Teacher {
  const known = new Map<string, { readonly at: number; readonly histogram: Histogram | null }>();
  const fresh = (key: string): boolean => clock() - (known.get(key)?.at ?? Number.NEGATIVE_INFINITY) < FRESH_MS;
  return async function learned(provider, model, feature) {
    const { input, output } = lessonKeys(provider, model, feature);
    if (!fresh(input) || !fresh(output)) {
      // A store that is away shows itself when the call is judged; here it only means that nothing is learned.
      const found = await store.recall([input, output]).catch(() => null);
      if (known.size > MOST) known.clear();
      const at = clock();
      if (found !== null) {
        known.set(input, { at, histogram: found[0] ?? null });
        known.set(output, { at, histogram: found[1] ?? null });
      }
    }
    const recalled = (key: string): Histogram | null => known.get(key)?.histogram ?? null;
    return {
      inputMillis: ratio(learn(recalled(input), BUCKETS, SHARE)),
      outputTokens: learn(recalled(output), BUCKETS, SHARE),
    };
  };
}

/**
 * The bound of a bucket that reaches from under 1,000 (the estimate was enough) to above it says no more than that it
 * was enough; only a bucket wholly above says that estimates were too small.
 */
function ratio(bound: number | null): number | null {
  if (bound === null || bound <= 1_000) return bound;
  const below = BUCKETS[BUCKETS.indexOf(bound) - 1] ?? 0;
  return below < 1_000 ? 1_000 : bound;
}
