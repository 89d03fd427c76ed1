import { StoreDown } from "./down.ts";

/**
 * The promise's own end, or StoreDown where it takes longer than `ms`. A timer that is late because the application
 * kept the event loop busy does not count: what arrived meanwhile is read first.
 */
export function within<T>(ms: number, store: string, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new StoreDown(`the ledger (${store}) did not answer within ${ms} ms`));
    const timer = setTimeout(() => setImmediate(late), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
