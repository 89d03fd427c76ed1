/**
 * Passages that need no judgement.
 * @module
 */
import type { Departure, Passage, Tap } from "./hook/exchange.ts";

/** The caller has left: what it would have been told is what any abort tells. */
export const gone = (): Passage => ({
  kind: "throw",
  error: new DOMException("This operation was aborted", "AbortError"),
});

/** What a decision wants to see of a request. */
export const WITH_BODY = Object.freeze({ body: true });
export const WITHOUT_BODY = Object.freeze({ body: false });

const NO_TAP: Tap = Object.freeze({ head() {}, chunk() {}, end() {}, fail() {} });

/** Past the guard uncounted: it cannot spend. Our own headers stay behind all the same; `tap`: who hears the answer. */
export const go = (headers: Departure["headers"], tap: Tap | null = null): Passage => ({
  kind: "go",
  body: null,
  removeHeaders: Object.keys(headers).filter((name) => name.startsWith("x-budget-")),
  tap: tap ?? NO_TAP,
  run: (fn) => fn(),
});
