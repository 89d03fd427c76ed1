import type { TracerProvider } from "@opentelemetry/api";
import type { Log } from "./log.ts";
import type { Account, Observation, SpanIds } from "./observation.ts";
import type { Ended } from "./telemetry.ts";

/** Spans that may be unconfirmed at a time; beyond it the oldest are left to the SDK alone. */
const MAX_UNCONFIRMED = 1_000;

/** How long an ended span waits for company before it is delivered, ms. A refusal does not wait. */
const PAUSE = 1_000;

interface Entry {
  readonly observation: Observation;
  readonly ids: SpanIds;
  ended: Ended | null;
}

/** Sees that the spans in an SDK that we started get out, and knows which have not. */
export class Delivery {
  readonly #log: Log;
  readonly #provider: TracerProvider;
  readonly #unconfirmed = new Set<Entry>();
  #timer: NodeJS.Timeout | null = null;
  #immediate = false;
  #flushing: Promise<void> | null = null;
  /** The flush after the one under way, which does not hold what has ended since. */
  #next: Promise<void> | null = null;

  constructor(provider: TracerProvider, log: Log) {
    this.#provider = provider;
    this.#log = log;
  }

  /** Notes a span; what it returns is told of the bill. */
  watch(observation: Observation, ids: SpanIds): (ended: Ended) => void {
    const entry: Entry = { observation, ids, ended: null };
    if (this.#unconfirmed.size >= MAX_UNCONFIRMED) {
      const [oldest] = this.#unconfirmed;
      if (oldest !== undefined) this.#unconfirmed.delete(oldest);
    }
    this.#unconfirmed.add(entry);
    if (observation.decided.refused) this.#soon();
    return (ended) => {
      entry.ended = ended;
      this.#timer ??= setTimeout(() => void this.flush(), PAUSE).unref();
    };
  }

  /** Delivers what has ended so far. Never rejects; what a collector did not take is reported once and given up. */
  flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#flushing === null) {
      this.#flushing = this.#deliver();
      return this.#flushing;
    }
    this.#next ??= this.#flushing.then(() => {
      this.#next = null;
      return this.flush();
    });
    return this.#next;
  }

  /** What has ended and was not delivered. */
  leftovers(): readonly Account[] {
    return [...this.#unconfirmed].filter(isWhole);
  }

  async #deliver(): Promise<void> {
    const batch = [...this.#unconfirmed].filter(isWhole);
    try {
      await flushProvider(this.#provider);
    } catch (error) {
      this.#log.once("telemetry.delivery", "warn", `spans could not be delivered: ${String(error)}`);
    }
    for (const entry of batch) this.#unconfirmed.delete(entry);
    this.#flushing = null;
  }

  #soon(): void {
    if (this.#immediate) return;
    this.#immediate = true;
    setImmediate(() => {
      this.#immediate = false;
      void this.flush();
    });
  }
}

/** Asks a provider, or the one behind the API's proxy, to deliver what it holds; the API has no word for it. */
export async function flushProvider(provider: object): Promise<void> {
  if ("forceFlush" in provider && typeof provider.forceFlush === "function") {
    await provider.forceFlush();
  } else if ("getDelegate" in provider && typeof provider.getDelegate === "function") {
    const delegate: unknown = provider.getDelegate();
    if (typeof delegate === "object" && delegate !== null && delegate !== provider) await flushProvider(delegate);
  }
}

function isWhole(entry: Entry): boolean {
  return entry.ended !== null || entry.observation.decided.refused;
}
