/**
 * `hold`: calls that wait for room, in lines, outside of the store.
 * In: a call that can be judged again and again. Out: the judgement that ended its wait.
 *
 *     judged ── fits, or something stricter decides ──▶ out
 *       └── hold ──▶ a line: the calls that wait for the same rules on the same meters
 *                      room may be free (a call of this process ended, a window resets, or the time to look again)
 *                      ──▶ the first of the line is judged again, and, as long as there is room, the next one
 * @module
 */
import type { Call } from "./call/call.ts";
import type { Judged } from "./judging.ts";
import { Line } from "./line.ts";
import type { Plan, Rule } from "./policy/plan.ts";
import { strictness } from "./policy/verdict.ts";
import { shortestHold } from "./policy/waits.ts";
import { hopeless, Waiter, waitingSet } from "./waiter.ts";

/** A call that may have to wait, and what can be done with it. */
export interface Attempt {
  readonly call: Call;
  readonly plan: Plan;
  /** Those whose filter holds for the call. */
  readonly rules: readonly Rule[];
  /** Judges the call; `yields`: nothing is held for it even where there is room. */
  readonly judge: (yields: boolean) => Promise<Judged>;
  /** Gives back what was held for a caller who has left meanwhile. */
  readonly release: (judged: Judged) => void;
  /** Fires when the caller leaves. */
  readonly signal: AbortSignal;
}

/** How it ended. `waitedMs` null: it did not wait. */
export interface Passed {
  readonly judged: Judged;
  readonly waitedMs: number | null;
}

export interface Holding {
  /** Judges a call, and as long as a `hold` decides, again, until it fits or the shortest hold has run out. */
  pass(attempt: Attempt): Promise<Passed>;
  /** Something was given back on these meters. */
  ring(meters: readonly string[]): void;
}

/** The lines of one process. `elapsed` gives ms that never go back. */
export function createHolding(elapsed: () => number = () => performance.now()): Holding {
  const lines = new Map<string, Line>();

  /** The lines that this call must not pass by: of rules that may hold it too, where nobody waits for more than it wants. */
  function linesBefore({ call, plan, rules }: Attempt): readonly Line[] {
    if (lines.size === 0) return [];
    const holds = rules.filter(({ shadow, actions }) => !shadow && actions.some(({ kind }) => kind === "hold"));
    const set = waitingSet(plan, call, holds);
    return [...lines.values()].filter((line) => line.isBefore(call, set));
  }

  function join(waiter: Waiter): Line {
    const key = [...waiter.set.keys()].sort().join("\n");
    let line = lines.get(key);
    if (line === undefined) {
      const made = new Line(waiter.set, elapsed, {
        crowd: () => lines.size,
        moved: (moved) => void join(moved),
        empty: () => {
          if (lines.get(key) === made) lines.delete(key);
        },
      });
      line = made;
      lines.set(key, made);
    }
    line.add(waiter);
    return line;
  }

  return {
    async pass(attempt) {
      const before = linesBefore(attempt);
      const judged = await attempt.judge(before.length > 0);
      const { verdict } = judged;
      const waits = strictness[verdict.kind] <= strictness.hold && judged.readings !== null && !judged.held;
      if (attempt.signal.aborted || !waits) return { judged, waitedMs: null };
      const own = shortestHold(verdict);
      if (own === null && before.length === 0) return { judged, waitedMs: null };
      const never = hopeless(attempt, judged);
      if (never !== null) return { judged: { ...judged, verdict: { ...verdict, decided: never } }, waitedMs: null };
      return new Promise((resolve, reject) => {
        const behind = before[0]?.set ?? new Map();
        const waiter = new Waiter(attempt, judged, behind, elapsed, { resolve, reject });
        const line = join(waiter);
        if (own === null && line.first === waiter) line.look();
      });
    },

    ring(meters) {
      if (lines.size === 0) return;
      const freed = new Set(meters);
      for (const line of lines.values()) if (line.concerns(freed)) line.look();
    },
  };
}
