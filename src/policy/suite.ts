/**
 * Tests in the language: each is one call, simulated, and compared with what was expected of it.
 * In: the tests of a `*.test.budget` file and the policy they are about. Out: what each came to, and why.
 * @module
 */
import type { Call } from "../call/call.ts";
import type { ExpectNode, TestNode } from "./ast.ts";
import type { Context } from "./draft.ts";
import { explainOne, type RuleReport } from "./explain-call.ts";
import type { Finding } from "./finding.ts";
import type { Metric, Plan, Rule, Window } from "./plan.ts";
import { figureOfCall, type Readings } from "./readings.ts";
import { type Simulated, type Simulation, simulate } from "./simulate.ts";
import { type CallFacts, callOf } from "./simulate-call.ts";
import { closest } from "./suggest.ts";
import { readFacts } from "./suite-facts.ts";
import { type Given, readGivens } from "./suite-givens.ts";
import { expectations, givens } from "./suite-messages.ts";
import { happenedText, outcomeOf, reasonText, wrongText } from "./suite-outcome.ts";

export interface TestResult {
  readonly test: TestNode;
  readonly passed: boolean;
  /** What is wrong with the test, or what came instead of what it expects. */
  readonly findings: readonly Finding[];
  /** `denied by "loop"`; null where the test could not be run. */
  readonly happened: string | null;
  /** What the rules that matter to the failure read; empty where it passed. */
  readonly reports: readonly RuleReport[];
  readonly simulated: Simulated | null;
}

/** What a suite runs in: the policy, the time of tests that name none, and when a window ends (ms since 1970, null: never). */
export interface SuiteWorld extends Simulation {
  readonly now: number;
  readonly resetsAt: (window: Window, now: number) => number | null;
}

/** Runs one test. */
export async function runTest(test: TestNode, world: SuiteWorld): Promise<TestResult> {
  const findings: Finding[] = [];
  const context = contextFor(world.plan, (finding) => findings.push(finding));
  const prepared = prepare(test, world, context);
  findings.sort((a, b) => a.span.start - b.span.start);
  if (prepared === null || findings.length > 0) {
    return { test, passed: false, findings, happened: null, reports: [], simulated: null };
  }
  const { facts, read, storeDown } = prepared;
  const simulated = await simulate(world, facts, read, storeDown);
  const failure = compare(test.expect, world.plan, simulated);
  return {
    test,
    passed: failure === null,
    findings: failure === null ? [] : [failure],
    happened: happenedText(outcomeOf(simulated)),
    reports: failure === null ? [] : relevant(test.expect, world.plan, simulated),
    simulated,
  };
}

/** A context for checking tests: the names of the plan, and nothing of the files that it was made from. */
export function contextFor({ dimensions }: Pick<Plan, "dimensions">, report: (finding: Finding) => void): Context {
  const names = { dimensions: new Set(dimensions), budgets: new Map(), limits: new Map(), units: new Map() };
  return { names, timezone: "UTC", models: null, report };
}

interface Prepared {
  readonly facts: CallFacts;
  readonly read: (call: Call) => Readings;
  readonly storeDown: boolean;
}

function prepare(test: TestNode, world: SuiteWorld, context: Context): Prepared | null {
  checkReason(test.expect, world.plan, context);
  const facts = readFacts(test, context);
  const now = timeOf(test, world.now, context);
  // What is given is checked all the same, so that everything wrong with a test is said at once.
  const call = callOf(facts ?? NO_FACTS, world.plan.dimensions, world.estimator);
  const given = readGivens(test, world.plan, call, context);
  if (facts === null || given === null || now === null) return null;
  return { facts, read: readingsOf(world, facts, given, now, call.model), storeDown: given.storeDown };
}

/** A call of which nothing is said. */
export const NO_FACTS: CallFacts = Object.freeze({
  subject: Object.freeze({}),
  provider: null,
  model: null,
  cost: null,
  inputTokens: null,
  outputTokens: null,
  maxTokens: null,
  retries: 0,
  repeat: false,
  newRun: true,
  unpriced: null,
  unmetered: false,
});

/** When the call is made, ms since 1970: what `at` says, else `now`; null with a report. */
export function timeOf({ at }: TestNode, now: number, context: Context): number | null {
  if (at === null) return now;
  // A time without a zone would be another one on every machine.
  const zoned = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(at.value);
  const ms = zoned && isDay(at.value.slice(0, 10)) ? Date.parse(at.value) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  context.report(givens.time(at.span, at.value));
  return null;
}

/** 31 April would quietly be 1 May. */
function isDay(day: string): boolean {
  const midnight = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(day);
}

function checkReason({ by }: ExpectNode, plan: Plan, context: Context): void {
  if (by === null) return;
  const name = by.kind === "Name" ? by.text : by.value;
  if (ruleNamed(plan, name) !== null) return;
  const known = plan.rules.map(({ id }) => id);
  context.report(expectations.rule(by.span, name, closest(name, known)));
}

/** The rule with this label, or with this text. */
export const ruleNamed = (plan: Plan, name: string): Rule | null =>
  plan.rules.find(({ id }) => id === name) ?? plan.rules.find(({ text }) => text === name) ?? null;

/** What the meters of a call read: what is given, for the call as it came; a meter of another model has seen nothing. */
export function readingsOf(
  { plan, resetsAt }: Pick<SuiteWorld, "plan" | "resetsAt">,
  facts: CallFacts,
  given: Pick<Given, "meters" | "limits">,
  now: number,
  model: string,
): (call: Call) => Readings {
  return (call) => ({
    now,
    meters: plan.meters.map(({ metric, window, scopes }, index) => {
      const other = call.model !== model && scopes.includes("model");
      const before = other ? 0 : (given.meters.get(index) ?? 0);
      const inFlight = metric === "concurrency";
      return {
        spent: inFlight ? 0 : before,
        held: inFlight ? before : 0,
        add: adds(metric, call, facts),
        resetsAt: before === 0 && window.kind === "last" ? null : resetsAt(window, now),
      };
    }),
    attemptNumber: facts.retries,
    closed: new Map(),
    byHand: [],
    limits: given.limits,
  });
}

/** What a call adds to a meter of this metric. */
export function adds(metric: Metric, call: Call, facts: Pick<CallFacts, "retries" | "repeat" | "newRun">): number {
  switch (metric) {
    case "cost":
    case "tokens":
    case "input_tokens":
    case "output_tokens":
      return figureOfCall(call, metric, facts.retries);
    case "calls":
    case "concurrency":
      return 1;
    case "retries":
      return facts.retries > 0 ? 1 : 0;
    case "repeats":
      return facts.repeat ? 1 : 0;
    case "runs":
      return facts.newRun ? 1 : 0;
    case "errors":
      return 0;
  }
}

/** Null where the call came out as expected, for the reason that was expected. */
function compare({ verdict, by, span }: ExpectNode, plan: Plan, simulated: Simulated): Finding | null {
  const outcome = outcomeOf(simulated);
  const rule = by === null ? null : ruleNamed(plan, by.kind === "Name" ? by.text : by.value);
  const reasons = outcome.acts.get(verdict);
  if (reasons !== undefined && (rule === null || reasons.includes(rule.id))) return null;
  const said = simulated.verdict.decided?.message ?? null;
  const help = rule === null ? null : reasonText(explainOne(plan, rule, simulated));
  return expectations.failed(span, wrongText(verdict, rule?.id ?? null, outcome), said, help);
}

/** The rule that was expected to speak, and those that did. */
function relevant({ by }: ExpectNode, plan: Plan, simulated: Simulated): readonly RuleReport[] {
  const wanted = by === null ? null : ruleNamed(plan, by.kind === "Name" ? by.text : by.value);
  const all = plan.rules.map((rule) => explainOne(plan, rule, simulated));
  const concerned = all.filter(({ rule, fired }) => fired || rule.id === wanted?.id);
  return concerned.length > 0 ? concerned : all.filter(({ matches, conditions }) => matches && conditions.length > 0);
}
