import type { Ledger } from "./ledger.ts";
import type { Store } from "./store.ts";

/** What a store adds to the ledger's rules: its name, how an operation is run, and its end. */
export interface Keeping {
  readonly name: string;
  readonly kind: Store["kind"];
  /** Runs one operation, again where the engine was busy. */
  run<T>(work: () => T): Promise<T>;
  shut(): Promise<void>;
}

/** The ledger as a `Store`. */
export function ledgerStore(ledger: Ledger, keeping: Keeping): Store {
  return {
    name: keeping.name,
    kind: keeping.kind,
    judge: (request) => keeping.run(() => ledger.judge(request)),
    extend: (holds) => keeping.run(() => ledger.extend(holds)),
    settle: (settlement) => keeping.run(() => ledger.settle(settlement)),
    close: (key, ms) => keeping.run(() => ledger.close(key, ms)),
    open: (keys) => keeping.run(() => ledger.open(keys)),
    gates: () => keeping.run(() => ledger.gates()),
    read: (asks) => keeping.run(() => ledger.read(asks)),
    list: (meters) => keeping.run(() => ledger.list(meters)),
    recall: (keys) => keeping.run(() => ledger.recall(keys)),
    foresee: (ask) => keeping.run(() => ledger.foresee(ask)),
    setLimit: (key, amount) => keeping.run(() => ledger.setLimit(key, amount)),
    limits: () => keeping.run(() => ledger.limits()),
    note: (key, text, ms) => keeping.run(() => ledger.note(key, text, ms)),
    noted: (key) => keeping.run(() => ledger.noted(key)),
    shut: () => keeping.shut(),
  };
}
