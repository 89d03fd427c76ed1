import type { Window } from "../policy/plan.ts";
import { type Zone, zoneOf } from "./zone.ts";

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

/** The stretch of the window that holds the moment `now` (ms since 1970): calendar windows in their zone, weeks from Monday. */
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

/** Stretches found lately, by kind and zone: nearly every call asks for the same ones, and they are slow to find. */
const lately: Readonly<Record<Calendar, Map<string, Stretch[]>>> = {
  hourly: new Map(),
  daily: new Map(),
  weekly: new Map(),
  monthly: new Map(),
};
/** The one that runs, and some before it, in which calls were judged that are settled now. */
const MOST = 4;

function calendar(kind: Calendar, zone: string, now: number): Stretch {
  const known = lately[kind].get(zone) ?? [];
  for (let index = 0; index < known.length; index++) {
    const stretch = known[index];
    if (stretch !== undefined && now >= stretch.start && now < (stretch.end ?? 0)) return stretch;
  }
  const stretch = Object.freeze(zone === "UTC" ? stretchAt(kind, now) : localStretch(kind, zoneOf(zone), now));
  lately[kind].set(zone, [stretch, ...known.slice(0, MOST - 1)]);
  return stretch;
}

interface Bounded extends Stretch {
  readonly end: number;
}

function stretchAt(kind: Calendar, now: number): Bounded {
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

/**
 * The stretch by the clocks on the walls of a zone. A day, week or month begins when the clock first shows its midnight
 * or a later time, and has then begun for good, though the clock be put back. A day that a zone leaves out has no length.
 */
function localStretch(kind: Calendar, zone: Zone, now: number): Bounded {
  if (kind === "hourly") return localHour(zone, now);
  let wall = stretchAt(kind, now + zone.offsetAt(now));
  let end = zone.reaches(wall.end);
  while (end <= now) {
    wall = stretchAt(kind, wall.end);
    end = zone.reaches(wall.end);
  }
  return { id: wall.id, start: zone.reaches(wall.start), end };
}

/** An hour ends too where the clock is put on or back: an hour that comes twice is two windows, told apart by the offset. */
function localHour(zone: Zone, now: number): Bounded {
  const offset = zone.offsetAt(now);
  const wall = stretchAt("hourly", now + offset);
  const { start, end } = zone.steadyWithin(now, wall.start - offset, wall.end - offset);
  return { id: wall.id + offsetText(offset), start, end };
}

/** `-05:00`, as in ISO 8601; with seconds where it has any, which is long ago. */
function offsetText(offset: number): string {
  const time = new Date(Math.abs(offset)).toISOString().slice(11, 19);
  return (offset < 0 ? "-" : "+") + time.replace(/:00$/, "");
}

/** A window of constant length; its id is its first moment in ISO 8601, cut to `digits`. */
function fixed(now: number, length: number, origin: number, digits: number): Bounded {
  const start = Math.floor((now - origin) / length) * length + origin;
  return { id: new Date(start).toISOString().slice(0, digits), start, end: start + length };
}

function month(now: number): Bounded {
  const date = new Date(now);
  const year = date.getUTCFullYear();
  const start = Date.UTC(year, date.getUTCMonth());
  return { id: new Date(start).toISOString().slice(0, 7), start, end: Date.UTC(year, date.getUTCMonth() + 1) };
}
