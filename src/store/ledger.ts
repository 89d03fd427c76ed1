import type { Clock } from "../clock.ts";
import type { Meter, Window } from "../policy/plan.ts";
import { checkForesight, checkLimit, checkRequest, checkSettlement } from "./amounts.ts";
import { historyOf, learn, remember } from "./history.ts";
import { expiryOf, moveFloors, moveHold, SETTLED_KEPT, spend, sweep, TIDY_MS, tidy } from "./holds.ts";
import { allLimits, keepLimit, keptLimits } from "./limits.ts";
import { dueOf, heldOf, placeOf, resetsAt, type Slots, spentOf } from "./meters.ts";
import { hasSeen, markRun, markRuns } from "./runs.ts";
import { firedStops, laterOf } from "./stops.ts";
import type {
  ClosedGate,
  Foreseen,
  Foresight,
  Histogram,
  Judgement,
  JudgeRequest,
  MeterReading,
  MeterState,
  Settlement,
  Store,
} from "./store.ts";
import type { Gate, HeldMeter, Hold, Past, Tables } from "./tables.ts";

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

  settle(settlement: Settlement): boolean {
    checkSettlement(settlement);
    return this.#tables.atomic(() => this.#settle(settlement, this.#clock()));
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
    return this.#tables.glance(() => keys.map((key) => this.#tables.lessons.get(key) ?? null));
  }

  foresee(ask: Foresight): Foreseen {
    checkForesight(ask);
    return this.#tables.glance(() => ({
      now: this.#clock(),
      ...historyOf(this.#tables, ask.fingerprint, ask.sdkRetry),
      limits: keptLimits(this.#tables, ask.limits),
    }));
  }

  setLimit(key: string, amount: number | null): void {
    checkLimit(key, amount);
    this.#tables.atomic(() => keepLimit(this.#tables, key, amount));
  }

  limits(): ReadonlyMap<string, number> {
    return this.#tables.glance(() => allLimits(this.#tables));
  }

  note(key: string, text: string, ms: number): void {
    this.#tables.atomic(() => this.#tables.notes.set(key, text, this.#clock() + ms));
  }

  noted(key: string): string | null {
    return this.#tables.glance(() => this.#tables.notes.get(key) ?? null);
  }

  #judge(request: JudgeRequest, now: number): Judgement {
    this.#sweep(now);
    const own = this.#tables.holds.get(request.attempt);
    this.#tables.meters.load?.(request.meters.map(({ key, window }) => placeOf(key, window, now).key));
    const { attemptNumber, repeat } = own ?? historyOf(this.#tables, request.fingerprint, request.sdkRetry);
    let countsRuns = false;
    const held: HeldMeter[] = [];
    const readings = request.meters.map((ask): MeterReading => {
      const place = placeOf(ask.key, ask.window, now);
      const mine = own?.meters.find((meter) => meter.place.key === place.key)?.amount ?? 0;
      const slots = this.#tables.meters.get(place.key);
      if (ask.add === "run") {
        // A run is seen, not held.
        held.push({ place, amount: 0, floor: 0 });
        countsRuns = true;
        const isNew = !hasSeen(this.#tables, place, ask.window, slots, request.run, now);
        return reading(ask.window, slots, now, 0, isNew ? 1 : 0);
      }
      const amount = resolve(ask.add, attemptNumber, repeat);
      held.push({ place, amount, floor: amount === 0 ? 0 : ask.floor });
      return reading(ask.window, slots, now, mine, amount);
    });
    const limits = keptLimits(this.#tables, request.limits);
    const answer = { now, readings, limits, attemptNumber, repeat };
    const open = request.gates.map(() => null);
    if (own !== undefined) return { ...answer, held: true, fired: [], closed: open };
    const closed = request.gates.map(({ key }) => this.#closed(key, now));
    const settled = this.#tables.past.get(request.attempt) !== undefined;
    if (settled) return { ...answer, held: false, fired: [], closed };
    const fired = firedStops(request, readings, limits, attemptNumber);
    this.#trip(request, fired, closed, now);
    if (fired.length > 0 || closed.some((gate) => gate !== null)) return { ...answer, held: false, fired, closed };
    const hold: Hold = { attemptNumber, repeat, meters: held };
    this.#tables.holds.set(request.attempt, hold, expiryOf(now, request.holdMs));
    moveHold(this.#tables, hold, 1, now);
    if (countsRuns) markRuns(this.#tables, request, now);
    return { ...answer, held: true, fired, closed };
  }

  #sweep(now: number): void {
    sweep(this.#tables, now);
    if (Math.abs(now - this.#tidied) < TIDY_MS) return;
    // Where every request is a run of its own, hundreds of records may come, and go, in a second.
    this.#tidied = tidy(this.#tables, now) ? Number.NEGATIVE_INFINITY : now;
  }

  /** Closes the gates of the stops that fired; one that is closed already keeps its time. */
  #trip(request: JudgeRequest, fired: readonly number[], closed: Judgement["closed"], now: number): void {
    const until = new Map<string, number | null>();
    for (const index of fired) {
      const stop = request.stops[index];
      const gate = stop?.closes && closed[stop.closes.gate] === null ? request.gates[stop.closes.gate] : undefined;
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

  #settle(settlement: Settlement, now: number): boolean {
    const { holds, past } = this.#tables;
    const { attempt, charges, fingerprint, outcome } = settlement;
    const own = holds.get(attempt);
    const gone = past.get(attempt);
    if (gone?.kind === "settled") return false;
    this.#tables.meters.load?.(charges.map(({ key, window }) => placeOf(key, window, settlement.judgedAt).key));
    if (own !== undefined) {
      holds.delete(attempt);
      moveHold(this.#tables, own, -1, now);
    }
    if (gone?.kind === "expired") moveFloors(this.#tables, gone.hold, -1, gone.at, now);
    const { attemptNumber, repeat } =
      own ?? (gone?.kind === "expired" ? gone.hold : historyOf(this.#tables, fingerprint, null));
    for (const { key, window, amount } of charges) {
      const place = placeOf(key, window, settlement.judgedAt);
      if (amount === "run") markRun(this.#tables, place, window, settlement.run, now);
      else spend(this.#tables, place, now, resolve(amount, attemptNumber, repeat), now);
    }
    // A release (no charges, no outcome) leaves no mark: the same attempt may still be judged or billed.
    if (charges.length > 0 || outcome !== "none") past.set(attempt, SETTLED, now + SETTLED_KEPT);
    else past.delete(attempt);
    if (fingerprint !== null && outcome !== "none") remember(this.#tables, fingerprint, outcome === "success", now);
    for (const { key, value } of settlement.lessons) learn(this.#tables, key, value, now);
    return true;
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

/** One for all: a ledger in this process keeps it for every call of the last hours. */
const SETTLED: Past = Object.freeze({ kind: "settled" });

const isShut = (gate: Gate, now: number): boolean => gate.until === null || gate.until > now;

function reading(window: Window, slots: Slots | undefined, now: number, own: number, add: number): MeterReading {
  return {
    spent: spentOf(window, slots, now),
    held: Math.max(0, heldOf(slots) - own),
    add,
    resetsAt: resetsAt(window, slots, now),
  };
}
