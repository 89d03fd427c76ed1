/** What the clocks on the walls of one time zone show. Moments in ms since 1970; wall times as if they were UTC. */
export interface Zone {
  /** Wall time minus UTC at this moment, ms: whole seconds, other than minutes only long ago. */
  offsetAt(moment: number): number;
  /** The first moment at which the wall clock shows `wall` or later: where clocks are put forward over it, the moment when they are. */
  reaches(wall: number): number;
  /** The stretch around `moment`, within the bounds given, in which the offset does not change. */
  steadyWithin(moment: number, from: number, to: number): { readonly start: number; readonly end: number };
}

const SECOND = 1_000;
const HOUR = 3_600_000;
/** More than any clock was ever off UTC, ms: 15:58 at most, in Manila to 1844 (tz database, `asia`). */
const FURTHEST = 17 * HOUR;

const zones = new Map<string, Zone>();

/** The time zone of an IANA name, by the tz database that Node has built in; made at first use, since that takes a while. */
export function zoneOf(name: string): Zone {
  let zone = zones.get(name);
  if (zone === undefined) {
    zone = makeZone(name);
    zones.set(name, zone);
  }
  return zone;
}

function makeZone(name: string): Zone {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: name,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });

  function offsetAt(moment: number): number {
    const whole = Math.floor(moment / SECOND) * SECOND;
    const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = format
      .format(whole)
      .split(/\D+/)
      .map(Number);
    return Date.UTC(year, month - 1, day, hour, minute, second) - whole;
  }

  /** The moment after `from` and not after `to` at which the offset of `to` begins; there is one change between them. */
  function changeBetween(from: number, to: number): number {
    const after = offsetAt(to);
    let [low, high] = [Math.floor(from / SECOND), Math.floor(to / SECOND)];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offsetAt(middle * SECOND) === after) high = middle;
      else low = middle;
    }
    return high * SECOND;
  }

  function reaches(wall: number): number {
    let from = wall - FURTHEST;
    let offset = offsetAt(from);
    while (from < wall + FURTHEST) {
      const next = from + HOUR;
      const later = offsetAt(next);
      const to = later === offset ? next : changeBetween(from, next);
      if (wall - offset < to) return Math.max(from, wall - offset);
      [from, offset] = [to, later];
    }
    throw new RangeError(`no clock in ${name} ever shows ${new Date(wall).toISOString()}`);
  }

  function steadyWithin(moment: number, from: number, to: number): { start: number; end: number } {
    const offset = offsetAt(moment);
    return {
      start: offsetAt(from) === offset ? from : changeBetween(from, moment),
      end: offsetAt(to - 1) === offset ? to : changeBetween(moment, to - 1),
    };
  }

  return Object.freeze({ offsetAt, reaches, steadyWithin });
}
