/**
 * A journal as it stands, for looking at: on Node < 22.13 the process that counts has it to itself.
 * @module
 */
import type { Clock } from "../clock.ts";
import { apply, readJournal } from "../store/journal.ts";
import { Ledger } from "../store/ledger.ts";
import { ledgerStore } from "../store/ledger-store.ts";
import { mapTables } from "../store/map-table.ts";
import type { Store } from "../store/store.ts";

/** The journal's ledger in this process's memory; nothing that is done to it reaches the file. */
export function openSnapshot(path: string, name: string, clock: Clock): Store {
  const tables = mapTables(() => {});
  for (const change of readJournal(path).changes) apply(tables, change);
  return ledgerStore(new Ledger(tables, clock), {
    name,
    kind: "file",
    run: async (work) => work(),
    shut: async () => {},
  });
}
