import { type Clock, now } from "../clock.ts";
import { Ledger } from "./ledger.ts";
import { ledgerStore } from "./ledger-store.ts";
import { mapTables } from "./map-table.ts";
import type { Store } from "./store.ts";

/** A ledger in this process, gone with it: for tests, and for judging while the real store is away. */
export function openMemory(clock: Clock = now): Store {
  const ledger = new Ledger(
    mapTables(() => {}),
    clock,
  );
  return ledgerStore(ledger, {
    name: "memory",
    kind: "memory",
    run: async (work) => work(),
    shut: async () => {},
  });
}
