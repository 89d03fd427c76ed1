/**
 * Bounds as money over time: what a rule lets go in an hour, a day, eleven days and a month.
 * @module
 */
import type { Bound } from "./burn-bounds.ts";
import type { LargestCall } from "./burn-call.ts";
import type { Window } from "./plan.ts";

const HOUR = 3_600_000;

/** ms. The article's incident ran for eleven days; a month is the twelfth part of a year, 730 hours. */
export const horizons = { hour: HOUR, day: 24 * HOUR, elevenDays: 264 * HOUR, month: 730 * HOUR } as const;

export type Horizon = keyof typeof horizons;

const lengths: Readonly<Record<string, number>> = {
  hourly: HOUR,
  daily: 24 * HOUR,
  weekly: 168 * HOUR,
  monthly: 730 * HOUR,
};

/** The length of a window in ms; infinite for a run's life and for ever. */
export const lengthOf = (window: Window): number =>
  window.kind === "last" ? window.ms : (lengths[window.kind] ?? Number.POSITIVE_INFINITY);

/**
 * Nano-dollars that calls within one window of this bound cost at most, with no larger call than this one; `run`: what
 * one run burns at most. Null where the bound says nothing about money.
 */
export function moneyOf({ metric, amount }: Bound, call: LargestCall, run: number | null): number | null {
  switch (metric) {
    case "cost":
      return amount;
    case "calls":
      return amount * call.cost.nano;
    case "tokens":
      return Math.max(call.model.cost(amount, 0), call.model.cost(0, amount));
    case "runs":
      return run === null ? null : amount * run;
    default:
      return null;
  }
}

/** Nano-dollars within `ms`, counted from the start of a window: each window that begins brings the amount anew. */
export function moneyWithin(nano: number, window: Window, ms: number): number {
  const length = lengthOf(window);
  return length === Number.POSITIVE_INFINITY ? nano : nano * Math.max(1, Math.ceil(ms / length));
}
