/**
 * Two policies over the same calls: which calls only one of them refuses, and what that is worth.
 * @module
 */

import type { Fate } from "./simulate.ts";
import { recordedCost } from "./tally.ts";

/** One call that only one policy refuses. */
export interface Difference {
  /** Its name in the record. */
  readonly id: string;
  /** ms since 1970. */
  readonly at: number;
  /** The rule that refused it. */
  readonly rule: string;
  /** Nano-dollars that the record shows for it. */
  readonly cost: number;
  readonly subject: Readonly<Record<string, string>>;
}

/** The calls that one policy refuses and the other lets go. */
export interface Only {
  calls: number;
  /** Nano-dollars that the record shows for them. */
  cost: number;
  readonly rules: Map<string, { calls: number; cost: number }>;
  /** The first of them. */
  readonly first: Difference[];
}

/** As many differences are told one by one. */
const LISTED = 1_000;

export class Comparison {
  readonly ours: Only = none();
  readonly theirs: Only = none();
  both = 0;
  /** A call that waits for room is decided on later than its twin under the other policy. */
  readonly #open = new Map<number, Fate>();

  /** Takes what became of a call under one policy; the second fate of a call closes it. */
  add(fate: Fate, side: "ours" | "theirs"): void {
    const other = this.#open.get(fate.index);
    if (other === undefined) {
      this.#open.set(fate.index, fate);
      return;
    }
    this.#open.delete(fate.index);
    if (fate.refused && other.refused) this.both += 1;
    else if (fate.refused) note(this[side], fate);
    else if (other.refused) note(this[side === "ours" ? "theirs" : "ours"], other);
  }
}

const none = (): Only => ({ calls: 0, cost: 0, rules: new Map(), first: [] });

function note(only: Only, fate: Fate): void {
  const cost = recordedCost(fate);
  const { recorded } = fate;
  const rule = fate.by?.rule.id ?? "";
  only.calls += 1;
  only.cost += cost;
  const before = only.rules.get(rule) ?? { calls: 0, cost: 0 };
  only.rules.set(rule, { calls: before.calls + 1, cost: before.cost + cost });
  if (only.first.length < LISTED) {
    only.first.push({ id: recorded.id, at: recorded.at, rule, cost, subject: recorded.asked.subject });
  }
}
