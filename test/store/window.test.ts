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

test.each([
  // Days of 23 and 25 hours.
  ["America/New_York", "daily", "2026-03-08T12:00:00Z", "2026-03-08", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"],
  ["America/New_York", "daily", "2026-11-01T12:00:00Z", "2026-11-01", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"],
  ["America/New_York", "daily", "2026-11-23T04:59:59.999Z", "2026-11-22", "2026-11-22T05:00Z", "2026-11-23T05:00Z"],
  // The hour that comes twice, and the one that does not come.
  [
    "America/New_York",
    "hourly",
    "2026-11-01T05:59:59.999Z",
    "2026-11-01T01-04:00",
    "2026-11-01T05:00Z",
    "2026-11-01T06:00Z",
  ],
  [
    "America/New_York",
    "hourly",
    "2026-11-01T06:00:00Z",
    "2026-11-01T01-05:00",
    "2026-11-01T06:00Z",
    "2026-11-01T07:00Z",
  ],
  [
    "America/New_York",
    "hourly",
    "2026-03-08T06:59:59Z",
    "2026-03-08T01-05:00",
    "2026-03-08T06:00Z",
    "2026-03-08T07:00Z",
  ],
  [
    "America/New_York",
    "hourly",
    "2026-03-08T07:00:00Z",
    "2026-03-08T03-04:00",
    "2026-03-08T07:00Z",
    "2026-03-08T08:00Z",
  ],
  // Offsets of half hours and quarters.
  ["Asia/Kathmandu", "hourly", "2026-11-22T14:20:00Z", "2026-11-22T20+05:45", "2026-11-22T14:15Z", "2026-11-22T15:15Z"],
  ["Asia/Kathmandu", "daily", "2026-11-22T18:14:59Z", "2026-11-22", "2026-11-21T18:15Z", "2026-11-22T18:15Z"],
  ["Asia/Kolkata", "monthly", "2028-02-29T18:30:00Z", "2028-03", "2028-02-29T18:30Z", "2028-03-31T18:30Z"],
  [
    "Pacific/Chatham",
    "hourly",
    "2026-01-01T00:00:00Z",
    "2026-01-01T13+13:45",
    "2025-12-31T23:15Z",
    "2026-01-01T00:15Z",
  ],
  // Lord Howe puts its clocks back by half an hour, at 2:00 to 1:30.
  [
    "Australia/Lord_Howe",
    "hourly",
    "2026-04-04T14:59:00Z",
    "2026-04-05T01+11:00",
    "2026-04-04T14:00Z",
    "2026-04-04T15:00Z",
  ],
  [
    "Australia/Lord_Howe",
    "hourly",
    "2026-04-04T15:10:00Z",
    "2026-04-05T01+10:30",
    "2026-04-04T15:00Z",
    "2026-04-04T15:30Z",
  ],
  [
    "Australia/Lord_Howe",
    "hourly",
    "2026-10-03T15:31:00Z",
    "2026-10-04T02+11:00",
    "2026-10-03T15:30Z",
    "2026-10-03T16:00Z",
  ],
  // Days without a midnight.
  ["America/Sao_Paulo", "daily", "2018-11-04T03:00:00Z", "2018-11-04", "2018-11-04T03:00Z", "2018-11-05T02:00Z"],
  ["America/Sao_Paulo", "daily", "2018-11-04T02:59:59.999Z", "2018-11-03", "2018-11-03T03:00Z", "2018-11-04T03:00Z"],
  ["Asia/Beirut", "daily", "2022-03-26T22:00:00Z", "2022-03-27", "2022-03-26T22:00Z", "2022-03-27T21:00Z"],
  // Clocks put back over midnight: the day has begun, and does not end again.
  ["America/St_Johns", "daily", "2006-10-29T03:00:00Z", "2006-10-29", "2006-10-29T02:30Z", "2006-10-30T03:30Z"],
  ["America/St_Johns", "daily", "2006-10-29T02:30:30Z", "2006-10-29", "2006-10-29T02:30Z", "2006-10-30T03:30Z"],
  [
    "America/St_Johns",
    "hourly",
    "2006-10-29T02:30:30Z",
    "2006-10-29T00-02:30",
    "2006-10-29T02:30Z",
    "2006-10-29T02:31Z",
  ],
  ["America/Sao_Paulo", "daily", "2018-02-18T02:30:00Z", "2018-02-17", "2018-02-17T02:00Z", "2018-02-18T03:00Z"],
  // Samoa left out 30 December 2011.
  ["Pacific/Apia", "daily", "2011-12-30T09:59:59Z", "2011-12-29", "2011-12-29T10:00Z", "2011-12-30T10:00Z"],
  ["Pacific/Apia", "daily", "2011-12-30T10:00:00Z", "2011-12-31", "2011-12-30T10:00Z", "2011-12-31T10:00Z"],
  ["Pacific/Apia", "weekly", "2011-12-30T10:00:00Z", "2011-12-26", "2011-12-26T10:00Z", "2012-01-01T10:00Z"],
  // Weeks and months of a zone far from UTC.
  ["Asia/Shanghai", "weekly", "2026-11-22T15:59:59Z", "2026-11-16", "2026-11-15T16:00Z", "2026-11-22T16:00Z"],
  ["Asia/Shanghai", "weekly", "2026-11-22T16:00:00Z", "2026-11-23", "2026-11-22T16:00Z", "2026-11-29T16:00Z"],
  ["Asia/Shanghai", "monthly", "2026-12-31T16:00:00Z", "2027-01", "2026-12-31T16:00Z", "2027-01-31T16:00Z"],
  ["America/Los_Angeles", "monthly", "2028-03-01T07:59:59Z", "2028-02", "2028-02-01T08:00Z", "2028-03-01T08:00Z"],
  ["America/Los_Angeles", "monthly", "2026-03-15T00:00:00Z", "2026-03", "2026-03-01T08:00Z", "2026-04-01T07:00Z"],
  // Until 1972 Liberia was 44 minutes and 30 seconds off.
  [
    "Africa/Monrovia",
    "hourly",
    "1971-06-01T00:44:29Z",
    "1971-05-31T23-00:44:30",
    "1971-05-31T23:44:30Z",
    "1971-06-01T00:44:30Z",
  ],
] as const)("in %s the %s window of %s is %s", (timezone, kind, now, id, start, end) => {
  expect(windowAt({ kind, timezone }, at(now))).toEqual({ id, start: at(start), end: at(end) });
});

test("the windows of a year follow each other without gap or overlap in every zone, each with a name of its own", () => {
  const year = [at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")] as const;
  for (const [index, timezone] of Intl.supportedValuesOf("timeZone").entries()) {
    // Days take a while: of some zones only.
    for (const kind of index % 20 === 0 ? (["daily", "weekly", "monthly"] as const) : (["monthly"] as const)) {
      const ids = new Set<string>();
      let [next, count] = [windowAt({ kind, timezone }, year[0]), 0];
      for (; next.start < year[1]; count++) {
        ids.add(next.id);
        const after = windowAt({ kind, timezone }, next.end ?? 0);
        expect(after.start).toBe(next.end);
        next = after;
      }
      expect(ids.size).toBe(count);
    }
  }
});

test("the hours of a year follow each other without gap or overlap, each with a name of its own", () => {
  for (const timezone of ["America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "UTC"]) {
    const ids = new Set<string>();
    let [next, count] = [windowAt({ kind: "hourly", timezone }, at("2026-01-01T00:00:00Z")), 0];
    for (; next.start < at("2027-01-01T00:00:00Z"); count++) {
      ids.add(next.id);
      const after = windowAt({ kind: "hourly", timezone }, next.end ?? 0);
      expect(after.start).toBe(next.end);
      next = after;
    }
    expect(ids.size).toBe(count);
  }
});

test("a zone that does not exist is an error, and not UTC", () => {
  expect(() => windowAt({ kind: "daily", timezone: "Mars/Olympus" }, 0)).toThrow(RangeError);
});

test("the same window is one object, though calls of the last one are settled in between", () => {
  const window = { kind: "hourly", timezone: "Europe/Berlin" } as const;
  const [before, now] = [windowAt(window, at("2026-11-22T14:59Z")), windowAt(window, at("2026-11-22T15:00Z"))];
  expect(windowAt(window, at("2026-11-22T14:00Z"))).toBe(before);
  expect(windowAt(window, at("2026-11-22T15:59Z"))).toBe(now);
  expect(windowAt({ ...window, timezone: "UTC" }, at("2026-11-22T15:59Z"))).not.toBe(now);
});
