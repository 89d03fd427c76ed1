import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { type Stretch, windowAt } from "../../src/store/window.ts";
import { DAY, HOUR } from "./asks.ts";

const MINUTE = 60_000;
const own = process.env.TZ;
afterAll(() => inZone(own));

/** Lets `Date` show the clocks of a zone: the engine's own way to local time, apart from Intl's formats. */
function inZone(zone: string | undefined): void {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
}

const pad = (value: number, digits = 2): string => `${value}`.padStart(digits, "0");
const dateText = (year: number, month: number, day: number): string => `${pad(year, 4)}-${pad(month)}-${pad(day)}`;

/** What the clock and the calendar on the wall say, as a name that sorts by time. */
function wallName(kind: string, moment: number): string {
  const date = new Date(moment);
  const [year, month, day] = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  if (kind === "daily") return dateText(year, month, day);
  if (kind === "monthly") return dateText(year, month, day).slice(0, 7);
  const monday = new Date(Date.UTC(year, month - 1, day - ((date.getDay() + 6) % 7)));
  return monday.toISOString().slice(0, 10);
}

function hourName(moment: number): string {
  const date = new Date(moment);
  const west = date.getTimezoneOffset();
  const offset = `${west > 0 ? "-" : "+"}${pad(Math.floor(Math.abs(west) / 60))}:${pad(Math.abs(west) % 60)}`;
  return `${dateText(date.getFullYear(), date.getMonth() + 1, date.getDate())}T${pad(date.getHours())}${offset}`;
}

/** Looks at the wall minute by minute: an hour lasts as long as nothing about it changes. */
function hourByMinutes(now: number): Stretch {
  const id = hourName(now);
  let start = Math.floor(now / MINUTE) * MINUTE;
  let end = start + MINUTE;
  while (hourName(start - MINUTE) === id) start -= MINUTE;
  while (hourName(end) === id) end += MINUTE;
  return { id, start, end };
}

/** Looks at the wall minute by minute: what has begun goes on until something later begins. */
function stretchByMinutes(kind: string, now: number): Stretch {
  const longest = { daily: 2, weekly: 8, monthly: 33 }[kind] ?? 0;
  let at = Math.floor(now / MINUTE) * MINUTE - longest * DAY;
  let [id, start] = ["", at];
  for (; ; at += MINUTE) {
    const name = wallName(kind, at);
    if (name <= id) continue;
    if (at > now) return { id, start, end: at };
    [id, start] = [name, at];
  }
}

const zones = Intl.supportedValuesOf("timeZone");
const lively = [
  "America/St_Johns",
  "America/Sao_Paulo",
  "Asia/Beirut",
  "Africa/Cairo",
  "Pacific/Apia",
  "America/Havana",
];
const zone = fc.oneof(
  fc.constantFrom(...zones),
  fc.constantFrom(...lively, "Australia/Lord_Howe", "Asia/Shanghai", "America/New_York", "Africa/Casablanca"),
);

/** A moment from 1975 to 2035, mostly about a change of the zone's clocks or the end of a month. */
const moment = fc.record({
  day: fc.integer({ min: Date.UTC(1975, 0) / DAY, max: Date.UTC(2035, 0) / DAY }),
  about: fc.constantFrom("any", "change", "change", "month"),
  off: fc.oneof(fc.integer({ min: -26 * HOUR, max: 26 * HOUR }), fc.integer({ min: -2 * HOUR, max: 2 * HOUR })),
});

/** The zone must be set. */
function momentOf({ day, about, off }: typeof moment extends fc.Arbitrary<infer T> ? T : never): number {
  const start = day * DAY;
  if (about === "month") return Date.UTC(new Date(start).getUTCFullYear(), new Date(start).getUTCMonth()) + off;
  if (about === "any") return start + off;
  const offset = (at: number) => new Date(at).getTimezoneOffset();
  for (let at = start; at < start + 370 * DAY; at += DAY) {
    if (offset(at) === offset(at + DAY)) continue;
    let minute = at;
    while (offset(minute) === offset(at)) minute += MINUTE;
    return minute + off;
  }
  return start + off;
}

test.each(["hourly", "daily", "weekly", "monthly"] as const)(
  "%s windows are what the clocks on the walls say, in every zone and at every moment",
  (kind) => {
    fc.assert(
      fc.property(zone, moment, (timezone, when) => {
        inZone(timezone);
        const now = momentOf(when);
        const expected = kind === "hourly" ? hourByMinutes(now) : stretchByMinutes(kind, now);
        expect(windowAt({ kind, timezone }, now)).toEqual(expected);
        expect(windowAt({ kind, timezone }, expected.start)).toEqual(expected);
        expect(windowAt({ kind, timezone }, (expected.end ?? 0) - 1)).toEqual(expected);
      }),
      { numRuns: kind === "monthly" ? 60 : kind === "weekly" ? 150 : 400 },
    );
  },
);
