import { dueOf, LONGEST_HOLD, type Place, withHeld, withSpent } from "./meters.ts";
import type { Hold, Tables } from "./tables.ts";

/** A settled attempt is known for so long, ms: saying it again in that time changes nothing. */
export const SETTLED_KEPT = 6 * 3_600_000;
/** An expired attempt is known for so long, ms: a late bill in that time takes its floor off first. */
export const EXPIRED_KEPT = 86_400_000;
/** Expired holds that one operation frees at most: bounded work per call. */
export const SWEPT = 32;
/** Records of a kind that one operation forgets at most; once nothing is left, it is looked for again after so many ms. */
const FORGOTTEN = 64;
export const TIDY_MS = 1_000;

/** When a hold taken or renewed at `now` expires, ms since 1970. */
export const expiryOf = (now: number, holdMs: number): number => now + Math.min(holdMs, LONGEST_HOLD);

/** Adds the hold's amounts to its meters (sign 1), or takes them off (-1). */
export function moveHold(tables: Tables, hold: Hold, sign: 1 | -1, now: number): void {
  for (const { place, amount } of hold.meters) {
    if (amount === 0) continue;
    const slots = tables.meters.get(place.key);
    if (slots === undefined && (sign < 0 || isOver(place, now))) continue;
    tables.meters.set(place.key, withHeld(place, slots, sign * amount), dueOf(place, now));
  }
}

/** Adds the hold's floors, spent at the moment `at` (sign 1), or takes them off again (-1). */
export function moveFloors(tables: Tables, hold: Hold, sign: 1 | -1, at: number, now: number): void {
  for (const { place, floor } of hold.meters) spend(tables, place, at, sign * floor, now);
}

/** Adds to what is spent; a window so long over that it is forgotten is not made again. */
export function spend(tables: Tables, place: Place, at: number, amount: number, now: number): void {
  if (amount === 0 || place.size < 0) return;
  const slots = tables.meters.get(place.key);
  if (slots === undefined && (amount < 0 || isOver(place, now))) return;
  tables.meters.set(place.key, withSpent(place, slots, at, amount), dueOf(place, now));
}

/** Frees expired holds, a bounded number: their floors are spent, the rest returns. */
export function sweep(tables: Tables, now: number): void {
  for (const { key, value, due } of tables.holds.due(now, SWEPT)) {
    tables.holds.delete(key);
    moveHold(tables, value, -1, now);
    moveFloors(tables, value, 1, due, now);
    tables.past.set(key, { kind: "expired", at: due, hold: value }, now + EXPIRED_KEPT);
  }
}

/** Forgets windows that are over and what else was kept long enough, a bounded number; true where there may be more. */
export function tidy(tables: Tables, now: number): boolean {
  let more = false;
  for (const table of [
    tables.meters,
    tables.past,
    tables.gates,
    tables.prints,
    tables.lessons,
    tables.runs,
    tables.notes,
  ]) {
    const over = table.due(now, FORGOTTEN);
    for (const { key } of over) table.delete(key);
    more ||= over.length === FORGOTTEN;
  }
  return more;
}

/** Whether the window is so long over that what comes late is not kept any more. */
export const isOver = (place: Place, now: number): boolean => place.until !== null && place.until <= now;
