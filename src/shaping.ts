/**
 * `cap` before the judgement: the request is made smaller, then judged as what it has become.
 * @module
 */
import type { ReadCall } from "./call/read.ts";
import type { Recognised } from "./call/recognise.ts";
import { capOutput } from "./call/rewrite.ts";
import type { Clock } from "./clock.ts";
import { meterKey } from "./keys.ts";
import type { Readings } from "./policy/evaluate.ts";
import type { Plan, Rule } from "./policy/plan.ts";
import { shape, shapes, shapesByMeter } from "./policy/shape.ts";
import type { Fired } from "./policy/verdict.ts";
import { held } from "./request.ts";
import type { FallbackStore } from "./store/fallback.ts";
import type { Log } from "./telemetry/log.ts";

export interface Shaped {
  readonly read: ReadCall;
  /** The new body, null where the bytes stay as they came. */
  readonly body: Buffer | null;
  readonly cap: { readonly tokens: number; readonly fired: readonly Fired[] } | null;
}

export interface ShapingOptions {
  readonly plan: Plan;
  readonly store: FallbackStore;
  readonly rules: readonly Rule[];
  readonly enforce: boolean;
  readonly log: Log;
  readonly clock: Clock;
}

/** Applies the smallest cap that fires. `again` makes the estimate anew for an output limit. */
export async function shapeCall(
  options: ShapingOptions,
  read: ReadCall,
  recognised: Recognised,
  body: Buffer | null,
  again: (maxTokens: number) => ReadCall,
): Promise<Shaped> {
  const { plan, rules, enforce, log } = options;
  const { call } = read;
  const untouched: Shaped = { read, body: null, cap: null };
  if (body === null || call.spending !== "metered" || !shapes(plan)) return untouched;
  const { cap: tokens, fired } = shape(plan, call, rules, shapesByMeter(rules) ? await readings(options, read) : null);
  if (tokens === null) return untouched;
  const cap = { tokens, fired };
  // Shadow mode says what would be done and leaves the bytes alone.
  if (!enforce) return { read, body: null, cap };
  const capped = capOutput(recognised.provider, call.operation, body, tokens);
  if (capped.kind === "impossible") {
    log.once(
      `cap ${capped.why}`,
      "warn",
      `a call to ${call.model} could not be capped at ${tokens} tokens: ${capped.why}`,
    );
    return untouched;
  }
  return capped.kind === "unchanged" ? untouched : { read: again(capped.tokens), body: capped.body, cap };
}

/** The meters as they stand: shaping only makes a call smaller, so it need not be one step with the judgement. */
async function readings({ plan, store, clock }: ShapingOptions, { call }: ReadCall): Promise<Readings | null> {
  const asks = plan.meters.map((meter) => ({ key: meterKey(meter, call.subject), window: meter.window }));
  // Whatever became of the store: the judgement that follows meets it too, and says so.
  const found = await store.read(asks).catch(() => store.local.read(asks));
  const meters = found.map((reading, index) => {
    const metric = plan.meters[index]?.metric ?? "calls";
    const { add } = held(metric, call);
    return { ...reading, add: typeof add === "number" ? add : 0 };
  });
  return { now: clock(), meters, attemptNumber: call.sdkRetry ?? 0, closed: new Map(), byHand: [] };
}
