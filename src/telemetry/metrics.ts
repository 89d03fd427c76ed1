import type { Attributes, Counter, Histogram, Meter, MeterProvider } from "@opentelemetry/api";
import type { Bill, Call, Cost } from "../call/call.ts";
import { conventional, guard, labels, metrics as names } from "./attributes.ts";
import { errorOf } from "./bill.ts";
import { decidingRule, decisionOf, verdictOf } from "./decision.ts";
import { operationAttributes } from "./request.ts";
import type { Arrival, Decided, Ended, Later, PolicyEvent, Unseen } from "./telemetry.ts";
import { money } from "./values.ts";

export interface MetricsOptions {
  /** The meter provider that is registered now, null where none is. */
  readonly meters: () => MeterProvider | null;
  readonly version: string;
}

interface Instruments {
  readonly duration: Histogram;
  readonly operationCost: Histogram;
  readonly tokens: Histogram;
  readonly cost: Counter;
  readonly prevented: Counter;
  readonly decisions: Counter;
  readonly check: Histogram;
  readonly reloads: Counter;
  readonly unseen: Counter;
}

/** Values of one attribute that are told apart; callers choose model and feature names, and every one is a series. */
const MOST_VALUES = 100;
const OTHER = "_other";

/**
 * Counters and histograms through the application's meter provider. Whatever is recorded before there is one is lost, so
 * the instruments are made anew whenever another provider is registered: one comparison a call.
 */
export class Metrics {
  readonly #options: MetricsOptions;
  readonly #model = few(MOST_VALUES);
  readonly #feature = few(MOST_VALUES);
  #provider: MeterProvider | null = null;
  #instruments: Instruments | null = null;
  /** What `budget_guard.info` says, null until something was decided. */
  #inForce: Attributes | null = null;
  /** What it said before a reload: exporters repeat the last value of a series for ever. */
  #before: Attributes | null = null;

  constructor(options: MetricsOptions) {
    this.#options = options;
  }

  /** Counts a decision. */
  begin(decided: Decided): void {
    this.#inForce ??= this.#info(decided.policy.hash, decided.mode);
    const to = this.#current();
    if (to === null) return;
    const decision = decisionOf(decided);
    const rule = decidingRule(decided)?.rule.id;
    const by = given({ [guard.ruleId]: rule, [guard.feature]: this.#featureOf(decided.call) });
    to.decisions.add(1, {
      [guard.decision]: decision,
      [guard.verdict]: verdictOf(decided),
      [guard.mode]: decided.mode,
      ...by,
    });
    to.check.record(decided.checkSeconds, { [guard.store]: decided.store.kind, [guard.decision]: decision });
    if (decided.refused) to.prevented.add(money(decided.call.cost.total), by);
  }

  /** Counts what an allowed call was; `own`: no other instrumentation reports it. */
  end(arrival: Arrival, decided: Decided, ended: Ended, own: boolean): void {
    const to = this.#current();
    if (to === null) return;
    const call = this.#asked(decided.call);
    const by = given({ [guard.feature]: this.#featureOf(decided.call) });
    if (own) recordDuration(to, call, arrival, ended);
    // What goes on is counted at its end, once.
    if (ended.work !== undefined) return;
    if (own) recordUsage(to, call, by, ended.bill);
    if (decided.call.spending !== "metered") return;
    addCost(to, { ...call, ...by, [labels.attempt]: decided.attemptNumber > 0 ? "retry" : "first" }, ended.bill.cost);
  }

  /** Counts what work cost that went on after its call; no other instrumentation hears of it. */
  later({ call, bill }: Later): void {
    const to = this.#current();
    if (to === null) return;
    const asked = this.#asked(call);
    const by = given({ [guard.feature]: this.#featureOf(call) });
    recordUsage(to, asked, by, bill);
    addCost(to, { ...asked, ...by, [labels.attempt]: "first" }, bill.cost);
  }

  /** Counts a request that nobody could judge. */
  unseen({ provider, transport, refused }: Unseen): void {
    const decision = refused ? "deny" : "allow";
    const by = { [conventional.provider]: provider, [guard.transport]: transport, [guard.decision]: decision };
    this.#current()?.unseen.add(1, by);
  }

  /** Counts a reload, and says which policy is in force. */
  policy(event: PolicyEvent, mode: Decided["mode"]): void {
    const inForce = this.#info(event.hash, mode);
    if (this.#inForce?.[guard.policyHash] !== event.hash) this.#before = this.#inForce;
    this.#inForce = inForce;
    this.#current()?.reloads.add(1, { [labels.outcome]: event.kind });
  }

  #asked(call: Call): Attributes {
    const operation = operationAttributes(call);
    const model = operation[conventional.requestModel];
    return typeof model === "string" ? { ...operation, [conventional.requestModel]: this.#model(model) } : operation;
  }

  #featureOf({ subject: { feature } }: Call): string | undefined {
    return feature === undefined || feature.startsWith("(") ? undefined : this.#feature(feature);
  }

  #info(hash: string, mode: string): Attributes {
    return { [labels.version]: this.#options.version, [guard.policyHash]: hash, [guard.mode]: mode };
  }

  #current(): Instruments | null {
    const provider = this.#options.meters();
    if (provider === this.#provider) return this.#instruments;
    this.#provider = provider;
    this.#instruments = provider === null ? null : this.#make(provider);
    return this.#instruments;
  }

  #make(provider: MeterProvider): Instruments {
    const meter = provider.getMeter("budget-guard", this.#options.version);
    meter
      .createObservableGauge(names.info, {
        description: "1 for the guard and policy in force, 0 for the policy before.",
      })
      .addCallback((result) => {
        if (this.#before !== null) result.observe(0, this.#before);
        if (this.#inForce !== null) result.observe(1, this.#inForce);
      });
    return instrumentsOf(meter);
  }
}

function recordDuration(to: Instruments, call: Attributes, arrival: Arrival, ended: Ended): void {
  const error = errorOf(ended.outcome);
  const seconds = Math.max(0, ended.endedAt - arrival.at) / 1000;
  to.duration.record(seconds, error === null ? call : { ...call, [conventional.errorType]: error });
}

function recordUsage(to: Instruments, call: Attributes, by: Attributes, { cost, usage }: Bill): void {
  if (cost.total > 0) to.operationCost.record(money(cost.total), { ...call, ...by });
  const { inputTokens, outputTokens } = usage;
  if (inputTokens > 0) to.tokens.record(inputTokens, { ...call, [labels.tokenType]: "input" });
  if (outputTokens > 0) to.tokens.record(outputTokens, { ...call, [labels.tokenType]: "output" });
}

function addCost(to: Instruments, by: Attributes, cost: Cost): void {
  for (const [part, name] of PARTS) {
    if (cost[part] > 0) to.cost.add(money(cost[part]), { ...by, [labels.costPart]: name });
  }
}

const PARTS: readonly (readonly [part: keyof Cost, name: string])[] = [
  ["input", "input"],
  ["output", "output"],
  ["cacheRead", "cache_read"],
  ["cacheWrite", "cache_write"],
  ["reasoning", "reasoning"],
  ["tools", "tools"],
];

function instrumentsOf(meter: Meter): Instruments {
  const histogram = (name: string, unit: string, description: string, bounds: readonly number[]): Histogram =>
    meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries: [...bounds] } });
  const counter = (name: string, unit: string, description: string): Counter =>
    meter.createCounter(name, { unit, description });
  return {
    duration: histogram(names.duration, "s", "How long the provider took.", SECONDS),
    operationCost: histogram(names.operationCost, "{USD}", "What one call cost.", DOLLARS),
    tokens: histogram(names.tokens, "{token}", "Tokens of one call.", TOKENS),
    cost: counter(names.cost, "{USD}", "What calls cost, by part."),
    prevented: counter(names.prevented, "{USD}", "What refused calls were expected to cost."),
    decisions: counter(names.decisions, "{decision}", "What was decided about calls."),
    check: histogram(names.check, "s", "What the guard added to a call, waits left out.", CHECK_SECONDS),
    reloads: counter(names.reloads, "{reload}", "Changed policies, taken up or not."),
    unseen: counter(names.unseen, "{request}", "Requests to providers that no hook saw."),
  };
}

/** Buckets of the GenAI conventions (gen_ai.client.operation.duration, gen_ai.client.token.usage). */
const SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const TOKENS = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864];
const DOLLARS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];
const CHECK_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

/** Lets the first values through and calls all later ones the same. */
function few(most: number): (value: string) => string {
  const seen = new Set<string>();
  return (value) => {
    if (seen.has(value)) return value;
    if (seen.size >= most) return OTHER;
    seen.add(value);
    return value;
  };
}

function given(attributes: Readonly<Record<string, string | undefined>>): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
