import type { Answer, Departure, Failure, Gatekeeper, Passage, Sighting, Tap } from "../../src/hook/exchange.ts";

/** What a tap was told, in order. */
export interface Told {
  status: number | null;
  heads: number;
  headers: Readonly<Record<string, string>>;
  bytes: Buffer;
  chunks: number;
  ends: number;
  failures: Failure[];
}

type Decision = (departure: Departure, signal: AbortSignal) => Passage | Promise<Passage>;

/** A gatekeeper that records what it is asked and decides as the test says. */
export class FakeGatekeeper implements Gatekeeper {
  readonly asked: string[] = [];
  readonly departures: Departure[] = [];
  readonly signals: AbortSignal[] = [];
  readonly told: Told[] = [];
  /** What was seen past every hook, and what it is refused with. */
  readonly sightings: Sighting[] = [];
  unseenError: Error | null = null;
  decision: Decision = () => this.go();
  /** Which ports are a provider's. */
  readonly ports = new Set<number>();
  hosts: ReadonlySet<string> = new Set();
  body = true;
  #ended: (() => void)[] = [];

  concerns(hostname: string, port: number, method: string, path: string): { readonly body: boolean } | null {
    this.asked.push(`${method} ${hostname}:${port}${path}`);
    return this.ports.has(port) || this.hosts.has(hostname) ? { body: this.body } : null;
  }

  async decide(departure: Departure, signal: AbortSignal): Promise<Passage> {
    this.departures.push(departure);
    this.signals.push(signal);
    return this.decision(departure, signal);
  }

  unseen(sighting: Sighting): Error | null {
    this.sightings.push(sighting);
    return this.unseenError;
  }

  go(change: Partial<Extract<Passage, { kind: "go" }>> = {}): Extract<Passage, { kind: "go" }> {
    return { kind: "go", body: null, removeHeaders: [], tap: this.#tap(), run: (fn) => fn(), ...change };
  }

  /** Resolves when as many taps as asked for have been told their end. */
  async ended(count = 1): Promise<readonly Told[]> {
    while (this.told.filter(({ ends, failures }) => ends + failures.length > 0).length < count) {
      await new Promise<void>((resolve) => this.#ended.push(resolve));
    }
    return this.told;
  }

  #tap(): Tap {
    const told: Told = {
      status: null,
      heads: 0,
      headers: {},
      bytes: Buffer.alloc(0),
      chunks: 0,
      ends: 0,
      failures: [],
    };
    this.told.push(told);
    const over = (): void => {
      for (const go of this.#ended.splice(0)) go();
    };
    return {
      head(status, headers) {
        told.status = status;
        told.heads += 1;
        told.headers = headers;
      },
      chunk(bytes) {
        told.bytes = Buffer.concat([told.bytes, bytes]);
        told.chunks += 1;
      },
      end() {
        told.ends += 1;
        over();
      },
      fail(failure) {
        told.failures.push(failure);
        over();
      },
    };
  }
}

/** A refusal as the guard words it, shortened. */
export const ANSWER: Answer = {
  status: 402,
  reason: "Payment Required",
  headers: { "content-type": "application/json", "x-should-retry": "false", "x-budget-guard": "deny" },
  body: Buffer.from('{"error":{"code":"budget_exceeded","message":"refused"}}'),
};

export const refuse = (): Passage => ({ kind: "refuse", answer: ANSWER });
