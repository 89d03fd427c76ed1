/** A request held while the gatekeeper thinks: it ends by an answer, or at once when the caller gives up. */
export class Hold {
  readonly #controller = new AbortController();
  readonly #source: unknown;
  readonly #onAbort = (): void => this.giveUp(isAbortSignal(this.#source) ? this.#source.reason : undefined);
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

  /** Stops listening to the caller: what follows is undici's own business. */
  close(): void {
    if (isAbortSignal(this.#source)) this.#source.removeEventListener("abort", this.#onAbort);
    else if (isEmitter(this.#source)) this.#source.removeListener("abort", this.#onAbort);
  }
}

/** The holds of every dispatcher, for `close` and `destroy` to know of: undici does not count them as pending. */
export class Holds {
  readonly #held = new WeakMap<object, Set<Hold>>();
  readonly #emptied = new WeakMap<object, (() => void)[]>();

  add(dispatcher: object, hold: Hold): void {
    const held = this.#held.get(dispatcher);
    if (held === undefined) this.#held.set(dispatcher, new Set([hold]));
    else held.add(hold);
  }

  delete(dispatcher: object, hold: Hold): void {
    const held = this.#held.get(dispatcher);
    held?.delete(hold);
    if (held === undefined || held.size > 0) return;
    this.#held.delete(dispatcher);
    const waiting = this.#emptied.get(dispatcher);
    this.#emptied.delete(dispatcher);
    for (const go of waiting ?? []) go();
  }

  of(dispatcher: object): readonly Hold[] {
    return [...(this.#held.get(dispatcher) ?? [])];
  }

  /** Resolves when the last hold of a dispatcher is over. Until then `isClosing` is true. */
  async drained(dispatcher: object): Promise<void> {
    if (!this.#held.has(dispatcher)) return;
    await new Promise<void>((resolve) => {
      this.#emptied.set(dispatcher, [...(this.#emptied.get(dispatcher) ?? []), resolve]);
    });
  }

  isClosing(dispatcher: object): boolean {
    return this.#emptied.has(dispatcher);
  }
}

interface Emitter {
  on(name: string, listener: () => void): unknown;
  removeListener(name: string, listener: () => void): unknown;
}

const isAbortSignal = (value: unknown): value is AbortSignal =>
  typeof value === "object" && value !== null && "addEventListener" in value && "aborted" in value;

const isEmitter = (value: unknown): value is Emitter =>
  typeof value === "object" && value !== null && "removeListener" in value && "on" in value;
