/**
 * Max_Burn from the policy itself: what calls can burn until a rule ends it, without anybody looking.
 *
 *     Max_Burn = iterations × tokens per call × model rate × retries × concurrency
 *
 * Each factor is bounded by a rule, or it is not. Where a rule bounds money itself, the tighter of the two counts.
 * In: a plan, the models that calls may ask for. Out: bounds. Sound: filters that may not hold bound nothing.
 * @module
 */
import { type Bound, boundsFor, type RetryLimit, retryLimitFor } from "./burn-bounds.ts";
import { type LargestCall, largestCall, type PricedModel } from "./burn-call.ts";
import type { Population } from "./burn-filter.ts";
import { horizons, moneyOf, moneyWithin } from "./burn-money.ts";
import type { Plan, Rule } from "./plan.ts";

export interface BurnOptions {
  /** Models that calls may ask for; the dearest of them decides. */
  readonly models: readonly PricedModel[];
  /** Models that rules may route to, where these are others; else the same. */
  readonly targets?: readonly PricedModel[];
  /** How many runs there are at once in all, as the deployment itself sees to; null where nobody says. */
  readonly concurrency: number | null;
}

/** How many runs go at once: for each combination of the scopes' values, or in all. `bound` null: the deployment says so. */
export interface Parallel {
  readonly most: number;
  readonly scopes: readonly string[];
  readonly bound: Bound | null;
}

/** Nano-dollars for each combination of these scopes' values, or in all where there are none; and what sees to it. */
export interface Ceiling {
  readonly scopes: readonly string[];
  readonly nano: number;
  readonly by:
    | { readonly kind: "runs"; readonly run: number; readonly parallel: Parallel }
    | { readonly kind: "rule"; readonly rule: Rule; readonly final: boolean; readonly live: boolean };
}

export interface Burn {
  readonly population: Population;
  /** The dearest call that is let go; null where every model is refused. */
  readonly call: LargestCall | null;
  /** The largest call of the model with the dearest tokens, which many small calls may ask for. */
  readonly dearest: LargestCall | null;
  /** The tightest bound on the calls of a run. Every attempt is a call, so retries are counted in it. */
  readonly iterations: Bound | null;
  /** Nano-dollars that one run burns at most. */
  readonly run: { readonly nano: number; readonly bound: Bound } | null;
  readonly parallel: Parallel | null;
  /** What limits retries where no rule counts the attempts of a call. */
  readonly retries: RetryLimit | null;
  /** What all of it can burn; null where no rule bounds that. */
  readonly total: Ceiling | null;
  /** Where there is no total: what each value of some scopes can burn, the tightest first. */
  readonly each: readonly Ceiling[];
  /** The article's own product, where all its factors are bounded; it counts retries on top of iterations. */
  readonly product: number | null;
  /** What a month costs at most whatever is started in it; null where no rule bounds that. */
  readonly month: Ceiling | null;
}

/** The worst that calls of a population can do, by the model that does most. */
export function burnOf(plan: Plan, population: Population, options: BurnOptions): Burn {
  let worst: Burn | null = null;
  let dearest: LargestCall | null = null;
  for (const model of options.models) {
    const call = largestCall(plan, population, model, options.targets ?? options.models);
    if (call === null) continue;
    const burn = burnOfModel(plan, population, call, options);
    if (worst === null || isWorse(burn, worst)) worst = burn;
    if (dearest === null || rateOf(call) > rateOf(dearest)) dearest = call;
  }
  return worst === null ? nothing(population) : { ...worst, dearest };
}

const nothing = (population: Population): Burn => {
  const none = { call: null, dearest: null, iterations: null, run: null, parallel: null, retries: null, total: null };
  return { population, ...none, each: [], product: null, month: null };
};

function isWorse(a: Burn, b: Burn): boolean {
  const [ours, theirs] = [a.total?.nano ?? Number.POSITIVE_INFINITY, b.total?.nano ?? Number.POSITIVE_INFINITY];
  if (ours !== theirs) return ours > theirs;
  const [mine, other] = [a.run?.nano ?? Number.POSITIVE_INFINITY, b.run?.nano ?? Number.POSITIVE_INFINITY];
  if (mine !== other) return mine > other;
  const [one, another] = [a.call?.cost.nano ?? 0, b.call?.cost.nano ?? 0];
  // Under a bound on the cost of a call all dear models cost the same: the one with the dearest tokens speaks for them.
  return one === another ? rateOf(a.call) > rateOf(b.call) : one > another;
}

/** Nano-dollars of a million of the model's dearest tokens. */
const rateOf = (call: LargestCall | null): number =>
  call === null ? 0 : Math.max(call.model.cost(1_000_000, 0), call.model.cost(0, 1_000_000));

function burnOfModel(plan: Plan, population: Population, call: LargestCall, options: BurnOptions): Burn {
  const { model } = call;
  const known = { ...population, model: model.model, provider: model.provider };
  const bounds = boundsFor(plan, known, model.sent);
  // Of one model there is one meter of each.
  const single = options.models.length === 1 ? ["model", "provider"] : [];
  const fixed = new Set([...Object.keys(population), ...single]);
  const open = (scopes: readonly string[]): readonly string[] => scopes.filter((scope) => !fixed.has(scope));
  // A bound on each agent of a run bounds no run.
  const ofRuns = bounds.filter(({ window, scopes }) => window.kind === "run" && open(scopes).join() === "run");
  const run = ofRun(ofRuns, call);
  const parallels = parallelsOf(bounds, open, options.concurrency);
  const lasting = bounds.flatMap((bound) => over(bound, open, call, run?.nano ?? null)).sort(byScopes);
  const rounds = run === null ? [] : parallels.map((parallel) => inParallel(run.nano, parallel));
  const ceilings = [...lasting, ...rounds].sort(byScopes);
  const total = ceilings.find(({ scopes }) => scopes.length === 0) ?? null;
  const iterations = tightest(ofRuns.filter(({ metric }) => metric === "calls"));
  const [parallel = null] = parallels;
  return {
    population,
    call,
    dearest: call,
    iterations,
    run,
    parallel,
    retries: retryLimitFor(plan, known, model.sent),
    total,
    each: total === null ? tightestOfEach(ceilings) : [],
    product: productOf(iterations, call, parallel),
    month: lasting.find(({ scopes }) => scopes.length === 0) ?? null,
  };
}

const byScopes = (a: Ceiling, b: Ceiling): number => a.scopes.length - b.scopes.length || a.nano - b.nano;

/** The tightest bound on what one run can burn. */
function ofRun(bounds: readonly Bound[], call: LargestCall): Burn["run"] {
  let found: Burn["run"] = null;
  for (const bound of bounds) {
    const nano = moneyOf(bound, call, null);
    if (nano !== null && (found === null || nano < found.nano)) found = { nano, bound };
  }
  return found;
}

/** The tightest first, those over everything before those over each value of a scope. */
function parallelsOf(
  bounds: readonly Bound[],
  open: (scopes: readonly string[]) => readonly string[],
  given: number | null,
): readonly Parallel[] {
  const found: Parallel[] = given === null ? [] : [{ most: given, scopes: [], bound: null }];
  for (const bound of bounds) {
    // Calls in flight within one run say nothing of how many runs there are.
    if ((bound.metric !== "concurrency" && bound.metric !== "runs") || bound.scopes.includes("run")) continue;
    found.push({ most: bound.amount, scopes: open(bound.scopes), bound });
  }
  return found.sort((a, b) => a.scopes.length - b.scopes.length || a.most - b.most);
}

const inParallel = (run: number, parallel: Parallel): Ceiling => ({
  scopes: parallel.scopes,
  nano: run * parallel.most,
  by: { kind: "runs", run, parallel },
});

/**
 * A bound on a window, over a month that nobody looks. A pause ends what runs into it, but not what stays just below:
 * that may spend the amount again in every window.
 */
function over(
  bound: Bound,
  open: (scopes: readonly string[]) => readonly string[],
  call: LargestCall,
  run: number | null,
): readonly Ceiling[] {
  if (bound.window.kind === "run" || bound.scopes.includes("run")) return [];
  const nano = moneyOf(bound, call, run);
  if (nano === null) return [];
  const { rule, final, live } = bound;
  const most = moneyWithin(nano, bound.window, horizons.month);
  return [{ scopes: open(bound.scopes), nano: most, by: { kind: "rule", rule, final, live } }];
}

function tightest(bounds: readonly Bound[]): Bound | null {
  return bounds.reduce<Bound | null>((least, one) => (least === null || one.amount < least.amount ? one : least), null);
}

/** Ceilings are sorted: the first of each set of scopes is its tightest. */
function tightestOfEach(ceilings: readonly Ceiling[]): readonly Ceiling[] {
  const found = new Map<string, Ceiling>();
  for (const one of ceilings) if (!found.has(one.scopes.join("."))) found.set(one.scopes.join("."), one);
  return [...found.values()];
}

function productOf(iterations: Bound | null, call: LargestCall, parallel: Parallel | null): number | null {
  if (iterations === null || call.attempts === null || parallel === null) return null;
  return iterations.amount * call.cost.nano * call.attempts.most * parallel.most;
}
