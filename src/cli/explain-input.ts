/**
 * From what `explain` is given to a simulated call: its facts, and what went before it.
 * @module
 */
import type { Call } from "../call/call.ts";
import { DEFAULT_OUTPUT } from "../call/estimate.ts";
import { loadPrices } from "../call/price.ts";
import type { Config } from "../config.ts";
import type { Finding } from "../policy/finding.ts";
import { indexRules } from "../policy/match.ts";
import type { Plan } from "../policy/plan.ts";
import type { Readings } from "../policy/readings.ts";
import { type Simulated, simulate } from "../policy/simulate.ts";
import { type CallFacts, callOf, type Estimator } from "../policy/simulate-call.ts";
import { contextFor, readingsOf, timeOf } from "../policy/suite.ts";
import { readFacts } from "../policy/suite-facts.ts";
import { type Given, readGivens } from "../policy/suite-givens.ts";
import { describeStore } from "../store/open.ts";
import { bad, testOf, told } from "./call-file.ts";
import { estimatorOf } from "./estimator.ts";
import { liveReadings } from "./explain-readings.ts";
import { withLedgerToRead } from "./ledger.ts";
import { type RecordedCall, recordedCall } from "./recorded-call.ts";
import { roomAt } from "./room.ts";
import type { World } from "./verb.ts";

export interface Explained {
  readonly simulated: Simulated;
  /** Where the readings are from, for people. */
  readonly source: string;
  /** What was assumed. */
  readonly notes: readonly string[];
}

interface Input {
  readonly text: string;
  /** Of the file, for people. */
  readonly name: string;
  /** Whether the ledger is read. */
  readonly live: boolean;
}

/** Simulates the call that the text describes, against the ledger as it stands or against nothing. */
export async function simulateCall(plan: Plan, config: Config, input: Input, world: World): Promise<Explained> {
  const prices = await loadPrices(config.prices ?? {}, world.clock);
  const estimator = estimatorOf(prices);
  const recorded = recordedCall(input.text, plan, prices);
  if (typeof recorded === "string") throw bad(input.name, [recorded]);
  const { facts, given, now, notes } =
    recorded === null ? described(plan, input, estimator, world.clock()) : asRecorded(recorded);
  const simulation = { plan, rulesFor: indexRules(plan), estimator };
  const run = (read: (call: Call) => Readings | Promise<Readings>): Promise<Simulated> =>
    simulate(simulation, facts, read, given.storeDown);
  const model = callOf(facts, plan.dimensions, estimator).model;
  const told = given.meters.size === 0 ? "" : `, and what ${input.name} says`;
  const fromNothing = async (source: string): Promise<Explained> => ({
    simulated: await run(readingsOf({ plan, resetsAt: roomAt }, facts, given, now, model)),
    source: `${source}${told}`,
    notes,
  });
  if (!input.live) return await fromNothing("nothing went before");
  const { kind, name } = describeStore(config.store);
  if (kind === "memory") return await fromNothing("the store is memory:, which only its own process can read: nothing");
  return await withLedgerToRead(config, world, async (store) => {
    if (store === null) return await fromNothing(`nothing, since ${name} is not there yet`);
    return {
      simulated: await run((call) => liveReadings(store, plan, call, facts, given, now)),
      source: `${store.name} as it stands${told}`,
      notes,
    };
  });
}

interface Described {
  readonly facts: CallFacts;
  readonly given: Given;
  /** ms since 1970. */
  readonly now: number;
  readonly notes: readonly string[];
}

const asRecorded = ({ facts, meters, at, notes }: RecordedCall): Described => ({
  facts,
  given: { meters, limits: new Map(), storeDown: false },
  now: at,
  notes,
});

function described(plan: Plan, { text, name }: Input, estimator: Estimator, clock: number): Described {
  const findings: Finding[] = [];
  const context = contextFor(plan, (finding) => findings.push(finding));
  const test = testOf(text, name, plan.dimensions);
  const read = readFacts(test, context);
  const now = timeOf(test, clock, context);
  if (read === null || now === null) throw bad(name, findings.map(told));
  const { facts, notes } = completed(read);
  const given = readGivens(test, plan, callOf(facts, plan.dimensions, estimator), context);
  if (given === null || findings.length > 0) throw bad(name, findings.map(told));
  return { facts, given, now, notes };
}

/** A call whose answer nobody limits is estimated as the guard does until it has learned better. */
function completed(facts: CallFacts): { readonly facts: CallFacts; readonly notes: readonly string[] } {
  const open = facts.outputTokens === null && facts.maxTokens === null;
  if (!open || facts.model === null || facts.cost !== null || facts.unmetered) return { facts, notes: [] };
  const note = `Nothing is said of its answer: taken as ${DEFAULT_OUTPUT} tokens, as the guard does at first. Say max_tokens.`;
  return { facts: { ...facts, outputTokens: DEFAULT_OUTPUT }, notes: [note] };
}
