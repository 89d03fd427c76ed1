import type { Charge, Settlement } from "./store.ts";

/** A settlement that remembers nothing of its call; without charges it gives back what is held, and that is all. */
export const plainSettlement = (
  attempt: string,
  judgedAt: number,
  charges: readonly Charge[] = [],
  run = "",
): Settlement => ({ attempt, judgedAt, charges, run, fingerprint: null, outcome: "none", lessons: [] });
