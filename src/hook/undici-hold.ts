/** A request held while the gatekeeper thinks: it ends by an answer, or at once when the caller gives up. */
export class Hold {
  readonly #controller = new AbortController();
  readonly #source: unknown;
  readonly #onAbort = (): void => this.giveUp(isAbortSignal(this.#source) ? this.#source.reason : undefined);
  readonly #onBroken = (error: unknown): void => this.giveUp(error);
  #body: unknown = null;
  #end: (value: null) => void = () => {};
  #reason: unknown;

  /** Resolves to null when the caller gives up. */
  readonly givenUp: Promise<null> = new Promise((resolve) => {
    this.#end = resolve;
  });

  /** `source`: the caller's signal, in either of the forms that undici takes. */
  constructor(source: unknown) {
    this.#source = source;
    if (isAbortSignal(source)) source.addEventListener("abort", this.#onAbort, { once: true });
    else if (isEmitter(source)) source.on("abort", this.#onAbort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get reason(): unknown {
    return this.#reason;
  }

  giveUp(reason: unknown): void {
    if (this.signal.aborted) return;
    this.#reason = reason;
    this.#controller.abort();
    this.#end(null);
  }

  /** A body that nobody reads meanwhile, a file perhaps that is not there: that it breaks is the request's error. */
  follow(body: unknown): void {
    this.#body = body;
    if (isEmitter(body)) body.on("error", this.#onBroken);
  }

  /** Stops listening to the caller: what follows is undici's own business. */
  close(): void {
    if (isAbortSignal(this.#source)) this.#source.removeEventListener("abort", this.#onAbort);
    else if (isEmitter(this.#source)) this.#source.removeListener("abort", this.#onAbort);
    if (isEmitter(this.#body)) this.#body.removeListener("error", this.#onBroken);
  }
}

/** Under which a dispatcher that has holds names itself: undici's `compose` gives out a proxy of it, whose `close` is its own. */
const SELF = Symbol("budget-guard.self");

/** The holds of every dispatcher, for `close` and `destroy` to know of: undici does not count them as pending. */
export class Holds {
  readonly #held = new WeakMap<object, Set<Hold>>();
  readonly #emptied = new WeakMap<object, (() => void)[]>();

  add(dispatcher: object, hold: Hold): void {
    const self = selfOf(dispatcher);
    const held = this.#held.get(self);
    if (held !== undefined) {
      held.add(hold);
      return;
    }
    this.#held.set(self, new Set([hold]));
    Reflect.defineProperty(dispatcher, SELF, { value: dispatcher, configurable: true });
  }

  delete(dispatcher: object, hold: Hold): void {
    const self = selfOf(dispatcher);
    const held = this.#held.get(self);
    held?.delete(hold);
    if (held === undefined || held.size > 0) return;
    this.#held.delete(self);
    Reflect.deleteProperty(dispatcher, SELF);
    const waiting = this.#emptied.get(self);
    this.#emptied.delete(self);
    for (const go of waiting ?? []) go();
  }

  of(dispatcher: object): readonly Hold[] {
    return [...(this.#held.get(selfOf(dispatcher)) ?? [])];
  }

  /** Resolves when the last hold of a dispatcher is over. Until then `isClosing` is true. */
  async drained(dispatcher: object): Promise<void> {
    const self = selfOf(dispatcher);
    if (!this.#held.has(self)) return;
    await new Promise<void>((resolve) => {
      this.#emptied.set(self, [...(this.#emptied.get(self) ?? []), resolve]);
    });
  }

  isClosing(dispatcher: object): boolean {
    return this.#emptied.has(selfOf(dispatcher));
  }
}

const selfOf = (dispatcher: object): object => Reflect.get(dispatcher, SELF) ?? dispatcher;

interface Emitter {
  on(name: string, listener: (subject: unknown) => void): unknown;
  removeListener(name: string, listener: (subject: unknown) => void): unknown;
}

const isAbortSignal = (value: unknown): value is AbortSignal =>
  typeof value === "object" && value !== null && "addEventListener" in value && "aborted" in value;

const isEmitter = (value: unknown): value is Emitter =>
  typeof value === "object" && value !== null && "removeListener" in value && "on" in value;
