import type { Clock } from "../clock.ts";
import { openMemory } from "./memory.ts";
import type { ClosedGate, Judgement, JudgeRequest, MeterAsk, Settlement, Store, Test } from "./store.ts";

const WHOLE = 1_000_000;
const MONEY_AND_TOKENS = new Set(["cost", "tokens", "input_tokens", "output_tokens"]);

/** The store that judges while the real one is away. */
export interface LocalStore extends Store {
  /** Whether this attempt was let go here and is not settled yet. */
  knows(attempt: string): boolean;
  /** Keeps in mind what the real store says of gates, so that a paused tenant stays paused while it is away. */
  remember(request: JudgeRequest, judgement: Judgement): void;
  rememberGate(gate: ClosedGate): void;
  forgetGates(keys: readonly string[]): void;
  /** The real store is back: gates closed here by a mere share of a limit do not outlive the outage. */
  end(): Promise<void>;
}

/**
 * A memory store on which this process judges alone while the shared one is away. Fixed limits of cost and tokens are
 * scaled to a share of them (millionths), because N processes that cannot see each other must not each spend the whole
 * budget: with the default of 5 %, twenty of them together stay within it. A run's limits stay whole, since a run
 * lives in one process; so do limits of calls, retries, repeats and concurrency, which stop loops and not budgets.
 */
export function openLocal(clock: Clock, shareMillionths: number): LocalStore {
  const store = openMemory(clock);
  const attempts = new Set<string>();
  const gates = new Map<string, ClosedGate>();

  async function judge(request: JudgeRequest): Promise<Judgement> {
    for (const { key } of request.gates) {
      const gate = gates.get(key);
      if (gate === undefined) continue;
      const left = gate.until === null ? null : gate.until - clock();
      if (left === null || left > 0) await store.close(key, left);
      gates.delete(key);
    }
    const judgement = await store.judge(scaled(request, shareMillionths));
    if (judgement.held) attempts.add(request.attempt);
    return judgement;
  }

  async function settle(settlement: Settlement): Promise<void> {
    attempts.delete(settlement.attempt);
    await store.settle(settlement);
  }

  return {
    ...store,
    judge,
    settle,
    knows: (attempt) => attempts.has(attempt),
    remember(request, judgement) {
      for (const [index, { key }] of request.gates.entries()) {
        const closed = judgement.closed[index];
        if (closed) gates.set(key, closed);
        else if (gates.size > 0) gates.delete(key);
      }
      for (const index of judgement.fired) {
        const closes = request.stops[index]?.closes;
        const gate = closes ? request.gates[closes.gate] : undefined;
        if (!closes || gate === undefined) continue;
        gates.set(gate.key, {
          key: gate.key,
          since: judgement.now,
          until: closes.ms === null ? null : judgement.now + closes.ms,
        });
      }
    },
    rememberGate: (gate) => void gates.set(gate.key, gate),
    forgetGates(keys) {
      for (const key of keys) gates.delete(key);
    },
    async end() {
      await store.open((await store.gates()).map(({ key }) => key));
    },
  };
}

/** The same request with the limits that this process may use alone. */
function scaled(request: JudgeRequest, shareMillionths: number): JudgeRequest {
  const scale = (test: Test): Test => {
    const meter = test.kind === "fixed" ? request.meters[test.meter] : undefined;
    if (test.kind !== "fixed" || meter === undefined || !isShared(meter)) return test;
    return { ...test, limit: Math.floor((test.limit * shareMillionths) / WHOLE) };
  };
  return { ...request, stops: request.stops.map((stop) => ({ ...stop, tests: stop.tests.map(scale) })) };
}

/** A budget that other processes may be spending from: `tenant.cost.hourly|acme`, but not `run.cost|r1`. */
function isShared({ key, window }: MeterAsk): boolean {
  const bar = key.indexOf("|");
  const words = (bar < 0 ? key : key.slice(0, bar)).split(/[. ]/);
  return window.kind !== "run" && !words.includes("run") && words.some((word) => MONEY_AND_TOKENS.has(word));
}
