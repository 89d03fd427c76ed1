/**
 * What the preload leaves for the API of the same process, found by two copies of the package alike.
 * @module
 */
import type { Mode } from "./config.ts";
import type { Plan } from "./policy/plan.ts";
import type { Store } from "./store/store.ts";

/** The ledger as this process uses it. */
export interface Ledger {
  readonly store: Store;
  /** The one in force now. */
  readonly plan: Plan;
  readonly mode: Mode;
  /** Resolves when the policy's files have been looked at within the last second. An older copy of the package has none. */
  fresh?(): Promise<void>;
}

/** The guard of this process. */
export interface Shared {
  readonly version: string;
  /** Null where the guard is off. */
  readonly ledger: Ledger | null;
  /** Waits until what is settled has reached the store, and spans that we export ourselves are delivered. */
  flush(): Promise<void>;
}

const KEY = Symbol.for("budget-guard.v1");

/** The guard of this process, null where none was loaded. */
export function shared(): Shared | null {
  const found: unknown = Reflect.get(globalThis, KEY);
  return typeof found === "object" && found !== null ? (found as Shared) : null;
}

/** Leaves the guard of this process; there is one at most. */
export function share(guard: Shared): void {
  Object.defineProperty(globalThis, KEY, { value: guard, enumerable: false });
}
