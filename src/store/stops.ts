import type { JudgeRequest, MeterReading, Stop, Test } from "./store.ts";

const WHOLE = 1_000_000;

/** Indices of the stops that fire on these readings; `attemptNumber` as judged, 0 for a first attempt. */
export function firedStops(
  request: JudgeRequest,
  readings: readonly MeterReading[],
  attemptNumber: number,
): readonly number[] {
  const fires = (test: Test): boolean => {
    if (test.kind === "attempt") return above(attemptNumber, test.limit, test.orEqual);
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
