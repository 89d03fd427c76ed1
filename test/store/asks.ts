import type { Window } from "../../src/policy/plan.ts";
import type { Charge, JudgeRequest, MeterAsk, Settlement, Stop } from "../../src/store/store.ts";

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

export const hourly: Window = { kind: "hourly", timezone: "UTC" };
export const total: Window = { kind: "total" };
export const run: Window = { kind: "run" };
export const inFlight: Window = { kind: "now" };
export const last = (ms: number): Window => ({ kind: "last", ms });

let serial = 0;
/** A name that no other test of this process uses. */
export const unique = (word: string): string => `${word}-${process.pid}-${++serial}`;

/** A meter that this call adds 10 to. */
export const aMeter = (more: Partial<MeterAsk> = {}): MeterAsk => ({
  key: "tenant.cost.hourly|acme",
  window: hourly,
  add: 10,
  floor: 0,
  ...more,
});

/** A stop that fires above (or at) a limit of the first meter, or the one given. */
export const above = (limit: number, meter = 0, orEqual = false): Stop => ({
  tests: [{ kind: "fixed", meter, limit, orEqual }],
  closes: null,
});

/** A judgement on one meter, without stops. */
export const aRequest = (more: Partial<JudgeRequest> = {}): JudgeRequest => ({
  attempt: unique("attempt"),
  holdMs: 60_000,
  meters: [aMeter()],
  stops: [],
  gates: [],
  limits: [],
  run: "r1",
  fingerprint: null,
  sdkRetry: null,
  ...more,
});

export const aCharge = (more: Partial<Charge> = {}): Charge => ({
  key: "tenant.cost.hourly|acme",
  window: hourly,
  amount: 10,
  ...more,
});

/** A bill of 10 on one meter, judged at the moment given. */
export const aSettlement = (attempt: string, judgedAt: number, more: Partial<Settlement> = {}): Settlement => ({
  attempt,
  judgedAt,
  charges: [aCharge()],
  run: "r1",
  fingerprint: null,
  outcome: "none",
  lessons: [],
  ...more,
});
