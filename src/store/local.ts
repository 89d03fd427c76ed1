import type { Clock } from "../clock.ts";
import { keepLimit } from "./limits.ts";
import { mapTables } from "./map-table.ts";
import { openMemory } from "./memory.ts";
import type { ClosedGate, Judgement, JudgeRequest, MeterAsk, Settlement, Store, Test } from "./store.ts";

const WHOLE = 1_000_000;
/** Limits kept in mind at most: enough for the tenants that one process serves. */
const MOST_LIMITS = 10_000;
const MONEY_AND_TOKENS = new Set(["cost", "tokens", "input_tokens", "output_tokens"]);

/** The store that judges while the real one is away. */
export interface LocalStore extends Store {
  /** Whether this attempt was let go here and is not settled yet. */
  knows(attempt: string): boolean;
  /** Keeps in mind what the real store says of gates and limits, so that a paused tenant stays paused while it is away. */
  remember(request: JudgeRequest, judgement: Judgement): void;
  rememberGate(gate: ClosedGate): void;
  forgetGates(keys: readonly string[]): void;
  /** Keeps in mind what the real store keeps as limits, in the order of their keys. */
  rememberLimits(keys: readonly string[], amounts: readonly (number | null)[]): void;
  /** The real store is back: gates closed here by a mere share of a limit do not outlive the outage. */
  end(): Promise<void>;
}

/**
 * A memory store on which this process judges alone while the shared one is away. Limits of cost and tokens are
 * scaled to a share of them (millionths), because N processes that cannot see each other must not each spend the whole
 * budget: with the default of 5 %, twenty of them together stay within it. A run's limits stay whole, since a run
 * lives in one process; so do limits of calls, retries, repeats and concurrency, which stop loops and not budgets.
 */
export function openLocal(clock: Clock, shareMillionths: number): LocalStore {
  const tables = mapTables(() => {});
  const store = openMemory(clock, tables);
  const attempts = new Set<string>();
  const gates = new Map<string, ClosedGate>();
  /** Keys of those that this outage has closed here. */
  const shut = new Set<string>();
  /** Keys of the limits known, those that were asked for last at the end. */
  const limits = new Set<string>();

  function rememberLimits(keys: readonly string[], amounts: readonly (number | null)[]): void {
    keys.forEach((key, index) => {
      const amount = amounts[index] ?? null;
      limits.delete(key);
      if (amount !== null) limits.add(key);
      keepLimit(tables, key, amount);
    });
    for (const key of limits) {
      if (limits.size <= MOST_LIMITS) break;
      limits.delete(key);
      keepLimit(tables, key, null);
    }
  }

  async function judge(request: JudgeRequest): Promise<Judgement> {
    for (const { key } of request.gates) {
      const gate = gates.get(key);
      if (gate === undefined || shut.has(key)) continue;
      const left = gate.until === null ? null : gate.until - clock();
      shut.add(key);
      if (left === null || left > 0) await store.close(key, left);
    }
    const judgement = await store.judge(scaled(request, shareMillionths));
    if (judgement.held) attempts.add(request.attempt);
    return judgement;
  }

  async function settle(settlement: Settlement): Promise<boolean> {
    attempts.delete(settlement.attempt);
    return await store.settle(settlement);
  }

  return {
    ...store,
    judge,
    settle,
    knows: (attempt) => attempts.has(attempt),
    rememberLimits,
    remember(request, judgement) {
      if (request.limits.length > 0) rememberLimits(request.limits, judgement.limits);
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
      shut.clear();
      await store.open((await store.gates()).map(({ key }) => key));
    },
  };
}

/** The same request with the limits that this process may use alone. */
function scaled(request: JudgeRequest, shareMillionths: number): JudgeRequest {
  const scale = (test: Test): Test => {
    if (test.kind !== "fixed" && test.kind !== "kept") return test;
    const meter =
      request.meters[test.kind === "fixed" ? test.meter : test.left.kind === "meter" ? test.left.meter : -1];
    if (meter === undefined || !isShared(meter)) return test;
    const share = (amount: number) => Math.floor((amount * shareMillionths) / WHOLE);
    if (test.kind === "fixed") return { ...test, limit: share(test.limit) };
    return { ...test, millionths: share(test.millionths) };
  };
  return { ...request, stops: request.stops.map((stop) => ({ ...stop, tests: stop.tests.map(scale) })) };
}

/** A budget that other processes may be spending from: `tenant.cost.hourly|acme`, but not `run.cost|r1`. */
function isShared({ key, window }: MeterAsk): boolean {
  const bar = key.indexOf("|");
  const words = (bar < 0 ? key : key.slice(0, bar)).split(/[. ]/);
  return window.kind !== "run" && !words.includes("run") && words.some((word) => MONEY_AND_TOKENS.has(word));
}
