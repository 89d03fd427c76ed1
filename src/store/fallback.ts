import { within } from "./deadline.ts";
import { StoreDown } from "./down.ts";
import { FALLBACK_DEFAULTS, type FallbackOptions } from "./fallback-options.ts";
import { type LocalStore, openLocal } from "./local.ts";
import { plainSettlement } from "./plain-settlement.ts";
import type { Foreseen, Foresight, Judgement, JudgeRequest, Settlement, Store } from "./store.ts";
import { Waiting } from "./waiting.ts";

/** A store that may be away. `judge` and the reading methods then reject with StoreDown at once; `settle` never does. */
export interface FallbackStore extends Store {
  /** Where to judge while the store is away, if the policy says `local`. */
  readonly local: Store;
  readonly isDown: boolean;
  /** Settlements that wait for the store to come back. */
  readonly waiting: number;
  /** Delivers what is under way or waits; true where nothing is left after at most `ms`. */
  flush(ms: number): Promise<boolean>;
}

const BATCH = 64;

/** Puts a deadline before a store, opens it at first use, and keeps what it could not be told until it is back. */
export function withFallback(open: () => Promise<Store>, options: FallbackOptions = {}): FallbackStore {
  return new Fallback(open, options);
}

class Fallback implements FallbackStore {
  readonly local: LocalStore;
  readonly #open: () => Promise<Store>;
  readonly #options: Required<FallbackOptions>;
  readonly #waiting: Waiting;
  readonly #underWay = new Set<Promise<unknown>>();
  #store: Store | null = null;
  #opening: Promise<Store> | null = null;
  #down: StoreDown | null = null;
  #probing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #pause: number;
  #ended = false;
  /** What lived at the last heartbeat. */
  #living: Parameters<Store["extend"]>[0] = [];

  constructor(open: () => Promise<Store>, options: FallbackOptions) {
    this.#open = open;
    this.#options = { ...FALLBACK_DEFAULTS, ...options };
    this.local = openLocal(this.#options.clock, this.#options.localShareMillionths);
    this.#waiting = new Waiting(this.#options.queueLimit);
    this.#pause = this.#options.retryMs.first;
  }

  get name(): string {
    return this.#store?.name ?? this.#options.name;
  }

  get kind(): Store["kind"] {
    return this.#store?.kind ?? this.#options.kind;
  }

  get isDown(): boolean {
    return this.#down !== null;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  async judge(request: JudgeRequest): Promise<Judgement> {
    const ms = this.#deadline();
    const answer = this.#use((store) => store.judge(request));
    try {
      const judgement = await within(ms, this.name, answer);
      this.local.remember(request, judgement);
      return judgement;
    } catch (error) {
      if (error instanceof StoreDown) {
        this.#fail(error);
        answer.then((late) => this.#release(request.attempt, late), ignore);
      }
      throw error;
    }
  }

  /** While the store is away: what this process has seen itself, and the limits it knew last. */
  async foresee(ask: Foresight): Promise<Foreseen> {
    if (this.#down !== null) return this.local.foresee(ask);
    try {
      const seen = await this.#ask((store) => store.foresee(ask), this.#deadline());
      this.local.rememberLimits(ask.limits, seen.limits);
      return seen;
    } catch (error) {
      ignoreDown(error);
      return this.local.foresee(ask);
    }
  }

  async extend(holds: Parameters<Store["extend"]>[0]): Promise<void> {
    const here = holds.filter(({ attempt }) => this.local.knows(attempt));
    if (here.length > 0) await this.local.extend(here);
    this.#living = holds;
    // A heartbeat that is lost is made up for by the next one, or as soon as the store is back.
    if (this.#down === null) await this.#ask((store) => store.extend(holds)).catch(ignoreDown);
  }

  async settle(settlement: Settlement): Promise<boolean> {
    if (this.local.knows(settlement.attempt)) await this.local.settle(settlement);
    return this.#deliver(settlement);
  }

  async close(key: string, ms: number | null): Promise<void> {
    await this.#ask((store) => store.close(key, ms));
    const since = this.#options.clock();
    this.local.rememberGate({ key, since, until: ms === null ? null : since + ms });
  }

  async open(keys: readonly string[]): Promise<number> {
    const count = await this.#ask((store) => store.open(keys));
    this.local.forgetGates(keys);
    return count;
  }

  async setLimit(key: string, amount: number | null): Promise<void> {
    await this.#ask((store) => store.setLimit(key, amount));
    this.local.rememberLimits([key], [amount]);
  }

  gates: Store["gates"] = () => this.#ask((store) => store.gates());
  /** Calls wait for it, as for a judgement. */
  read: Store["read"] = (asks) => this.#ask((store) => store.read(asks), this.#deadline());
  list: Store["list"] = (meters) => this.#ask((store) => store.list(meters));
  recall: Store["recall"] = (keys) => this.#ask((store) => store.recall(keys));

  note: Store["note"] = (key, text, ms) => this.#ask((store) => store.note(key, text, ms));
  noted: Store["noted"] = (key) => this.#ask((store) => store.noted(key));

  limits: Store["limits"] = () => this.#ask((store) => store.limits());

  async flush(ms: number): Promise<boolean> {
    const end = performance.now() + ms;
    const done = () => this.#underWay.size === 0 && this.#waiting.size === 0;
    while (!done() && performance.now() < end) {
      const work: Promise<unknown> = this.#underWay.size > 0 ? Promise.race(this.#underWay) : this.#probe();
      await within(Math.max(1, end - performance.now()), this.name, work).catch(ignore);
      if (this.#down !== null && !done()) await pause(Math.min(20, Math.max(1, end - performance.now())));
    }
    return done();
  }

  async shut(): Promise<void> {
    await this.flush(this.#options.patienceMs);
    this.#ended = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const store = this.#store ?? (await this.#opening?.catch(ignore));
    await store?.shut();
  }

  /** Runs work on the store, opening it where nobody has yet; a failed opening is tried anew by the next. */
  async #use<T>(work: (store: Store) => Promise<T>, probe = false): Promise<T> {
    if (this.#down !== null && !probe) throw this.#down;
    const store = this.#store;
    if (store !== null) return work(store).catch((error) => this.#leave(store, error));
    this.#opening ??= this.#open().then(
      (store) => {
        this.#store = store;
        return store;
      },
      (cause) => {
        this.#opening = null;
        throw StoreDown.from(this.name, cause);
      },
    );
    return work(await this.#opening);
  }

  /** A store that is over is opened anew by whoever asks next. */
  #leave(store: Store, error: unknown): never {
    if (error instanceof StoreDown && error.isOver && this.#store === store) {
      this.#store = null;
      this.#opening = null;
      store.shut().catch(ignore);
    }
    throw error;
  }

  /** How long one judgement may take now, ms: a first one waits for the store to open. */
  #deadline(): number {
    return this.#options.deadlineMs + (this.#store === null ? this.#options.patienceMs : 0);
  }

  async #ask<T>(work: (store: Store) => Promise<T>, ms = this.#options.patienceMs): Promise<T> {
    try {
      return await within(ms, this.name, this.#use(work));
    } catch (error) {
      if (error instanceof StoreDown) this.#fail(error);
      throw error;
    }
  }

  /** Tells the store now, or keeps the settlement until it is back. */
  async #deliver(settlement: Settlement): Promise<boolean> {
    if (this.#down !== null || this.#waiting.size > 0) return this.#keep(settlement);
    const work = this.#tell(settlement);
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  async #tell(settlement: Settlement): Promise<boolean> {
    try {
      return await this.#ask((store) => store.settle(settlement));
    } catch (error) {
      if (!(error instanceof StoreDown)) throw error;
      return this.#keep(settlement);
    }
  }

  /** Whether it will be the first of its attempt nobody knows: it counts as that. */
  #keep(settlement: Settlement): true {
    this.#waiting.push(settlement);
    return true;
  }

  /** A judgement that came too late to be used must not keep its hold. */
  #release(attempt: string, judgement: Judgement): void {
    if (judgement.held) this.#deliver(plainSettlement(attempt, judgement.now)).catch(ignore);
  }

  #fail(why: StoreDown): void {
    if (this.#down === null) {
      this.#down = why;
      this.#pause = this.#options.retryMs.first;
      this.#options.onDown(why);
    }
    this.#probeLater();
  }

  #probeLater(): void {
    if (this.#timer !== null || this.#probing !== null || this.#ended) return;
    const jitter = 0.75 + Math.random() / 2;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#probe();
    }, this.#pause * jitter);
    // A process that is otherwise done does not stay alive to wait for a store; `flush` does.
    this.#timer.unref();
    this.#pause = Math.min(this.#pause * 2, this.#options.retryMs.most);
  }

  /** Asks the store for a sign of life, hands over what waits, and lets judgements through again. */
  #probe(): Promise<void> {
    this.#probing ??= this.#revive().then(
      () => {
        this.#probing = null;
      },
      (error) => {
        this.#probing = null;
        this.#fail(StoreDown.from(this.name, error));
      },
    );
    return this.#probing;
  }

  async #revive(): Promise<void> {
    // What expired while nobody could renew it is held again before anything else is judged.
    const living = this.#living;
    await this.#whileDown<unknown>((store) => (living.length > 0 ? store.extend(living) : store.read([])));
    while (this.#waiting.size > 0) {
      const batch = this.#waiting.take(BATCH);
      const told = Promise.allSettled(batch.map((settlement) => this.#whileDown((store) => store.settle(settlement))));
      this.#underWay.add(told);
      const results = await told;
      this.#underWay.delete(told);
      const failed = results.map((result) => result.status === "rejected" && result.reason instanceof StoreDown);
      if (!failed.includes(true)) continue;
      this.#waiting.putBack(batch.filter((_, index) => failed[index]));
      throw new StoreDown(`the ledger (${this.name}) went away again while it was told what was spent`);
    }
    const wasDown = this.#down !== null;
    this.#down = null;
    await this.local.end();
    if (wasDown) this.#options.onUp();
  }

  #whileDown<T>(work: (store: Store) => Promise<T>): Promise<T> {
    return within(this.#options.patienceMs, this.name, this.#use(work, true));
  }
}

const ignore = (): void => {};

function ignoreDown(error: unknown): void {
  if (!(error instanceof StoreDown)) throw error;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
