/**
 * Who a call is made for, as the application says around it: `withBudget({tenant: "acme"}, fn)`.
 */
import { AsyncLocalStorage } from "node:async_hooks";

/** Scope or dimension name → value: `{ tenant: "acme", run: "job-7", plan: "pro" }`. */
export type BudgetContext = Readonly<Record<string, string>>;

// One store for all copies of the package in a process: an application's import and the preload may differ.
const KEY = Symbol.for("budget-guard.context");

function storage(): AsyncLocalStorage<BudgetContext> {
  const holder = globalThis as { [KEY]?: AsyncLocalStorage<BudgetContext> };
  holder[KEY] ??= new AsyncLocalStorage<BudgetContext>();
  return holder[KEY];
}

/**
 * Runs `fn` with an identity for every provider call inside it; nested calls inherit and refine. A value that is
 * undefined changes nothing.
 */
export function withBudget<T>(identity: Readonly<Record<string, string | number | undefined>>, fn: () => T): T {
  const refined: Record<string, string> = { ...currentBudget() };
  for (const [name, value] of Object.entries(identity)) if (value !== undefined) refined[name] = String(value);
  return storage().run(Object.freeze(refined), fn);
}

/** What `withBudget` says here, empty outside of it. */
export const currentBudget = (): BudgetContext => storage().getStore() ?? EMPTY;

const EMPTY: BudgetContext = Object.freeze({});
