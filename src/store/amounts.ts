import type { JudgeRequest, Settlement } from "./store.ts";

/**
 * Throws RangeError where a judgement asks for something that no ledger can add up: one NaN in a counter would make
 * every later comparison false, and so every budget unlimited.
 */
export function checkRequest(request: JudgeRequest): void {
  whole(request.holdMs, "holdMs", request.attempt);
  if (request.sdkRetry !== null) whole(request.sdkRetry, "sdkRetry", request.attempt);
  for (const ask of request.meters) {
    if (typeof ask.add === "number") whole(ask.add, ask.key, request.attempt);
    whole(ask.floor, ask.key, request.attempt);
  }
  for (const stop of request.stops) {
    for (const test of stop.tests) {
      const limit = test.kind === "share" ? test.millionths : test.limit;
      if (!Number.isFinite(limit)) throw new RangeError(`a limit of ${request.attempt} is ${limit}, not a number`);
      if (test.kind !== "attempt") asked(request, test.meter);
      if (test.kind === "share") asked(request, test.of);
    }
    if (stop.closes !== null && request.gates[stop.closes.gate] === undefined) {
      throw new RangeError(`a stop closes gate ${stop.closes.gate}, which is not asked`);
    }
  }
}

/** Throws RangeError where a settlement holds what no ledger can add up. */
export function checkSettlement(settlement: Settlement): void {
  whole(settlement.judgedAt, "judgedAt", settlement.attempt);
  for (const charge of settlement.charges) {
    if (typeof charge.amount === "number") whole(charge.amount, charge.key, settlement.attempt);
  }
  for (const lesson of settlement.lessons) {
    if (!Number.isFinite(lesson.value)) throw new RangeError(`a lesson for ${lesson.key} is ${lesson.value}`);
  }
}

function asked(request: JudgeRequest, meter: number): void {
  if (request.meters[meter] === undefined) throw new RangeError(`a stop names meter ${meter}, which is not asked`);
}

function whole(value: number, what: string, attempt: string): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new RangeError(`${what} of attempt ${attempt} is ${value}; amounts are whole numbers from 0`);
}
