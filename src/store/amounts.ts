import type { Foresight, JudgeRequest, Settlement, Test } from "./store.ts";

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
      checkTest(request, test);
    }
    if (stop.closes !== null && request.gates[stop.closes.gate] === undefined) {
      throw new RangeError(`a stop closes gate ${stop.closes.gate}, which is not asked`);
    }
  }
}

/** Throws RangeError where a limit is to be kept that nothing can be compared with. */
export function checkLimit(key: string, amount: number | null): void {
  if (key === "") throw new RangeError("a limit is kept under a key, which must not be empty");
  if (amount === null || amount === Number.POSITIVE_INFINITY) return;
  if (!Number.isSafeInteger(amount) || amount < 0) {
    throw new RangeError(`the limit ${key} is ${amount}; it must be a whole number from 0, or unlimited`);
  }
}

/** Throws RangeError where a foresight asks for what no ledger can compare. */
export function checkForesight({ sdkRetry }: Foresight): void {
  if (sdkRetry !== null) whole(sdkRetry, "sdkRetry", "to come");
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

function checkTest(request: JudgeRequest, test: Test): void {
  switch (test.kind) {
    case "fixed":
      finite(test.limit, request);
      asked(request, test.meter);
      break;
    case "share":
      finite(test.millionths, request);
      asked(request, test.meter);
      asked(request, test.of);
      break;
    case "attempt":
      finite(test.limit, request);
      break;
    default:
      checkKept(request, test);
  }
}

function checkKept(
  request: JudgeRequest,
  { left, limits, otherwise, millionths }: Extract<Test, { kind: "kept" }>,
): void {
  finite(millionths, request);
  // No limit at all may be said as null or as infinite.
  if (otherwise !== null && otherwise !== Number.POSITIVE_INFINITY) finite(otherwise, request);
  if (left.kind === "amount") finite(left.amount, request);
  if (left.kind === "meter") asked(request, left.meter);
  for (const limit of limits) {
    if (request.limits[limit] === undefined) throw new RangeError(`a stop names limit ${limit}, which is not asked`);
  }
}

function finite(value: number, { attempt }: JudgeRequest): void {
  if (!Number.isFinite(value)) throw new RangeError(`a limit of ${attempt} is ${value}, not a number`);
}

function asked(request: JudgeRequest, meter: number): void {
  if (request.meters[meter] === undefined) throw new RangeError(`a stop names meter ${meter}, which is not asked`);
}

function whole(value: number, what: string, attempt: string): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new RangeError(`${what} of attempt ${attempt} is ${value}; amounts are whole numbers from 0`);
}
