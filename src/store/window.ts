import type { Window } from "../policy/plan.ts";

/** A stretch of time that a meter adds up. Times in ms since 1970; `end` null where it never ends or rolls. */
export interface Stretch {
  /** Part of the meter's key in the store; empty where the key needs no time. */
  readonly id: string;
  readonly start: number;
  readonly end: number | null;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
/** 1970-01-01 was a Thursday: the first Monday came four days later. */
const FIRST_MONDAY = 4 * DAY;

const FOREVER: Stretch = Object.freeze({ id: "", start: 0, end: null });

/** The stretch of the window that holds the moment `now` (ms since 1970): calendar windows in UTC, weeks from Monday. */
export function windowAt(window: Window, now: number): Stretch {
  switch (window.kind) {
    case "hourly":
    case "daily":
    case "weekly":
    case "monthly":
      return calendar(window.kind, window.timezone, now);
    case "last":
      return { id: "", start: now - window.ms, end: null };
    default:
      return FOREVER;
  }
}

type Calendar = "hourly" | "daily" | "weekly" | "monthly";

/** The stretch found last, by kind: nearly every call asks for the same one, and dates are slow to write. */
const latest = new Map<Calendar, Stretch>();

function calendar(kind: Calendar, zone: string, now: number): Stretch {
  onlyUtc(zone);
  const known = latest.get(kind);
  if (known !== undefined && known.end !== null && now >= known.start && now < known.end) return known;
  const stretch = Object.freeze(stretchAt(kind, now));
  latest.set(kind, stretch);
  return stretch;
}

function stretchAt(kind: Calendar, now: number): Stretch {
  switch (kind) {
    case "hourly":
      return fixed(now, HOUR, 0, 13);
    case "daily":
      return fixed(now, DAY, 0, 10);
    case "weekly":
      return fixed(now, WEEK, FIRST_MONDAY, 10);
    default:
      return month(now);
  }
}

/** A window of constant length; its id is its first moment in ISO 8601, cut to `digits`. */
function fixed(now: number, length: number, origin: number, digits: number): Stretch {
  const start = Math.floor((now - origin) / length) * length + origin;
  return { id: new Date(start).toISOString().slice(0, digits), start, end: start + length };
}

function month(now: number): Stretch {
  const date = new Date(now);
  const year = date.getUTCFullYear();
  const start = Date.UTC(year, date.getUTCMonth());
  return { id: new Date(start).toISOString().slice(0, 7), start, end: Date.UTC(year, date.getUTCMonth() + 1) };
}

/** The checker refuses other zones; a plan made otherwise must not be counted in wrong windows. */
function onlyUtc(zone: string): void {
  if (zone !== "UTC") throw new RangeError(`calendar windows run in UTC only, not in ${zone}`);
}
