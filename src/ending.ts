/**
 * The end of a process whose ledger is away: one last attempt to deliver what was spent, and a word if it failed.
 * @module
 */
import type { FallbackStore } from "./store/fallback.ts";
import type { Log } from "./telemetry/log.ts";

/** Delivers waiting bills when the program has run out of work, for at most `ms`; a process that is killed cannot. */
export function deliverBeforeExit(
  store: Pick<FallbackStore, "waiting" | "flush" | "name">,
  log: Log,
  ms: number,
): void {
  let tried = false;
  process.on("beforeExit", () => {
    // Work done here makes Node ask again: once is enough, or a process without a ledger would never end.
    if (tried || store.waiting === 0) return;
    tried = true;
    void store.flush(ms).then((delivered) => {
      if (!delivered) log.error(undelivered(store.waiting, store.name));
    });
  });
}

const undelivered = (waiting: number, name: string): string =>
  `${waiting === 1 ? "the bill of one call" : `the bills of ${waiting} calls`} could not be delivered to the ledger ` +
  `(${name}) before this process ended: its meters read less than was spent.`;
