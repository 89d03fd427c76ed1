import type { Arrival, Decided, Ended, Sight, SpanPlace } from "./telemetry.ts";

/** A decision with its time: what a span is made from, now or later. */
export interface Observation {
  readonly arrival: Arrival;
  readonly decided: Decided;
  /** ms since 1970. */
  readonly decidedAt: number;
}

/** Which span an observation became, so that another process could make the very same one. */
export interface SpanIds {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
}

/** An observation as plain data, whole: refused, or ended with a bill. */
export interface Account {
  readonly observation: Observation;
  readonly ended: Ended | null;
  readonly ids: SpanIds | null;
}

/** Stands in for a span that cannot be made yet, and becomes it with its original times. */
export class HeldSight implements Sight {
  readonly observation: Observation;
  #ended: Ended | null = null;
  #sight: Sight | null = null;

  constructor(observation: Observation) {
    this.observation = observation;
  }

  run<T>(fn: () => T): T {
    return this.#sight === null ? fn() : this.#sight.run(fn);
  }

  end(ended: Ended): void {
    this.#ended = ended;
    this.#sight?.end(ended);
  }

  place(): SpanPlace | null {
    return this.#sight?.place?.() ?? null;
  }

  /** Makes the span at last; an attempt that is over by then is ended at once. */
  become(see: (observation: Observation) => Sight): void {
    this.#sight = see(this.observation);
    if (this.#ended !== null) this.#sight.end(this.#ended);
  }

  /** The whole story as data; null while the attempt is under way. */
  account(): Account | null {
    if (this.#ended === null && !this.observation.decided.refused) return null;
    return { observation: this.observation, ended: this.#ended, ids: null };
  }
}
