/** What went wrong as part of a sentence, without the place in a script that Redis adds to it. */
export const plainReason = (message: string): string =>
  message.replace(/\s*script: [0-9a-f]{40}, on @user_script:\d+\.?$/, "").replace(/\.$/, "");

const brand = Symbol.for("budget-guard.StoreDown");

/** The ledger cannot be asked now: gone, too slow, taken by another process, or not readable. The policy's `store.down` decides. */
export class StoreDown extends Error {
  override readonly name = "StoreDown";
  readonly code = "BUDGET_STORE_DOWN";

  /** True where the store will never answer again as it was opened: it must be opened anew. */
  readonly isOver: boolean;

  constructor(message: string, { isOver = false, ...options }: ErrorOptions & { readonly isOver?: boolean } = {}) {
    super(message, options);
    this.isOver = isOver;
    Object.defineProperty(this, brand, { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && brand in value;
  }

  /** The error itself where it is one already, else one that names the store and keeps the cause. */
  static from(store: string, cause: unknown): StoreDown {
    if (cause instanceof StoreDown) return cause;
    const why = plainReason(cause instanceof Error ? cause.message : String(cause));
    return new StoreDown(`the ledger (${store}) cannot be used: ${why}`, { cause });
  }
}
