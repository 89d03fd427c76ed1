/**
 * What the ledger says of a call, without changing it: every meter of the policy, limits that the store keeps, gates.
 * @module
 */
import type { Call } from "../call/call.ts";
import { gateKey, meterKey, readGateKey } from "../keys.ts";
import type { Plan } from "../policy/plan.ts";
import type { MeterState, Readings } from "../policy/readings.ts";
import type { CallFacts } from "../policy/simulate-call.ts";
import { adds } from "../policy/suite.ts";
import type { Store } from "../store/store.ts";

/** Readings of the ledger as it stands at `now`; `given` replaces what is spent on single meters, and limits. */
export async function liveReadings(
  store: Store,
  plan: Plan,
  call: Call,
  facts: CallFacts,
  given: { readonly meters: ReadonlyMap<number, number>; readonly limits: ReadonlyMap<string, number> },
  now: number,
): Promise<Readings> {
  const asks = plan.meters.map((meter) => ({ key: meterKey(meter, call.subject), window: meter.window }));
  const [found, kept, gates] = await Promise.all([store.read(asks), store.limits(), store.gates()]);
  const meters = plan.meters.map(({ metric }, index): MeterState => {
    const { spent = 0, held = 0, resetsAt = null } = found[index] ?? {};
    const told = given.meters.get(index);
    const before = told === undefined ? { spent, held } : { spent: told, held: 0 };
    return { ...before, add: adds(metric, call, facts), resetsAt };
  });
  const closed = new Map<string, { readonly since: number; readonly until: number | null }>();
  const byKey = new Map(gates.map((gate) => [gate.key, gate]));
  for (const { id, closes, shadow } of plan.rules) {
    const gate = shadow ? undefined : byKey.get(gateKey(id, closes, call.subject));
    if (gate !== undefined) closed.set(id, { since: gate.since, until: gate.until });
  }
  const byHand = gates.flatMap(({ key, since, until }) => {
    const { rule, scope } = readGateKey(key);
    return rule === null ? { scope, since, until } : [];
  });
  return {
    now,
    meters,
    attemptNumber: facts.retries,
    closed,
    byHand,
    limits: new Map([...kept, ...given.limits]),
  };
}
