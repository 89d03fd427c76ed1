import { AsyncLocalStorage } from "node:async_hooks";
import { shared } from "./patches.ts";

const exempted = shared("exempt", () => new AsyncLocalStorage<true>());

/** Runs `fn`; requests made inside it, now or later, pass unseen. For the guard's own traffic. */
export function exempt<T>(fn: () => T): T {
  return exempted.run(true, fn);
}

/** True inside `exempt`. */
export const isExempt = (): boolean => exempted.getStore() === true;
