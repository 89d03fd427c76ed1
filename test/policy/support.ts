/**
 * Plans from text, and readings by meter name instead of index.
 * @module
 */
import { compile } from "../../src/policy/compile.ts";
import { renderAll } from "../../src/policy/diagnostics.ts";
import type { Plan } from "../../src/policy/plan.ts";
import type { MeterState, Readings } from "../../src/policy/readings.ts";

/** 2026-11-22 is a Sunday; 14:02 UTC. */
export const NOW = Date.parse("2026-11-22T14:02:00Z");

export const HOUR = 3_600_000;

/** The plan of one file, `p.budget`; throws every diagnostic where it has errors. */
export function planOf(text: string): Plan {
  const { plan, diagnostics, sources } = compile([{ file: "p.budget", text }]);
  if (plan === null) throw new Error(renderAll(diagnostics, sources));
  return plan;
}

export interface Wishes extends Partial<Omit<Readings, "meters">> {
  /** By meter id; what is not named is empty, and a call adds 0 to it. */
  readonly meters?: Readonly<Record<string, Partial<MeterState>>>;
}

export function readingsOf(plan: Plan, { meters = {}, ...rest }: Wishes = {}): Readings {
  const known = plan.meters.map(({ id }) => id);
  for (const id of Object.keys(meters)) {
    if (!known.includes(id)) throw new Error(`no meter ${id}; there are ${known.join(", ")}`);
  }
  return {
    now: NOW,
    attemptNumber: 0,
    closed: new Map(),
    byHand: [],
    limits: new Map(),
    ...rest,
    meters: known.map((id) => ({ spent: 0, held: 0, add: 0, resetsAt: null, ...meters[id] })),
  };
}
