import { randomUUID } from "node:crypto";
import { plainSettlement } from "./plain-settlement.ts";
import type { Charge, Settlement } from "./store.ts";

/** Within a quarter of an hour all calendar windows are the same: time zones differ by whole quarters. */
const QUARTER = 900_000;

/** What was charged in one quarter of an hour. */
interface Sum {
  readonly judgedAt: number;
  readonly charges: Map<string, Charge>;
  /** By run, then by key: whom the meters that count runs have seen. */
  readonly runs: Map<string, Map<string, Charge>>;
}

/**
 * Settlements that could not be delivered yet, in order. Past its limit those in the middle are added up by quarter, key by
 * key, so that memory is bounded and no amount is lost; only their retries and repeats are no longer known and count none.
 */
export class Waiting {
  readonly #limit: number;
  #queue: Settlement[] = [];
  readonly #sums = new Map<number, Sum>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#queue.length + this.#sums.size;
  }

  push(settlement: Settlement): void {
    this.#queue.push(settlement);
    if (this.#queue.length <= this.#limit) return;
    // The first ones may be held where they will be told: only under their own names are their holds replaced.
    const [first] = this.#queue.splice(this.#limit >> 1, 1);
    if (first !== undefined) this.#addUp(first);
  }

  /** Takes out at most `count`, oldest first. */
  take(count: number): readonly Settlement[] {
    const sums = [...this.#sums.values()].flatMap(asSettlements);
    // No arguments of a call: every run has a sum of its own, and there may be more than a call can take.
    if (sums.length > 0) this.#queue = [...sums, ...this.#queue];
    this.#sums.clear();
    return this.#queue.splice(0, count);
  }

  /** Puts back, in front, what could not be delivered after all. */
  putBack(settlements: readonly Settlement[]): void {
    this.#queue.unshift(...settlements);
  }

  #addUp({ judgedAt, charges, run }: Settlement): void {
    const quarter = Math.floor(judgedAt / QUARTER);
    const sum = this.#sums.get(quarter) ?? { judgedAt, charges: new Map(), runs: new Map() };
    this.#sums.set(quarter, sum);
    for (const charge of charges) {
      const { key, window, amount } = charge;
      if (amount === "run") {
        const seen = sum.runs.get(run) ?? new Map<string, Charge>();
        sum.runs.set(run, seen.set(key, charge));
      }
      if (typeof amount !== "number") continue;
      const before = sum.charges.get(key)?.amount;
      sum.charges.set(key, { key, window, amount: amount + (typeof before === "number" ? before : 0) });
    }
  }
}

/** One settlement of what was added up, and one for each run, since a settlement has one run only. */
function asSettlements({ judgedAt, charges, runs }: Sum): readonly Settlement[] {
  const settlement = (run: string, list: readonly Charge[]): Settlement =>
    plainSettlement(`sum-${randomUUID()}`, judgedAt, list, run);
  const seen = [...runs].map(([run, list]) => settlement(run, [...list.values()]));
  return charges.size === 0 ? seen : [settlement("", [...charges.values()]), ...seen];
}
