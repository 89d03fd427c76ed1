/** How many hooks are letting a request through in this very turn. */
let depth = 0;

/**
 * Runs the part of a client that makes its request, once a hook has looked at it: what the safety net hears of
 * meanwhile is no news. All clients make their requests in the turn in which they are let go, a queue of undici's too,
 * so that no asynchronous context is needed, which on Node 20 and 22 every promise of the process would pay for.
 */
export function passing<T>(fn: () => T): T {
  depth += 1;
  try {
    return fn();
  } finally {
    depth -= 1;
  }
}

/** True inside `passing`. */
export const isPassing = (): boolean => depth > 0;
