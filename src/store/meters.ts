import type { Window } from "../policy/plan.ts";
import { type Stretch, windowAt } from "./window.ts";

/**
 * What is kept of one meter, as numbers:
 *
 *     plain      held, spent
 *     rolling    held, newest bucket, 31 buckets: bucket n is at n mod 31
 *
 * A rolling window is 30 buckets long and covers parts of 31; the oldest is counted whole, so it is never under.
 * The scripts for Redis keep the same as packed doubles, and with them the sum.
 */
export type Slots = readonly number[];

/** Where and how one meter is kept, as of one moment. */
export interface Place {
  /** Key of the ask, `@`, id of the window. */
  readonly key: string;
  /** ms of a bucket of a rolling window; 0: plain; -1: counts what is in flight and never spends. */
  readonly size: number;
  /** ms that it is kept after it was last written; 0: for ever, or until `until`. */
  readonly keep: number;
  /** When it can be forgotten, ms since 1970: a calendar window lives one further window. */
  readonly until: number | null;
}

const PER_WINDOW = 30;
/** Buckets of a rolling window: 30, and the one that is half in it. */
export const RING = PER_WINDOW + 1;
const HEAD = 2;

const DAY = 86_400_000;
/** No hold lives longer without a heartbeat, ms: what a hold counts on must be kept that long. */
export const LONGEST_HOLD = DAY;
/** A run that made no call for so long is over, ms. */
const RUN_KEPT = 7 * DAY;

/** Keys name tenants and runs: enough of them for any one moment, and no more. */
const MOST_KNOWN = 1_000;
/** The places found last, by window and key: nearly every call asks for the same ones again. */
const known = new WeakMap<Window, Map<string, { readonly stretch: Stretch; readonly place: Place }>>();

/** Where the meter is kept at `now`. */
export function placeOf(key: string, window: Window, now: number): Place {
  const stretch = window.kind === "last" ? ROLLING : windowAt(window, now);
  let places = known.get(window);
  if (places === undefined) {
    places = new Map();
    known.set(window, places);
  }
  const found = places.get(key);
  if (found?.stretch === stretch) return found.place;
  const place = Object.freeze(placeIn(stretch, key, window));
  if (places.size >= MOST_KNOWN) places.clear();
  places.set(key, { stretch, place });
  return place;
}

/** Stands for the moving stretch of every rolling window, whose place never changes. */
const ROLLING: Stretch = Object.freeze({ id: "", start: 0, end: null });

function placeIn({ id, start, end }: Stretch, key: string, window: Window): Place {
  switch (window.kind) {
    case "last": {
      const size = sizeOf(window.ms);
      return { key: `${key}@`, size, keep: window.ms + size + LONGEST_HOLD, until: null };
    }
    case "now":
      return { key: `${key}@`, size: -1, keep: 2 * LONGEST_HOLD, until: null };
    case "run":
      return { key: `${key}@`, size: 0, keep: RUN_KEPT, until: null };
    case "total":
      return { key: `${key}@`, size: 0, keep: 0, until: null };
    default:
      return { key: `${key}@${id}`, size: 0, keep: 0, until: end === null ? null : 2 * end - start };
  }
}

/** When a record written now may be forgotten; by the day, so that it rarely changes. Null: never. */
export function dueOf(place: Place, now: number): number | null {
  if (place.until !== null) return place.until;
  return place.keep === 0 ? null : Math.ceil((now + place.keep) / DAY) * DAY;
}

/** What is held on the meter by all holds. */
export const heldOf = (slots: Slots | undefined): number => slots?.[0] ?? 0;

/** What is spent in the window that holds `now`. */
export function spentOf(window: Window, slots: Slots | undefined, now: number): number {
  if (slots === undefined || window.kind === "now") return 0;
  if (window.kind !== "last") return slots[1] ?? 0;
  const newest = slots[1] ?? 0;
  let sum = 0;
  for (let bucket = oldest(window.ms, slots, now); bucket <= newest; bucket++)
    sum += slots[HEAD + (bucket % RING)] ?? 0;
  return sum;
}

/** Whether what happened at the moment `at` still counts in the window that holds `now`. */
export function counts(window: Window, slots: Slots, at: number, now: number): boolean {
  return window.kind !== "last" || Math.floor(at / sizeOf(window.ms)) >= oldest(window.ms, slots, now);
}

/** When room returns, ms since 1970: at the calendar window's end, or when the oldest spend leaves a rolling window. */
export function resetsAt(window: Window, slots: Slots | undefined, now: number): number | null {
  if (window.kind !== "last") return windowAt(window, now).end;
  if (slots === undefined) return null;
  const newest = slots[1] ?? 0;
  for (let bucket = oldest(window.ms, slots, now); bucket <= newest; bucket++) {
    if ((slots[HEAD + (bucket % RING)] ?? 0) > 0) return (bucket + 1) * sizeOf(window.ms) + window.ms;
  }
  return null;
}

/** The meter with `delta` more (or less) held; never below nothing. */
export function withHeld(place: Place, slots: Slots | undefined, delta: number): Slots {
  const next = fresh(place, slots);
  next[0] = Math.max(0, (next[0] ?? 0) + delta);
  return next;
}

/** The meter with `delta` more (or less) spent at the moment `at`; what a rolling window has left behind is not added. */
export function withSpent(place: Place, slots: Slots | undefined, at: number, delta: number): Slots {
  const next = fresh(place, slots);
  if (place.size < 0) return next;
  if (place.size === 0) {
    next[1] = Math.max(0, (next[1] ?? 0) + delta);
    return next;
  }
  const bucket = Math.floor(at / place.size);
  const newest = next[1] ?? 0;
  if (bucket <= newest - RING) return next;
  for (let passed = Math.max(newest + 1, bucket - PER_WINDOW); passed <= bucket; passed++)
    next[HEAD + (passed % RING)] = 0;
  next[1] = Math.max(newest, bucket);
  const slot = HEAD + (bucket % RING);
  next[slot] = Math.max(0, (next[slot] ?? 0) + delta);
  return next;
}

/** The oldest bucket that counts at `now`. After a clock went back the newest ones lie ahead, and count too. */
function oldest(ms: number, slots: Slots, now: number): number {
  return Math.max(0, Math.floor((now - ms) / sizeOf(ms)), (slots[1] ?? 0) - PER_WINDOW);
}

/** ms of a bucket of a rolling window of `ms`. */
const sizeOf = (ms: number): number => Math.max(1, Math.ceil(ms / PER_WINDOW));

function fresh(place: Place, slots: Slots | undefined): number[] {
  if (slots !== undefined) return [...slots];
  return new Array<number>(place.size > 0 ? HEAD + RING : 2).fill(0);
}
