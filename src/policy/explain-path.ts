/**
 * Meters by the names that a policy gives them.
 * @module
 */
import { durationText } from "./meter.ts";
import type { Meter } from "./plan.ts";

/** `hourly`, `last 15m`; empty where the meter needs no word for it. */
export function windowWord(window: Meter["window"]): string {
  if (window.kind === "last") return `last ${durationText(window.ms)}`;
  return window.kind === "run" || window.kind === "now" ? "" : window.kind;
}

/** A meter as a policy names it: `tenant.feature.tokens.daily`, `tenant last 15m`, `run.calls`. */
export function meterPath(meter: Meter): string {
  const word = windowWord(meter.window);
  const last = meter.window.kind === "last";
  const path = [
    ...(meter.scopes.length === 0 ? ["global"] : meter.scopes),
    ...(meter.metric === "cost" && word !== "" ? [] : [meter.metric]),
    ...(last || word === "" ? [] : [word]),
  ].join(".");
  return last ? `${path} ${word}` : path;
}
