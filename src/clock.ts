/**
 * The one place that asks the time. Everything else is given a clock.
 * @module
 */

/** Milliseconds since 1970, UTC. */
export type Clock = () => number;

export const now: Clock = () => Date.now();
