/**
 * When room returns on a meter that no ledger keeps.
 * @module
 */
import type { Window } from "../policy/plan.ts";
import { windowAt } from "../store/window.ts";

/** When room returns on a window, ms since 1970: its end, or at the latest when all of it has rolled on. */
export function roomAt(window: Window, now: number): number | null {
  return window.kind === "last" ? now + window.ms : windowAt(window, now).end;
}
