/**
 * Times on the clock of the people whose budget it is, with UTC beside them.
 * @module
 */
import { atTime, timeText } from "./words.ts";

const dates = new Map<string, Intl.DateTimeFormat>();

/** `00:00 America/New_York (05:00 UTC)` today, with its day on another one; `at` and `now` in ms since 1970. */
export function zonedTime(at: number, now: number, zone: string): string {
  return inZone(at, now, zone, timeText);
}

/** The same with its prepositions: `on 1 December at 00:00 Asia/Tokyo (30 November 15:00 UTC)`. */
export function zonedAt(at: number, now: number, zone: string): string {
  return inZone(at, now, zone, atTime);
}

function inZone(at: number, now: number, zone: string, say: typeof timeText): string {
  if (zone === "UTC") return say(at, now);
  const wall = wallClock(at, zone);
  return `${say(wall, wallClock(now, zone)).replace(/UTC$/, zone)} (${timeText(at, wall)})`;
}

/** What the clocks of the zone show, as if it were UTC: ms since 1970. */
function wallClock(at: number, zone: string): number {
  let format = dates.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    dates.set(zone, format);
  }
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  return (
    Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second")) + (at % 1000)
  );
}
