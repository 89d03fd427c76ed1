/**
 * One recorded call for tests: $0.01 in success, unless wished otherwise.
 * @module
 */
import type { Recorded } from "../../src/backtest/recorded.ts";
import { usage } from "../../src/call/usage.ts";
import { aCall, aCost, type CallWishes } from "../support/a-call.ts";

export interface RecordedWishes extends Partial<Omit<Recorded, "asked">> {
  readonly asked?: CallWishes;
}

/** A call of the guard's own record; it takes no time. */
export function aRecorded({ asked: wishes, ...rest }: RecordedWishes = {}): Recorded {
  const asked = aCall({ fingerprint: null, ...wishes });
  return {
    id: asked.attempt,
    at: 0,
    tookMs: 0,
    asked,
    leftFor: asked.model,
    bill: {
      usage: usage({ inputTokens: asked.inputTokens, outputTokens: asked.outputTokens }),
      cost: aCost({ input: asked.cost.total }),
      source: "local",
      unpriced: false,
      model: asked.model,
      responseId: null,
      finishReasons: [],
      serviceTier: null,
    },
    outcome: { kind: "success", status: 200 },
    refused: false,
    attemptNumber: 0,
    repeat: false,
    tellsRepeats: false,
    parent: null,
    guarded: true,
    ...rest,
  };
}
