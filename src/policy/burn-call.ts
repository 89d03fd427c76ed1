/**
 * The dearest single call that a plan lets go to a model.
 * @module
 */
import { type CallBound, callBoundsFor, refuses } from "./burn-bounds.ts";
import { certainty, type Population } from "./burn-filter.ts";
import type { Plan, Rule } from "./plan.ts";

/** A model that calls may ask for. */
export interface PricedModel {
  readonly provider: string;
  /** Canonical name. */
  readonly model: string;
  /** As requests name it. */
  readonly sent: string;
  /** Tokens of prompt and answer together; null where the price table does not say. */
  readonly context: number | null;
  /** Nano-dollars of a call of this size. */
  readonly cost: (inputTokens: number, outputTokens: number) => number;
}

/** What one call of a model may be at most, and the rules that see to it; null: no rule does. */
export interface LargestCall {
  /** The model that answers: another than asked for where a rule routes. */
  readonly model: PricedModel;
  readonly asked: PricedModel;
  readonly route: Rule | null;
  readonly input: { readonly tokens: number; readonly rule: Rule | null };
  readonly output: { readonly tokens: number; readonly rule: Rule | null };
  /** Nano-dollars, prompt and answer sharing the context; `rule` where a bound on the cost of a call is tighter than its tokens. */
  readonly cost: { readonly nano: number; readonly rule: Rule | null };
  /** Attempts of one call, the first included; null where no rule bounds them. */
  readonly attempts: { readonly most: number; readonly rule: Rule } | null;
}

/** Where the table knows no context window: as large as the largest that it lists. */
const LARGEST_CONTEXT = 1_000_000;

/** The dearest call to this model that the plan lets go; null where it refuses the model altogether. */
export function largestCall(
  plan: Plan,
  population: Population,
  asked: PricedModel,
  models: readonly PricedModel[],
): LargestCall | null {
  const known = { ...population, model: asked.model, provider: asked.provider };
  const route = routeOf(plan, known, asked, models);
  const model = route?.model ?? asked;
  const after = { ...known, model: model.model };
  if (denied(plan, after, model.sent)) return null;
  // Caps are laid on the request as it came; refusals judge it as it leaves.
  const bounds = [
    ...callBoundsFor(plan, known, asked.sent).filter(({ rule }) => !refuses(rule)),
    ...callBoundsFor(plan, after, model.sent).filter(({ rule }) => refuses(rule)),
  ];
  const least = (metric: CallBound["metric"]): CallBound | null => tightest(bounds, metric);
  const both = least("tokens");
  const room = Math.min(model.context ?? LARGEST_CONTEXT, both?.amount ?? Number.POSITIVE_INFINITY);
  const [input, output] = [least("input_tokens"), least("output_tokens")];
  const size = dearestSplit(model, room, input?.amount ?? room, output?.amount ?? room);
  const money = least("cost");
  const retries = least("retries");
  const tokens = model.cost(size.input, size.output);
  return {
    model,
    asked,
    route: route?.rule ?? null,
    input: { tokens: Math.min(input?.amount ?? room, room), rule: input?.rule ?? both?.rule ?? null },
    output: { tokens: Math.min(output?.amount ?? room, room), rule: output?.rule ?? both?.rule ?? null },
    cost:
      money !== null && money.amount < tokens ? { nano: money.amount, rule: money.rule } : { nano: tokens, rule: null },
    attempts: retries === null ? null : { most: Math.max(1, 1 + retries.amount), rule: retries.rule },
  };
}

/** The bound with the least amount; of equals the one that stands first in the plan. */
function tightest(bounds: readonly CallBound[], metric: CallBound["metric"]): CallBound | null {
  let found: CallBound | null = null;
  for (const bound of bounds) {
    if (bound.metric === metric && (found === null || bound.amount < found.amount)) found = bound;
  }
  return found;
}

/** Prompt and answer share the context: whichever division of it costs more. */
function dearestSplit(
  model: PricedModel,
  room: number,
  input: number,
  output: number,
): { readonly input: number; readonly output: number } {
  const answer = Math.min(output, room);
  const prompt = Math.min(input, room);
  const long = { input: Math.min(input, room - answer), output: answer };
  const wide = { input: prompt, output: Math.min(output, room - prompt) };
  return model.cost(wide.input, wide.output) > model.cost(long.input, long.output) ? wide : long;
}

/** Whether a rule without any condition refuses every call of the population. */
const denied = (plan: Plan, known: Population, sent: string): boolean =>
  plan.rules.some(
    (rule) =>
      refuses(rule) &&
      rule.flag === null &&
      rule.conditions.length === 0 &&
      certainty(rule.filter, known, sent) === "yes",
  );

/** The cheapest model of the same provider that rules without any condition send every such call to. */
function routeOf(
  plan: Plan,
  known: Population,
  asked: PricedModel,
  models: readonly PricedModel[],
): { readonly rule: Rule; readonly model: PricedModel } | null {
  let found: { readonly rule: Rule; readonly model: PricedModel } | null = null;
  for (const rule of plan.rules) {
    if (rule.shadow || rule.flag !== null || rule.conditions.length > 0) continue;
    if (certainty(rule.filter, known, asked.sent) !== "yes") continue;
    for (const action of rule.actions) {
      if (action.kind !== "route") continue;
      const model = models.find(
        ({ provider, model, sent }) => provider === asked.provider && (model === action.model || sent === action.model),
      );
      // A model that lives elsewhere, or that nobody knows the price of, makes nothing surely cheaper.
      if (model === undefined || model.model === asked.model) continue;
      if (found === null || perToken(model) < perToken(found.model)) found = { rule, model };
    }
  }
  return found;
}

const perToken = (model: PricedModel): number => model.cost(1_000, 1_000);
