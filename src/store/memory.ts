import { type Clock, now } from "../clock.ts";
import { Ledger } from "./ledger.ts";
import { ledgerStore } from "./ledger-store.ts";
import { mapTables } from "./map-table.ts";
import type { Store } from "./store.ts";
import type { Tables } from "./tables.ts";

/** A ledger in this process, gone with it: for tests, and for judging while the real store is away. */
export function openMemory(clock: Clock = now, tables: Tables = mapTables(() => {})): Store {
  return ledgerStore(new Ledger(tables, clock), {
    name: "memory",
    kind: "memory",
    run: async (work) => work(),
    shut: async () => {},
  });
}
