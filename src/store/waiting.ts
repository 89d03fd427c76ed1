import { randomUUID } from "node:crypto";
import type { Charge, Settlement } from "./store.ts";

const HOUR = 3_600_000;

/**
 * Settlements that could not be delivered yet, in order. Past its limit the oldest are added up by hour, key by key, so
 * that memory is bounded and no amount is lost; only their retries and repeats are no longer known and count none.
 */
export class Waiting {
  readonly #limit: number;
  readonly #queue: Settlement[] = [];
  /** By the hour of judgement: within an hour all calendar windows are the same. */
  readonly #sums = new Map<number, { readonly judgedAt: number; readonly charges: Map<string, Charge> }>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#queue.length + this.#sums.size;
  }

  push(settlement: Settlement): void {
    this.#queue.push(settlement);
    if (this.#queue.length <= this.#limit) return;
    const oldest = this.#queue.shift();
    if (oldest !== undefined) this.#addUp(oldest);
  }

  /** Takes out at most `count`, oldest first. */
  take(count: number): readonly Settlement[] {
    for (const [hour, { judgedAt, charges }] of [...this.#sums].reverse()) {
      this.#sums.delete(hour);
      const attempt = `sum-${randomUUID()}`;
      const rest = { fingerprint: null, outcome: "none", lessons: [] } as const;
      this.#queue.unshift({ attempt, judgedAt, charges: [...charges.values()], ...rest });
    }
    return this.#queue.splice(0, count);
  }

  /** Puts back, in front, what could not be delivered after all. */
  putBack(settlements: readonly Settlement[]): void {
    this.#queue.unshift(...settlements);
  }

  #addUp({ judgedAt, charges }: Settlement): void {
    const hour = Math.floor(judgedAt / HOUR);
    const sum = this.#sums.get(hour) ?? { judgedAt, charges: new Map<string, Charge>() };
    this.#sums.set(hour, sum);
    for (const { key, window, amount } of charges) {
      if (typeof amount !== "number") continue;
      const before = sum.charges.get(key)?.amount;
      sum.charges.set(key, { key, window, amount: amount + (typeof before === "number" ? before : 0) });
    }
  }
}
