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
 * undefined, null or empty changes nothing: a name that got lost must not lose the budget around it.
 */
export function withBudget<T>(
  identity: Readonly<Record<string, string | number | bigint | null | undefined>>,
  fn: () => T,
): T {
  const refined: Record<string, string> = { ...currentBudget() };
  for (const [name, value] of Object.entries(identity)) {
    const given = named(value);
    if (given !== null) refined[name] = given;
  }
  return storage().run(Object.freeze(refined), fn);
}

/** Types do not bind JavaScript: ids of databases are objects, and "[object Object]" would be one budget for all tenants. */
function named(value: unknown): string | null {
  if (value === undefined || value === null || typeof value === "symbol" || typeof value === "function") return null;
  try {
    const text = String(value);
    return text.trim() === "" || text.startsWith("[object ") ? null : text;
  } catch {
    return null;
  }
}

/** What `withBudget` says here, empty outside of it. */
export const currentBudget = (): BudgetContext => storage().getStore() ?? EMPTY;

const EMPTY: BudgetContext = Object.freeze({});
