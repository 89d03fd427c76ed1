import type { Window } from "../policy/plan.ts";
import { isOver } from "./holds.ts";
import { counts, dueOf, type Place, placeOf, type Slots, withSpent } from "./meters.ts";
import type { JudgeRequest } from "./store.ts";
import type { Tables } from "./tables.ts";

/**
 * Distinct runs: each run counts 1 on its meter, at the moment it was last seen, so that a meter of runs is read, rolls
 * and is forgotten like any other. What is kept beside it is that moment of every run.
 */

/** Values in a place's key have no bar of their own, so the last part is the run whatever it holds. */
const runKey = (place: Place, run: string): string => `${place.key}|${run}`;

/** Whether the meter counts the run already. */
export function hasSeen(
  tables: Tables,
  place: Place,
  window: Window,
  slots: Slots | undefined,
  run: string,
  now: number,
): boolean {
  const at = slots === undefined ? undefined : tables.runs.get(runKey(place, run));
  return slots !== undefined && at !== undefined && counts(window, slots, at, now);
}

/** The meter sees the run at `now`: once more, or for the first time. */
export function markRun(tables: Tables, place: Place, window: Window, run: string, now: number): void {
  let slots = tables.meters.get(place.key);
  if (place.size < 0 || (slots === undefined && isOver(place, now))) return;
  const key = runKey(place, run);
  const before = hasSeen(tables, place, window, slots, run, now) ? tables.runs.get(key) : undefined;
  if (before !== undefined && isSame(place, before, now)) return;
  if (before !== undefined) slots = withSpent(place, slots, before, -1);
  tables.meters.set(place.key, withSpent(place, slots, now, 1), dueOf(place, now));
  tables.runs.set(key, now, window.kind === "last" ? now + window.ms + place.size : dueOf(place, now));
}

/** Whether seeing the run again changes nothing: a bucket is one moment, and so is a window that is not renewed. */
function isSame(place: Place, before: number, now: number): boolean {
  return place.size === 0 ? place.keep === 0 : Math.floor(before / place.size) >= Math.floor(now / place.size);
}

/** All meters of a judged call that count runs see its run at `now`. */
export function markRuns(tables: Tables, { meters, run }: JudgeRequest, now: number): void {
  for (const { key, window, add } of meters) {
    if (add === "run") markRun(tables, placeOf(key, window, now), window, run, now);
  }
}
