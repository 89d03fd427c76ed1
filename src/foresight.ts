/**
 * What rules that shape a call look at before the call is judged: meters, its attempt number, limits that the store keeps.
 * @module
 */
import type { Call } from "./call/call.ts";
import type { Clock } from "./clock.ts";
import { namesFor } from "./names.ts";
import { keptKeys } from "./policy/entitlement.ts";
import type { Metric, Plan, Rule } from "./policy/plan.ts";
import type { MeterState, Readings } from "./policy/readings.ts";
import { fingerprintKey, held } from "./request.ts";
import type { FallbackStore } from "./store/fallback.ts";
import type { Foreseen, MeterReading, Store } from "./store/store.ts";

export interface ForesightOptions {
  readonly plan: Plan;
  readonly store: FallbackStore;
  readonly clock: Clock;
}

/** The state of what the shaping rules among these look at; everything else reads as nothing. */
export async function foresee(options: ForesightOptions, call: Call, rules: readonly Rule[]): Promise<Readings> {
  const { plan, store } = options;
  const { meters, limits } = lookedAt(plan, call, rules);
  const keys = namesFor(plan, call.subject).meters;
  const asks = meters.map((index) => ({
    key: keys[index] ?? "",
    window: plan.meters[index]?.window ?? { kind: "total" as const },
  }));
  const foresight = { fingerprint: fingerprintKey(call), sdkRetry: call.sdkRetry, limits };
  const ask = (from: Store): Promise<readonly [readonly MeterReading[], Foreseen]> =>
    Promise.all([asks.length === 0 ? [] : from.read(asks), from.foresee(foresight)]);
  // Whatever became of the store: the judgement that follows meets it too, and says so.
  const [found, seen] = await ask(store).catch(() => ask(store.local));

  const states: MeterState[] = plan.meters.map(() => NOTHING);
  meters.forEach((meter, index) => {
    const reading = found[index];
    const metric = plan.meters[meter]?.metric;
    if (reading !== undefined && metric !== undefined) states[meter] = { ...reading, add: adds(metric, call, seen) };
  });
  const kept = new Map<string, number>();
  limits.forEach((key, index) => {
    const amount = seen.limits[index] ?? null;
    if (amount !== null) kept.set(key, amount);
  });
  return {
    now: options.clock(),
    meters: states,
    attemptNumber: seen.attemptNumber,
    closed: new Map(),
    byHand: [],
    limits: kept,
  };
}

const NOTHING: MeterState = Object.freeze({ spent: 0, held: 0, add: 0, resetsAt: null });

/** Indices of meters and keys of limits, each once. */
function lookedAt(
  plan: Plan,
  { subject }: Call,
  rules: readonly Rule[],
): { readonly meters: readonly number[]; readonly limits: readonly string[] } {
  const meters = new Set<number>();
  const limits = new Set<string>();
  for (const { shadow, actions, conditions } of rules) {
    if (shadow || !actions.some(({ kind }) => kind === "cap" || kind === "route")) continue;
    for (const { reading, limit } of conditions) {
      if (reading.kind === "meter") meters.add(reading.meter);
      if (limit.kind === "share") meters.add(limit.of);
      if (limit.kind === "named") for (const key of keptKeys(plan, limit.limit, subject)) limits.add(key);
    }
  }
  return { meters: [...meters], limits: [...limits] };
}

/** What the call would add. Whether a meter has seen its run only a judgement says: a run is taken as seen. */
function adds(metric: Metric, call: Call, seen: Foreseen): number {
  const { add } = held(metric, call);
  if (typeof add === "number") return add;
  if (add === "retry") return seen.attemptNumber > 0 ? 1 : 0;
  return add === "repeat" && seen.repeat ? 1 : 0;
}
