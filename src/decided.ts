/**
 * What was decided about a call, put together for those who say so.
 * @module
 */
import type { Judged } from "./judging.ts";
import type { Plan } from "./policy/plan.ts";
import { priceTable } from "./price-table.ts";
import type { Shaped } from "./shaping.ts";
import type { Arrival, Decided } from "./telemetry/telemetry.ts";

/** The call as it was shaped, how it was judged, and how long that made it wait, ms; null where it did not. */
export interface Considered {
  readonly shaped: Shaped;
  readonly judged: Judged;
  readonly waited: { readonly hold: number | null; readonly backoff: number | null };
}

interface Circumstances {
  readonly arrival: Arrival;
  readonly plan: Plan;
  readonly refused: boolean;
  /** ms since 1970. */
  readonly now: number;
  readonly enforce: boolean;
  readonly store: Decided["store"]["kind"];
}

/** The decision with all that led to it. Time that the call waited by the policy's word is no time that the check took. */
export function decidedOf({ shaped, judged, waited }: Considered, circumstances: Circumstances): Decided {
  const { arrival, plan, refused, now, enforce, store } = circumstances;
  const [hold, backoff] = [waited.hold ?? 0, waited.backoff ?? 0];
  return {
    call: shaped.read.call,
    verdict: judged.verdict,
    cap: shaped.cap,
    route: shaped.route,
    unshaped: shaped.unshaped,
    waited: waited.hold === null && waited.backoff === null ? null : { hold: hold / 1000, backoff: backoff / 1000 },
    mode: enforce ? "enforce" : "shadow",
    refused,
    store: { kind: store, degraded: judged.degraded },
    checkSeconds: Math.max(0, now - arrival.at - hold - backoff) / 1000,
    attemptNumber: judged.attemptNumber,
    repeat: judged.repeat,
    run: judged.run,
    matched: shaped.rules.map((rule) => rule.id),
    policy: { files: plan.files, hash: plan.hash },
    priceTable: priceTable(),
  };
}
