import type { JudgeRequest, MeterReading, Stop, Test } from "./store.ts";

const WHOLE = 1_000_000;

/** Indices of the stops that fire on these readings; `kept`: the limits of the request; `attemptNumber` 0 for a first attempt. */
export function firedStops(
  request: JudgeRequest,
  readings: readonly MeterReading[],
  kept: readonly (number | null)[],
  attemptNumber: number,
): readonly number[] {
  const leftOf = ({ left }: KeptTest): number => {
    if (left.kind === "amount") return left.amount;
    return left.kind === "attempt" ? attemptNumber : reached(readings[left.meter]);
  };
  const fires = (test: Test): boolean => {
    if (test.kind === "attempt") return above(attemptNumber, test.limit, test.orEqual);
    if (test.kind === "kept") {
      const amount = amountOf(test, kept);
      return amount !== null && above(leftOf(test) * WHOLE, amount * test.millionths, test.orEqual);
    }
    const value = reached(readings[test.meter]);
    if (test.kind === "fixed") return above(value, test.limit, test.orEqual);
    return above(value * WHOLE, reached(readings[test.of]) * test.millionths, test.orEqual);
  };
  const fired: number[] = [];
  request.stops.forEach((stop, index) => {
    if (stop.tests.every(fires)) fired.push(index);
  });
  return fired;
}

type KeptTest = Extract<Test, { kind: "kept" }>;

/** What the store keeps under the first of the test's keys that it keeps anything for; null: no limit. */
function amountOf(test: KeptTest, kept: readonly (number | null)[]): number | null {
  for (const index of test.limits) {
    const amount = kept[index] ?? null;
    if (amount !== null) return amount === Number.POSITIVE_INFINITY ? null : amount;
  }
  return test.otherwise;
}

/** The stop's gate, closed at `now`; where several stops close one gate it stays closed for the longest time. */
export function laterOf(one: number | null | undefined, stop: Stop, now: number): number | null {
  const ms = stop.closes?.ms ?? null;
  if (ms === null || one === null) return null;
  return Math.max(one ?? 0, now + ms);
}

const above = (value: number, limit: number, orEqual: boolean): boolean => (orEqual ? value >= limit : value > limit);

/** What the meter would stand at with this call. */
const reached = (reading: MeterReading | undefined): number =>
  reading === undefined ? 0 : reading.spent + reading.held + reading.add;
