/**
 * Calls that wait for the same room, first come first served: one of them asks the store, not all.
 * @module
 */
import type { Call } from "./call/call.ts";
import type { Judged } from "./judging.ts";
import { type Waiter, type WaitingSet, wantsAsMuch } from "./waiter.ts";

/** How often a line looks for room that another process gave back, ms: more and more seldom, never all at once. */
const POLL = { first: 50, most: 1_000, growth: 1.6 } as const;
/** Where a process has many lines, they all together look so seldom: ms for each of them. */
const SHARE = 10;
/** After a look in vain the next one waits for so long, ms, however often it is rung for. */
const SPACING = 20;
/** A smaller call may pass where a larger one cannot: so many different ones are tried in one look. */
const TRIED = 4;

/** How many are judged at once where room has returned for many: a store that is far away answers each of them late. */
const MOST_AT_ONCE = 16;

interface Ways {
  /** A waiter that is now held by other rules. */
  readonly moved: (waiter: Waiter) => void;
  readonly empty: () => void;
  /** How many lines there are. */
  readonly crowd: () => number;
}

export class Line {
  readonly set: WaitingSet;
  readonly #meters: ReadonlySet<string>;
  readonly #alike: boolean;
  readonly #elapsed: () => number;
  readonly #ways: Ways;
  #waiters: Waiter[] = [];
  #poll: number = POLL.first;
  #pollAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #rung = false;
  #joined = false;
  #notBefore = 0;

  constructor(set: WaitingSet, elapsed: () => number, ways: Ways) {
    this.set = set;
    this.#meters = new Set([...set.values()].flatMap(({ meters }) => meters));
    this.#alike = [...set.values()].every(({ alike }) => alike);
    this.#elapsed = elapsed;
    this.#ways = ways;
  }

  get first(): Waiter | undefined {
    return this.#waiters[0];
  }

  /** Whether a call that these rules may hold has to stand behind this line. */
  isBefore(call: Call, set: WaitingSet): boolean {
    if (![...this.set.keys()].some((name) => set.has(name))) return false;
    return this.#alike || this.#waiters.some(({ attempt }) => wantsAsMuch(call, attempt.call));
  }

  concerns(meters: ReadonlySet<string>): boolean {
    for (const meter of this.#meters) if (meters.has(meter)) return true;
    return false;
  }

  /** Takes a waiter in, by the time since it waits. */
  add(waiter: Waiter): void {
    waiter.line = this;
    this.#joined = true;
    if (this.#waiters.length === 0) this.#pollLater();
    let at = this.#waiters.length;
    while (at > 0 && (this.#waiters[at - 1]?.since ?? 0) > waiter.since) at -= 1;
    this.#waiters.splice(at, 0, waiter);
    this.#schedule();
  }

  remove(waiter: Waiter): void {
    const at = this.#waiters.indexOf(waiter);
    if (at < 0) return;
    this.#waiters.splice(at, 1);
    if (this.#waiters.length > 0) return;
    clearTimeout(this.#timer);
    this.#ways.empty();
  }

  /** Looks for room, now or as soon as the last look in vain is long enough ago. */
  look(): void {
    this.#rung = true;
    if (this.#elapsed() >= this.#notBefore) void this.#round();
    else this.#schedule();
  }

  async #round(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    this.#rung = false;
    clearTimeout(this.#timer);
    try {
      do {
        this.#joined = false;
        // Who came while others were let go may find room too.
        if (!(await this.#serve())) break;
        this.#poll = POLL.first;
      } while (this.#joined);
    } catch (error) {
      // A defect of ours: nobody may wait for ever because of it.
      for (const waiter of [...this.#waiters]) waiter.fail(error);
    }
    this.#looking = false;
    this.#notBefore = this.#elapsed() + SPACING;
    this.#pollLater();
    this.#schedule();
  }

  /** Judges from the first on, more and more at once as long as all of them find room. True where any left. */
  async #serve(): Promise<boolean> {
    const inVain: Waiter[] = [];
    let served = false;
    let width = 1;
    const queue = [...this.#waiters];
    for (let next = 0; next < queue.length; ) {
      const batch: Waiter[] = [];
      while (next < queue.length && batch.length < width) {
        const waiter = queue[next++];
        if (waiter !== undefined && this.#isWorthAsking(waiter, inVain)) batch.push(waiter);
      }
      const late = batch.map(({ isLate }) => isLate);
      const held = await Promise.all(batch.map((waiter) => this.#judge(waiter)));
      for (const [index, waiter] of batch.entries()) {
        if (held[index] !== true) served = true;
        else {
          if (late[index] === true) waiter.giveUp(null);
          inVain.push(waiter);
        }
      }
      width = held.includes(true) ? 1 : Math.min(MOST_AT_ONCE, width * 2);
    }
    return served;
  }

  /** False for one that wants no less than another that found no room; if its time is up, it is told so by that. */
  #isWorthAsking(waiter: Waiter, inVain: readonly Waiter[]): boolean {
    if (waiter.gone) return false;
    const smaller = inVain.find(({ attempt }) => this.#alike || wantsAsMuch(waiter.attempt.call, attempt.call));
    if (smaller === undefined || !waiter.wasHeld) return inVain.length < TRIED || waiter.isLate;
    if (waiter.isLate) waiter.giveUp(smaller);
    return false;
  }

  /** Judges one again; true where a `hold` decides still. Never rejects. */
  async #judge(waiter: Waiter): Promise<boolean> {
    const { attempt } = waiter;
    let judged: Judged;
    try {
      judged = await attempt.judge(false);
    } catch (error) {
      waiter.fail(error);
      return false;
    }
    if (waiter.gone) {
      if (judged.held) attempt.release(judged);
      return false;
    }
    if (judged.verdict.kind !== "hold" || judged.readings === null || judged.held) {
      waiter.leave(judged);
      return false;
    }
    waiter.holdsStill(judged);
    if (!same(waiter.set, this.set)) {
      this.remove(waiter);
      this.#ways.moved(waiter);
    }
    return true;
  }

  /** The next look: when rung for, when a window resets, when somebody's time is up, or when it is time to look again. */
  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#looking || this.#waiters.length === 0) return;
    const now = this.#elapsed();
    let ms = this.#pollAt - now;
    // Somewhat later than the window's end, and not every process at once.
    const resetMs = (this.first?.resetMs ?? Number.POSITIVE_INFINITY) + 1 + Math.random() * 20;
    ms = Math.min(ms, Math.max(resetMs, this.#notBefore - now));
    for (const { deadline } of this.#waiters) ms = Math.min(ms, deadline - now);
    if (this.#rung) ms = Math.min(ms, this.#notBefore - now);
    // It keeps the process alive: a call that waits is work under way.
    this.#timer = setTimeout(() => void this.#round(), Math.max(0, ms));
  }

  #pollLater(): void {
    const ms = Math.max(this.#poll, this.#ways.crowd() * SHARE);
    this.#pollAt = this.#elapsed() + ms * (0.75 + Math.random() / 2);
    this.#poll = Math.min(POLL.most, this.#poll * POLL.growth);
  }
}

function same(a: WaitingSet, b: WaitingSet): boolean {
  if (a.size !== b.size) return false;
  for (const name of a.keys()) if (!b.has(name)) return false;
  return true;
}
