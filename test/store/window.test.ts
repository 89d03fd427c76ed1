import { expect, test } from "vitest";
import { windowAt } from "../../src/store/window.ts";
import { DAY, HOUR, inFlight, last, run, total } from "./asks.ts";

const utc = (kind: "hourly" | "daily" | "weekly" | "monthly") => ({ kind, timezone: "UTC" });
const at = (text: string): number => Date.parse(text);

test.each([
  ["hourly", "2026-11-22T14:59:59.999Z", "2026-11-22T14", "2026-11-22T14:00:00Z", "2026-11-22T15:00:00Z"],
  ["hourly", "2026-11-22T15:00:00.000Z", "2026-11-22T15", "2026-11-22T15:00:00Z", "2026-11-22T16:00:00Z"],
  ["daily", "2026-12-31T23:59:59.999Z", "2026-12-31", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z"],
  ["weekly", "2026-11-22T12:00:00Z", "2026-11-16", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"],
  ["weekly", "2026-11-23T00:00:00Z", "2026-11-23", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"],
  ["monthly", "2028-02-29T23:59:59Z", "2028-02", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"],
  ["monthly", "2026-12-15T00:00:00Z", "2026-12", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"],
] as const)("the %s window of %s is %s", (kind, now, id, start, end) => {
  expect(windowAt(utc(kind), at(now))).toEqual({ id, start: at(start), end: at(end) });
});

test("calendar windows follow each other without gap or overlap", () => {
  for (const kind of ["hourly", "daily", "weekly", "monthly"] as const) {
    let next = windowAt(utc(kind), at("2026-10-01T00:00:00Z"));
    for (let turn = 0; turn < 60; turn++) {
      const end = next.end ?? 0;
      expect(windowAt(utc(kind), end - 1)).toEqual(next);
      next = windowAt(utc(kind), end);
      expect(next.start).toBe(end);
    }
  }
});

test("rolling and endless windows have no end and need no id", () => {
  expect(windowAt(last(HOUR), 5 * DAY)).toEqual({ id: "", start: 5 * DAY - HOUR, end: null });
  for (const window of [total, run, inFlight])
    expect(windowAt(window, 5 * DAY)).toEqual({ id: "", start: 0, end: null });
});

test("a calendar in another zone is refused and not counted in the wrong window", () => {
  expect(() => windowAt({ kind: "daily", timezone: "America/New_York" }, 0)).toThrow(
    /UTC only, not in America\/New_York/,
  );
});
