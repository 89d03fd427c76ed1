/**
 * A call made from facts, for tests and explanations: what is not said of it is nothing.
 * In: facts such as tenant, model, cost, tokens, and what is known of prices. Out: a `Call` as the guard would make one.
 * @module
 */
import { type Call, type Cost, NONE } from "../call/call.ts";

/** What is said of a call. Money in nano-dollars. */
export interface CallFacts {
  /** Scope or dimension → value. */
  readonly subject: Readonly<Record<string, string>>;
  readonly provider: string | null;
  readonly model: string | null;
  readonly cost: number | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  /** The output limit that the request itself sets. */
  readonly maxTokens: number | null;
  /** Which attempt it is: 0 for the first. */
  readonly retries: number;
  /** Whether the same question was answered before in this run. */
  readonly repeat: boolean;
  /** Whether no meter has seen its run yet. */
  readonly newRun: boolean;
  /** Null: as the price table says. */
  readonly unpriced: boolean | null;
  readonly unmetered: boolean;
}

/** What is known of models and their prices; given by whoever simulates. */
export interface Estimator {
  canonical(model: string): string;
  /** The provider that lists the model, null where none does. */
  providerOf(model: string): string | null;
  estimate(
    provider: string,
    model: string,
    inputTokens: number,
    outputTokens: number,
  ): { readonly cost: Cost; readonly unpriced: boolean };
  /** Why this provider cannot be asked `model` in place of `asked`, null where it can. */
  whyElsewhere(provider: string, asked: string, model: string): string | null;
}

/** The model of a call that names none, as the guard calls it. */
export const UNKNOWN_MODEL = "(unknown)";
/** Every call has a run. */
const UNNAMED_RUN = "this run";

/** The call that the facts describe. */
export function callOf(facts: CallFacts, dimensions: readonly string[], estimator: Estimator): Call {
  const modelAsSent = facts.model ?? UNKNOWN_MODEL;
  const model = facts.model === null ? UNKNOWN_MODEL : estimator.canonical(facts.model);
  const provider = facts.provider ?? (facts.model === null ? null : estimator.providerOf(facts.model)) ?? "openai";
  const subject: Record<string, string> = {};
  for (const name of ["tenant", "feature", "agent", "user", "key", ...dimensions]) subject[name] = NONE;
  const outputTokens = facts.outputTokens ?? facts.maxTokens ?? 0;
  return Object.freeze({
    attempt: "simulated",
    provider,
    operation: "chat",
    spending: facts.unmetered ? "unmetered" : "metered",
    model,
    modelAsSent,
    host: "",
    port: 443,
    path: "",
    subject: Object.freeze({ ...subject, run: UNNAMED_RUN, ...facts.subject, model, provider }),
    runSource: "explicit",
    stream: false,
    maxTokens: facts.maxTokens,
    inputTokens: facts.inputTokens ?? 0,
    outputTokens,
    ...priced(facts, provider, modelAsSent, facts.inputTokens ?? 0, outputTokens, estimator),
    fingerprint: null,
    sdkRetry: facts.retries,
  });
}

/** The same call asking another model: its price, its subject and its meters are those of the new one. */
export function askingFor(call: Call, facts: CallFacts, asked: string, estimator: Estimator): Call {
  const model = estimator.canonical(asked);
  return Object.freeze({
    ...call,
    model,
    modelAsSent: asked,
    subject: Object.freeze({ ...call.subject, model }),
    ...priced(facts, call.provider, asked, call.inputTokens, call.outputTokens, estimator),
  });
}

/** The same call with its answer limited. */
export function cappedAt(call: Call, facts: CallFacts, tokens: number, estimator: Estimator): Call {
  const outputTokens = Math.min(call.outputTokens, tokens);
  return Object.freeze({
    ...call,
    maxTokens: tokens,
    outputTokens,
    ...priced(facts, call.provider, call.modelAsSent, call.inputTokens, outputTokens, estimator),
  });
}

/** Tokens of a call that only its cost is known of, to compare the prices of two models by. */
const USUAL = 1_000;

/** A cost that was said is of the call as it came: another model or a shorter answer changes it in proportion. */
function priced(
  facts: CallFacts,
  provider: string,
  model: string,
  inputTokens: number,
  outputTokens: number,
  estimator: Estimator,
): Pick<Call, "cost" | "unpriced"> {
  if (facts.unmetered) return { cost: ofInput(0), unpriced: false };
  if (facts.model === null) return { cost: ofInput(facts.cost ?? 0), unpriced: facts.unpriced ?? false };
  const now = estimator.estimate(provider, model, inputTokens, outputTokens);
  const unpriced = model === facts.model ? (facts.unpriced ?? now.unpriced) : now.unpriced;
  if (facts.cost === null) return { cost: now.cost, unpriced };
  const [saidInput, saidOutput] = [facts.inputTokens ?? 0, facts.outputTokens ?? facts.maxTokens ?? 0];
  const known = saidInput + saidOutput > 0;
  const before = known
    ? estimator.estimate(provider, facts.model, saidInput, saidOutput)
    : estimator.estimate(provider, facts.model, USUAL, USUAL);
  const after = known ? now : estimator.estimate(provider, model, USUAL, USUAL);
  const ratio = before.cost.total === 0 ? 1 : after.cost.total / before.cost.total;
  return { cost: ofInput(Math.round(facts.cost * ratio)), unpriced };
}

const ofInput = (total: number): Cost =>
  Object.freeze({ input: total, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0, tools: 0, total });
