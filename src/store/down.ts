const brand = Symbol.for("budget-guard.StoreDown");

/** The ledger cannot be asked now: gone, too slow, taken by another process, or not readable. The policy's `store.down` decides. */
export class StoreDown extends Error {
  override readonly name = "StoreDown";
  readonly code = "BUDGET_STORE_DOWN";

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    Object.defineProperty(this, brand, { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && brand in value;
  }

  /** The error itself where it is one already, else one that names the store and keeps the cause. */
  static from(store: string, cause: unknown): StoreDown {
    if (cause instanceof StoreDown) return cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    return new StoreDown(`the ledger (${store}) cannot be used: ${why}`, { cause });
  }
}
