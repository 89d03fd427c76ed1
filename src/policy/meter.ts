/**
 * Meters and their canonical names.
 * @module
 */
import type { Meter, Metric, Window } from "./plan.ts";
import { durations, scopes } from "./vocabulary.ts";

/** A meter with its scopes in canonical order and its id. */
export function makeMeter(unsorted: readonly string[], metric: Metric, window: Window): Meter {
  const sorted = Object.freeze([...unsorted].sort(byVocabulary));
  const path = [...(sorted.length === 0 ? ["global"] : sorted), metric];
  const over = windowText(window);
  return Object.freeze({
    id: `${(over === null ? path : [...path, over]).join(".")}${zoneText(window)}`,
    scopes: sorted,
    metric,
    window: Object.freeze(window),
  });
}

/** `@America/New_York`: days of different zones are different meters. UTC needs no word. */
const zoneText = (window: Window): string =>
  "timezone" in window && window.timezone !== "UTC" ? `@${window.timezone}` : "";

/** `hourly`, `last 15m`; null for a run's life and for what is in flight now, which need no word. */
export function windowText(window: Window): string | null {
  if (window.kind === "last") return `last ${durationText(window.ms)}`;
  return window.kind === "run" || window.kind === "now" ? null : window.kind;
}

/** A length in ms in the largest unit that divides it: `15m`, `90s`. */
export function durationText(ms: number): string {
  for (const [unit, size] of durations) if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  return `${ms}ms`;
}

const order = new Map<string, number>(scopes.map((scope, index) => [scope, index]));

function byVocabulary(a: string, b: string): number {
  return rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0);
}

function rank(scope: string): number {
  return order.get(scope) ?? order.size;
}
