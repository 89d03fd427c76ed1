/**
 * The ledger as a command reaches it: opened, used, let go of, and every failure told with what to check.
 * @module
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Config } from "../config.ts";
import { ConfigError } from "../errors.ts";
import { describeStore, openStore } from "../store/open.ts";
import { loadSqlite } from "../store/sqlite.ts";
import type { Store } from "../store/store.ts";
import { address, withoutSecrets } from "./address.ts";
import { CommandError, exit } from "./exit.ts";
import { openSnapshot } from "./snapshot.ts";
import type { World } from "./verb.ts";

type Where = Pick<Config, "store" | "root">;

/** How long a command waits for the store, ms; a person is waiting, not a call. */
const PATIENCE = 5_000;

/** Opens the store of the configuration for `use`; ends with 3 where it cannot be reached. */
export const withLedger = <T>(
  config: Where,
  { clock }: Pick<World, "clock">,
  use: (store: Store) => Promise<T>,
): Promise<T> => reached(config, () => openStore(config.store, { root: config.root, clock }), use);

/** The same for looking only: creates nothing, and reads a journal that another process has. Null: nothing is there yet. */
export async function withLedgerToRead<T>(config: Where, { clock }: World, use: (store: Store | null) => Promise<T>) {
  const file = ledgerFile(config);
  if (file === null) return await reached(config, () => openStore(config.store, { root: config.root, clock }), use);
  if (!existsSync(file.path)) return await use(null);
  if (file.engine === "sqlite") return await withLedger(config, { clock }, use);
  const { name } = describeStore(config.store);
  return await reached(config, async () => openSnapshot(file.path, name, clock), use);
}

/** The file that a `file:` store keeps on this Node, absolute, and how; null for other stores. */
export function ledgerFile({
  store,
  root,
}: Where): { readonly path: string; readonly engine: "sqlite" | "journal" } | null {
  const path = storePath({ store, root });
  if (path === null) return null;
  return loadSqlite() === undefined ? { path: `${path}.journal`, engine: "journal" } : { path, engine: "sqlite" };
}

/** The path that a `file:` URL names, absolute; null for other stores. */
export function storePath({ store, root }: Where): string | null {
  const path = /^file:(?:\/\/(?=\/))?(.+)$/.exec(store)?.[1];
  return path === undefined ? null : resolve(root, path);
}

async function reached<T>(config: Where, open: () => Promise<Store>, use: (store: Store) => Promise<T>): Promise<T> {
  if (describeStore(config.store).kind === "memory") throw new CommandError(exit.store, inMemory);
  try {
    return await within(PATIENCE, async () => {
      const store = await open();
      try {
        return await use(store);
      } finally {
        await store.shut();
      }
    });
  } catch (error) {
    if (error instanceof CommandError || error instanceof ConfigError) throw error;
    throw new CommandError(exit.store, unreachable(config, error));
  }
}

const inMemory =
  "The store is memory:, which lives inside the process that counts and ends with it. Ask that process " +
  '(`import { status, pause, resume } from "budget-guard"`),\nor share a store: ' +
  "BUDGET_GUARD_STORE=file:.budget-guard/ledger.db or redis://HOST:PORT.";

function unreachable(config: Where, error: unknown): string {
  const reason = withoutSecrets(error instanceof Error ? error.message : String(error), config.store);
  return `The store ${address(config.store)} cannot be reached: ${reason.replace(/\.$/, "")}.\n${advice(config)}`;
}

function advice(config: Where): string {
  switch (ledgerFile(config)?.engine) {
    case "journal":
      return "While a process counts in it, only that process can change it: by `pause` and `resume` of its API.";
    case "sqlite":
      return "Check that the file is a ledger of budget-guard, and that you may read and write it and its folder.";
    default:
      return "Check that it is running there, that this machine may reach it, and that BUDGET_GUARD_STORE is right.";
  }
}

async function within<T>(ms: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1_000} seconds`)), ms);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
