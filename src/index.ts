/**
 * budget-guard inside a program: who a call is for, how budgets stand, pausing and resuming.
 * The guard itself is loaded by `node --require budget-guard/register app.js`.
 *
 * @example
 * import { withBudget } from "budget-guard";
 * await withBudget({ tenant: "acme", feature: "research", run: jobId }, () => agent.run(task));
 * @module
 */
import { now } from "./clock.ts";
import { readConfig } from "./config.ts";
import { ConfigError } from "./errors.ts";
import { closedGates, type Gate, isExactly, openGates, pauseScope, type Scope, whyNotPausable } from "./gates.ts";
import { readFirst } from "./rereading.ts";
import { type Ledger, shared } from "./shared.ts";
import { readStatus, type Status } from "./status.ts";
import { openStore } from "./store/open.ts";

export { withBudget } from "./call/context.ts";
export { BudgetExceededError, ConfigError, PolicyError, type RefusalDetail } from "./errors.ts";
export type { Gate, Scope } from "./gates.ts";
export type { ClosedStatus, LimitStatus, MeterStatus, Status } from "./status.ts";

/** Every meter with what is spent, held and allowed, and every closed gate: the numbers that decisions are made on. */
export const status = (): Promise<Status> =>
  withLedger(({ store, plan, mode }) => readStatus(store, store.name, plan, mode));

/** Stops all calls of a scope (`{ tenant: "acme" }`; `{}` is everything), for `ms` or until someone resumes it. */
export const pause = (scope: Scope, ms: number | null = null): Promise<void> =>
  withLedger(async ({ store, plan }) => {
    const why = whyNotPausable(plan, scope);
    if (why !== null) throw new ConfigError(why);
    await pauseScope(store, plan, scope, ms);
  });

/** Lets a scope go on, whether a rule or a person stopped it; returns the gates that were closed. */
export const resume = (scope: Scope): Promise<readonly Gate[]> =>
  withLedger(({ store, plan }) => openGates(store, plan, (gate) => isExactly(gate, scope)));

/** The gates that are closed now: paused scopes and tripped breakers. */
export const closed = (): Promise<readonly Gate[]> => withLedger(({ store, plan }) => closedGates(store, plan));

/** Waits until every finished call is settled; call it before `process.exit()`. */
export const flush = async (): Promise<void> => shared()?.flush();

/** The ledger of the guard in this process, or, where none is loaded, the one that the settings name, opened for this. */
async function withLedger<T>(use: (ledger: Ledger) => Promise<T>): Promise<T> {
  const live = shared()?.ledger;
  if (live) {
    await live.fresh?.();
    return use(live);
  }
  const config = readConfig(process.env, process.cwd());
  const { plan } = readFirst(config);
  const store = await openStore(config.store, { root: config.root, clock: now });
  try {
    return await use({ store, plan, mode: config.mode });
  } finally {
    await store.shut();
  }
}
