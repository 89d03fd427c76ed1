/**
 * What earlier calls have taught about sizes, read from the ledger and kept for a minute: no round trip per call.
 * @module
 */
import { type Learned, learn, lessonKeys } from "./call/estimate.ts";
import type { Clock } from "./clock.ts";
import { within } from "./store/deadline.ts";
import { BUCKETS } from "./store/histogram.ts";
import type { Store } from "./store/store.ts";

const FRESH_MS = 60_000;
/** Keys are made of model and feature names, which callers choose. */
const MOST = 2_000;
/** One call in twenty may be longer than its hold; its bill is counted whole all the same. */
const SHARE = 0.95;

export type Teacher = (provider: string, model: string, feature: string) => Promise<Learned>;

type Keys = ReturnType<typeof lessonKeys>;

/**
 * A reader of lessons with a memory of a minute. It waits for the store for at most `patienceMs`: an estimate without
 * lessons is safe, only larger.
 */
export function teacher(store: Pick<Store, "recall" | "name">, clock: Clock, patienceMs = 250): Teacher {
  const known = new Map<string, { readonly at: number; readonly learned: number | null }>();
  const asking = new Map<string, Promise<void>>();
  const fresh = (key: string): boolean => clock() - (known.get(key)?.at ?? Number.NEGATIVE_INFINITY) < FRESH_MS;

  async function ask({ input, output }: Keys): Promise<void> {
    const found = await store.recall([input, output]);
    if (known.size > MOST) known.clear();
    const at = clock();
    known.set(input, { at, learned: ratio(learn(found[0] ?? null, BUCKETS, SHARE)) });
    known.set(output, { at, learned: learn(found[1] ?? null, BUCKETS, SHARE) });
  }

  /** Calls that begin together ask once; an answer that comes too late for this call serves the next. */
  function askOnce(keys: Keys): Promise<void> {
    const under = asking.get(keys.output);
    if (under !== undefined) return under;
    const asked = ask(keys).finally(() => asking.delete(keys.output));
    asking.set(keys.output, asked);
    return asked;
  }

  return async function learned(provider, model, feature) {
    const keys = lessonKeys(provider, model, feature);
    if (!fresh(keys.input) || !fresh(keys.output)) {
      // A store that is away shows itself when the call is judged; here it only means that nothing is learned.
      await within(patienceMs, store.name, askOnce(keys)).catch(() => {});
    }
    return {
      inputMillis: known.get(keys.input)?.learned ?? null,
      outputTokens: known.get(keys.output)?.learned ?? null,
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
