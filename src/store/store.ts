/**
 * What has been spent: one small interface, four ways to keep it.
 *
 *     judge   ── reads every meter and gate, and, if no stop fires, holds the call's amounts: one atomic step
 *     extend  ── a heartbeat: the holder lives, its hold must not expire
 *     settle  ── the hold becomes the bill: exactly once per attempt, however often it is said
 *     close   ── shuts a gate (a pause)            open ── and opens it again
 *     note, noted ── what one process must know of another's work
 *     read, list, gates ── what `status` shows: the same numbers that judge decides on
 *
 *         spent ───────────┐
 *         held by others ──┼── + this call's amount  >  limit ?
 *                          │
 *     A hold that no heartbeat renews expires: `floor` of it becomes spend, the rest returns to the budget.
 *
 * Amounts are integers: nano-dollars or counts. The store's own clock decides windows and expiry.
 * In: asks made from a plan and a call. Out: readings and whether the call is held.
 * @module
 */
import type { Meter, Window } from "../policy/plan.ts";

/** An amount that only the store can know, because it depends on what went before. */
export type Remembered = "retry" | "repeat" | "run";

/** One meter as it concerns one call. */
export interface MeterAsk {
  /** Meter id and the values of its scopes, without time: `tenant.cost.hourly|acme`. */
  readonly key: string;
  readonly window: Window;
  /**
   * What the call would add. `retry` and `repeat` are 1 where the store remembers the fingerprint as failed or
   * succeeded, else 0; `run` is 1 where the meter has not yet seen the call's run in its window.
   */
  readonly add: number | Remembered;
  /** How much of the hold is charged if its holder dies: the part that was surely spent. */
  readonly floor: number;
}

/** One comparison of a stop; indices point into `meters` of the same request. Strictly greater unless `orEqual`. */
export type Test =
  | { readonly kind: "fixed"; readonly meter: number; readonly limit: number; readonly orEqual: boolean }
  | {
      readonly kind: "share";
      readonly meter: number;
      readonly of: number;
      readonly millionths: number;
      readonly orEqual: boolean;
    }
  /** The attempt number of this fingerprint: 0 for a first attempt. */
  | { readonly kind: "attempt"; readonly limit: number; readonly orEqual: boolean }
  /** Against a limit that the store keeps: left * 1e6 > limit * millionths. */
  | {
      readonly kind: "kept";
      readonly left:
        | { readonly kind: "meter"; readonly meter: number }
        | { readonly kind: "attempt" }
        | { readonly kind: "amount"; readonly amount: number };
      /** Indices into `limits` of the request: the first of them that the store keeps counts. */
      readonly limits: readonly number[];
      /** Where it keeps none of them; null: no limit. */
      readonly otherwise: number | null;
      readonly millionths: number;
      readonly orEqual: boolean;
    };

/** A rule that stops calls: fires when all its tests do. No tests: it always fires. */
export interface Stop {
  readonly tests: readonly Test[];
  /** Index into `gates` of the gate that firing closes, and for how long; null closes nothing. `ms` null: until opened. */
  readonly closes: { readonly gate: number; readonly ms: number | null } | null;
}

/** A gate that would refuse this call if it were closed. */
export interface GateAsk {
  /** `<rule id>|<scope>=<value>,...`; an empty rule id is a gate closed by hand. */
  readonly key: string;
}

export interface JudgeRequest {
  readonly attempt: string;
  /** How long the hold lives without a heartbeat, ms. */
  readonly holdMs: number;
  readonly meters: readonly MeterAsk[];
  readonly stops: readonly Stop[];
  readonly gates: readonly GateAsk[];
  /** Keys of limits that the store may keep: `quota|tenant=acme`. */
  readonly limits: readonly string[];
  /** The run of the call, for meters that count runs. */
  readonly run: string;
  /** Run and fingerprint; null where the call has none. */
  readonly fingerprint: string | null;
  /** The SDK's own attempt number, null where it says none. The greater of it and the store's memory counts. */
  readonly sdkRetry: number | null;
}

/** The state of one meter. In a judgement it is the state before this call; `add` is what this call would add. */
export interface MeterReading {
  readonly spent: number;
  /** Held by others, not by this attempt. */
  readonly held: number;
  readonly add: number;
  /** When room returns: window end, or when the oldest spend leaves a rolling window. Null: never, or nothing spent. */
  readonly resetsAt: number | null;
}

export interface ClosedGate {
  readonly key: string;
  readonly since: number;
  /** Null: until someone opens it. */
  readonly until: number | null;
}

export interface Judgement {
  /** The store's clock, ms since 1970. */
  readonly now: number;
  /**
   * True where the call may go and its amounts are held (also when this attempt was held already). False with nothing
   * fired and no gate closed: the attempt was settled, or its hold expired, before it was judged again.
   */
  readonly held: boolean;
  /** In the order of `meters`. */
  readonly readings: readonly MeterReading[];
  /** Indices into `stops` that fired. */
  readonly fired: readonly number[];
  /** In the order of `gates`: those closed before this request, null where open. */
  readonly closed: readonly (ClosedGate | null)[];
  /** In the order of `limits`: the amount kept, infinite for `unlimited`, null where none is. */
  readonly limits: readonly (number | null)[];
  /** 0 for a first attempt; n where n attempts of this fingerprint failed before, or the SDK says so. */
  readonly attemptNumber: number;
  /** True where the last call with this fingerprint succeeded. */
  readonly repeat: boolean;
}

/** What an attempt really used, on one meter: a meter that the judgement named need not be charged, nor the reverse. */
export interface Charge {
  readonly key: string;
  readonly window: Window;
  /** `run`: the meter sees the call's run (again). */
  readonly amount: number | Remembered;
}

/** Without charges and outcome it is a release: the hold goes and no mark stays, so the attempt may be judged or billed anew. */
export interface Settlement {
  readonly attempt: string;
  /** The store's clock when it was judged, from the judgement: calendar windows charge the window of the call. */
  readonly judgedAt: number;
  readonly charges: readonly Charge[];
  /** The run of the call, for meters that count runs. */
  readonly run: string;
  readonly fingerprint: string | null;
  /** `none`: it never reached the provider, so the fingerprint's history does not change. */
  readonly outcome: "success" | "failure" | "none";
  /** Samples for `recall`: the value is counted in a histogram under the key. */
  readonly lessons: readonly { readonly key: string; readonly value: number }[];
}

/** One meter as `list` finds it. */
export interface MeterState {
  readonly key: string;
  readonly spent: number;
  readonly held: number;
  readonly resetsAt: number | null;
}

export type Foresight = Pick<JudgeRequest, "fingerprint" | "sdkRetry" | "limits">;

export type Foreseen = Pick<Judgement, "now" | "attemptNumber" | "repeat" | "limits">;

/** Counts of past values in buckets: `counts[i]` values were at most `BUCKETS[i]`. */
export type Histogram = readonly number[];

export interface Store {
  /** For people: `file .budget-guard/ledger.db`, `redis 127.0.0.1:6379`. */
  readonly name: string;
  readonly kind: "memory" | "file" | "redis";
  judge(request: JudgeRequest): Promise<Judgement>;
  /** Renews holds; unknown attempts are ignored. `floors`, where given, replace the floor of each held meter, in order. */
  extend(
    holds: readonly { readonly attempt: string; readonly holdMs: number; readonly floors?: readonly number[] }[],
  ): Promise<void>;
  /**
   * Replaces the hold by the charges. Idempotent by attempt. Where the hold has expired, its floor is taken off first;
   * where it was never known (a call judged while the store was away), the charges count all the same.
   * False where the attempt was settled before, by whichever process; a release leaves no mark, and is never that.
   */
  settle(settlement: Settlement): Promise<boolean>;
  close(key: string, ms: number | null): Promise<void>;
  /** Opens the gates with these keys; returns how many were closed. */
  open(keys: readonly string[]): Promise<number>;
  gates(): Promise<readonly ClosedGate[]>;
  read(asks: readonly { readonly key: string; readonly window: Window }[]): Promise<readonly MeterReading[]>;
  /** All meters of these kinds that hold anything now. */
  list(meters: readonly Meter[]): Promise<readonly MeterState[]>;
  recall(keys: readonly string[]): Promise<readonly (Histogram | null)[]>;
  /** What a judgement of this fingerprint would say now, and the limits kept: for shaping a call before it is judged. */
  foresee(ask: Foresight): Promise<Foreseen>;
  /** Keeps a limit from now on, for every process: nano-dollars or a count, infinite for `unlimited`; null forgets it. */
  setLimit(key: string, amount: number | null): Promise<void>;
  /** All limits kept, by key; not a number where what another program wrote there is no amount: it counts as not kept. */
  limits(): Promise<ReadonlyMap<string, number>>;
  /** Keeps a short text for `ms`, for every process: what is still owed for work that goes on elsewhere. */
  note(key: string, text: string, ms: number): Promise<void>;
  /** The text kept under a key; null where none is. */
  noted(key: string): Promise<string | null>;
  /** Lets what is under way finish and lets go of files and connections. */
  shut(): Promise<void>;
}
