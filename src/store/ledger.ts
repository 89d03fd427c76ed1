import type { Clock } from "../clock.ts";
import type { Meter, Window } from "../policy/plan.ts";
import { checkRequest, checkSettlement } from "./amounts.ts";
import { BUCKETS, bucketOf } from "./histogram.ts";
import { expiryOf, moveFloors, moveHold, SETTLED_KEPT, spend, sweep, TIDY_MS, tidy } from "./holds.ts";
import { dueOf, heldOf, placeOf, resetsAt, type Slots, spentOf } from "./meters.ts";
import { firedStops, laterOf } from "./stops.ts";
import type {
  ClosedGate,
  Histogram,
  Judgement,
  JudgeRequest,
  MeterReading,
  MeterState,
  Settlement,
  Store,
} from "./store.ts";
import type { Gate, HeldMeter, Hold, Print, Tables } from "./tables.ts";

/** A fingerprint is remembered for so long after it was last settled, ms. */
const PRINT_KEPT = 86_400_000;
/** What was learned is kept for so long after it was last added to, ms. */
const LESSON_KEPT = 30 * 86_400_000;

type Extension = Parameters<Store["extend"]>[0][number];

/** The ledger's rules, once, over whatever keeps the tables. Every method is one atomic step. */
export class Ledger {
  readonly #tables: Tables;
  readonly #clock: Clock;
  #tidied = 0;

  constructor(tables: Tables, clock: Clock) {
    this.#tables = tables;
    this.#clock = clock;
  }

  judge(request: JudgeRequest): Judgement {
    checkRequest(request);
    return Object.freeze(this.#tables.atomic(() => this.#judge(request, this.#clock())));
  }

  extend(holds: readonly Extension[]): void {
    this.#tables.atomic(() => {
      const now = this.#clock();
      for (const hold of holds) this.#extend(hold, now);
    });
  }

  settle(settlement: Settlement): void {
    checkSettlement(settlement);
    this.#tables.atomic(() => this.#settle(settlement, this.#clock()));
  }

  close(key: string, ms: number | null): void {
    this.#tables.atomic(() => {
      const now = this.#clock();
      this.#shut(key, now, ms === null ? null : now + ms);
    });
  }

  open(keys: readonly string[]): number {
    return this.#tables.atomic(() => {
      const now = this.#clock();
      const closed = keys.filter((key) => this.#closed(key, now) !== null);
      for (const key of keys) this.#tables.gates.delete(key);
      return closed.length;
    });
  }

  gates(): readonly ClosedGate[] {
    return this.#tables.atomic(() => {
      const now = this.#clock();
      return [...this.#tables.gates.entries("")].flatMap(([key, gate]) =>
        isShut(gate, now) ? [{ key, ...gate }] : [],
      );
    });
  }

  read(asks: readonly { readonly key: string; readonly window: Window }[]): readonly MeterReading[] {
    return this.#tables.atomic(() => {
      const now = this.#clock();
      this.#sweep(now);
      return asks.map(({ key, window }) => {
        const slots = this.#tables.meters.get(placeOf(key, window, now).key);
        return reading(window, slots, now, 0, 0);
      });
    });
  }

  list(meters: readonly Meter[]): readonly MeterState[] {
    return this.#tables.atomic(() => {
      const now = this.#clock();
      this.#sweep(now);
      return meters.flatMap((meter) => this.#states(meter, now));
    });
  }

  recall(keys: readonly string[]): readonly (Histogram | null)[] {
    return this.#tables.atomic(() => keys.map((key) => this.#tables.lessons.get(key) ?? null));
  }

  #judge(request: JudgeRequest, now: number): Judgement {
    this.#sweep(now);
    const own = this.#tables.holds.get(request.attempt);
    this.#tables.meters.load?.(request.meters.map(({ key, window }) => placeOf(key, window, now).key));
    const { attemptNumber, repeat } = own ?? this.#history(request.fingerprint, request.sdkRetry);
    const held: HeldMeter[] = [];
    const readings = request.meters.map((ask): MeterReading => {
      const place = placeOf(ask.key, ask.window, now);
      const mine = own?.meters.find((meter) => meter.place.key === place.key)?.amount ?? 0;
      const amount = resolve(ask.add, attemptNumber, repeat);
      held.push({ place, amount, floor: amount === 0 ? 0 : ask.floor });
      return reading(ask.window, this.#tables.meters.get(place.key), now, mine, amount);
    });
    const answer = { now, readings, attemptNumber, repeat };
    const open = request.gates.map(() => null);
    if (own !== undefined) return { ...answer, held: true, fired: [], closed: open };
    const closed = request.gates.map(({ key }) => this.#closed(key, now));
    const settled = this.#tables.past.get(request.attempt) !== undefined;
    if (settled || closed.some((gate) => gate !== null)) return { ...answer, held: false, fired: [], closed };
    const fired = firedStops(request, readings, attemptNumber);
    if (fired.length > 0) {
      this.#trip(request, fired, now);
      return { ...answer, held: false, fired, closed };
    }
    const hold: Hold = { attemptNumber, repeat, meters: held };
    this.#tables.holds.set(request.attempt, hold, expiryOf(now, request.holdMs));
    moveHold(this.#tables, hold, 1, now);
    return { ...answer, held: true, fired, closed };
  }

  #sweep(now: number): void {
    sweep(this.#tables, now);
    if (Math.abs(now - this.#tidied) < TIDY_MS) return;
    this.#tidied = now;
    tidy(this.#tables, now);
  }

  #trip(request: JudgeRequest, fired: readonly number[], now: number): void {
    const until = new Map<string, number | null>();
    for (const index of fired) {
      const stop = request.stops[index];
      const gate = stop?.closes ? request.gates[stop.closes.gate] : undefined;
      if (stop !== undefined && gate !== undefined) until.set(gate.key, laterOf(until.get(gate.key), stop, now));
    }
    for (const [key, end] of until) this.#shut(key, now, end);
  }

  #extend({ attempt, holdMs, floors }: Extension, now: number): void {
    const { holds, past } = this.#tables;
    const gone = past.get(attempt);
    const known = holds.get(attempt) ?? (gone?.kind === "expired" ? gone.hold : undefined);
    if (known === undefined) return;
    const meters = known.meters.map((meter, index) => {
      return meter.amount === 0 ? meter : { ...meter, floor: floors?.[index] ?? meter.floor };
    });
    if (gone?.kind === "expired") {
      // Its holder was only asleep: what was freed is held again.
      past.delete(attempt);
      moveFloors(this.#tables, known, -1, gone.at, now);
      moveHold(this.#tables, known, 1, now);
    } else {
      this.#keep(known, now);
    }
    holds.set(attempt, { ...known, meters }, expiryOf(now, holdMs));
  }

  /** Meters under a living hold are not forgotten. */
  #keep(hold: Hold, now: number): void {
    for (const { place } of hold.meters) {
      const slots = place.keep === 0 ? undefined : this.#tables.meters.get(place.key);
      if (slots !== undefined) this.#tables.meters.set(place.key, slots, dueOf(place, now));
    }
  }

  #settle(settlement: Settlement, now: number): void {
    const { holds, past } = this.#tables;
    const { attempt, charges, fingerprint, outcome } = settlement;
    const own = holds.get(attempt);
    const gone = past.get(attempt);
    if (gone?.kind === "settled") return;
    this.#tables.meters.load?.(charges.map(({ key, window }) => placeOf(key, window, settlement.judgedAt).key));
    if (own !== undefined) {
      holds.delete(attempt);
      moveHold(this.#tables, own, -1, now);
    }
    if (gone?.kind === "expired") moveFloors(this.#tables, gone.hold, -1, gone.at, now);
    const { attemptNumber, repeat } = own ?? (gone?.kind === "expired" ? gone.hold : this.#history(fingerprint, null));
    for (const { key, window, amount } of charges) {
      const place = placeOf(key, window, settlement.judgedAt);
      spend(this.#tables, place, now, resolve(amount, attemptNumber, repeat), now);
    }
    // A release (no charges, no outcome) leaves no mark: the same attempt may still be judged or billed.
    if (charges.length > 0 || outcome !== "none") past.set(attempt, { kind: "settled" }, now + SETTLED_KEPT);
    else past.delete(attempt);
    if (fingerprint !== null && outcome !== "none") this.#remember(fingerprint, outcome === "success", now);
    for (const { key, value } of settlement.lessons) this.#learn(key, value, now);
  }

  #history(fingerprint: string | null, sdkRetry: number | null): { attemptNumber: number; repeat: boolean } {
    const print = fingerprint === null ? undefined : this.#tables.prints.get(fingerprint);
    const attemptNumber = Math.max(print?.failures ?? 0, sdkRetry ?? 0);
    return { attemptNumber, repeat: print?.succeeded === true && attemptNumber === 0 };
  }

  #remember(fingerprint: string, succeeded: boolean, now: number): void {
    const failures = this.#tables.prints.get(fingerprint)?.failures ?? 0;
    const print: Print = { succeeded, failures: succeeded ? 0 : failures + 1 };
    this.#tables.prints.set(fingerprint, print, now + PRINT_KEPT);
  }

  #learn(key: string, value: number, now: number): void {
    const counts = [...(this.#tables.lessons.get(key) ?? BUCKETS.map(() => 0))];
    const bucket = bucketOf(value);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
    this.#tables.lessons.set(key, counts, now + LESSON_KEPT);
  }

  #closed(key: string, now: number): ClosedGate | null {
    const gate = this.#tables.gates.get(key);
    return gate !== undefined && isShut(gate, now) ? { key, ...gate } : null;
  }

  #shut(key: string, now: number, until: number | null): void {
    this.#tables.gates.set(key, { since: now, until }, until);
  }

  #states(meter: Meter, now: number): MeterState[] {
    const states: MeterState[] = [];
    for (const [place, slots] of this.#tables.meters.entries(meter.id)) {
      const key = place.slice(0, place.lastIndexOf("@"));
      if (key !== meter.id && !key.startsWith(`${meter.id}|`)) continue;
      if (placeOf(key, meter.window, now).key !== place) continue;
      const { spent, held, resetsAt } = reading(meter.window, slots, now, 0, 0);
      if (spent > 0 || held > 0) states.push({ key, spent, held, resetsAt });
    }
    return states;
  }
}

/** A charge or an addition as a number: `retry` and `repeat` as the attempt was judged. */
const resolve = (amount: number | "retry" | "repeat", attemptNumber: number, repeat: boolean): number => {
  if (typeof amount === "number") return amount;
  return (amount === "retry" ? attemptNumber > 0 : repeat) ? 1 : 0;
};

const isShut = (gate: Gate, now: number): boolean => gate.until === null || gate.until > now;

function reading(window: Window, slots: Slots | undefined, now: number, own: number, add: number): MeterReading {
  return {
    spent: spentOf(window, slots, now),
    held: Math.max(0, heldOf(slots) - own),
    add,
    resetsAt: resetsAt(window, slots, now),
  };
}
