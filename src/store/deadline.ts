import { StoreDown } from "./down.ts";

/**
 * The promise's own end, or StoreDown where it takes longer than `ms`. A timer that is late because the application
 * kept the event loop busy does not count: what arrived meanwhile is read first.
 */
export function within<T>(ms: number, store: string, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new StoreDown(`the ledger (${store}) did not answer within ${ms} ms`));
    let timer: NodeJS.Timeout | undefined;
    let over = false;
    const end = (): void => {
      over = true;
      clearTimeout(timer);
    };
    // A store in this process has answered by then, and needs no timer.
    process.nextTick(() => {
      if (!over) timer = setTimeout(() => setImmediate(late), ms);
    });
    promise.then(resolve, reject).then(end);
  });
}
