/**
 * `route to` and `cap` on a recorded call: there is no body to change, so its figures are made anew at the other model.
 * @module
 */
import type { Bill, Call, Cost } from "../call/call.ts";
import { costOf } from "../call/cost.ts";
import { canonicalModel, providerPrefix } from "../call/model.ts";
import type { Prices } from "../call/price.ts";
import { subjectOf } from "../call/subject.ts";
import { usage } from "../call/usage.ts";
import { type ForesightOptions, foresee } from "../foresight.ts";
import type { RuleIndex } from "../policy/match.ts";
import type { Rule } from "../policy/plan.ts";
import { type Route, shape, shapes } from "../policy/shape.ts";
import type { Fired } from "../policy/verdict.ts";
import type { Recorded } from "./recorded.ts";

/** A call as the policy lets it leave. */
export interface Reshaped {
  readonly call: Call;
  /** The rules whose filter holds for it. */
  readonly rules: readonly Rule[];
  /** What it would cost like that: as recorded where nothing is changed. */
  readonly bill: Bill;
  /** Rules that sent it to another model, or capped its answer. */
  readonly routed: readonly Fired[];
  readonly capped: readonly Fired[];
}

export interface ReshapeOptions extends ForesightOptions {
  readonly rulesFor: RuleIndex;
  readonly prices: Prices;
}

/** The call after the routes and caps that fire now. */
export async function reshape(options: ReshapeOptions, recorded: Recorded, call: Call): Promise<Reshaped> {
  const { plan, rulesFor, prices } = options;
  const rules = rulesFor(call);
  const nothing = { routed: [], capped: [] };
  const untouched = { call, rules, bill: billFor(recorded, call, null, prices), ...nothing };
  if (!shapes(plan) || call.spending !== "metered") return untouched;
  const alone = shape(plan, call, rules, null);
  const wanted = alone.needsReadings ? shape(plan, call, rules, await foresee(options, call, rules)) : alone;
  if (wanted.cap === null && wanted.routes.length === 0) return untouched;
  const route = cheapest(wanted.routes, call, prices);
  const routed = route?.call ?? call;
  // A request that asks for no more already is left alone.
  const cap = wanted.cap !== null && routed.maxTokens !== null && routed.maxTokens <= wanted.cap ? null : wanted.cap;
  const left = cap === null ? routed : capped(routed, cap, prices);
  return {
    call: left,
    rules: left === call ? rules : rulesFor(left),
    bill: billFor(recorded, left, cap, prices),
    routed: route?.fired ?? [],
    capped: cap === null ? [] : wanted.fired,
  };
}

/** The cheapest of the models that the call can be sent to; null where none is, or it is the call's own. */
function cheapest(
  routes: readonly Route[],
  call: Call,
  prices: Prices,
): { readonly call: Call; readonly fired: readonly Fired[] } | null {
  let found: { readonly call: Call; readonly fired: readonly Fired[] } | null = null;
  for (const { model, fired } of routes) {
    const isOwn = canonicalModel(model) === call.model;
    if (!isOwn && !isAtHome(prices, call, model)) continue;
    const one = isOwn ? call : atModel(call, model, prices);
    if (found === null || one.cost.total < found.call.cost.total) found = { call: one, fired };
  }
  return found === null || found.call === call ? null : found;
}

/** Whether the price table knows nothing against asking this model where the call goes. */
function isAtHome(prices: Prices, { provider, modelAsSent, operation }: Call, model: string): boolean {
  const { place, embeds } = prices.home(provider, model);
  const gateway = providerPrefix(modelAsSent) !== null || prices.home(provider, modelAsSent).place === "elsewhere";
  if (place === "elsewhere" && !gateway) return false;
  return embeds === null || embeds === (operation === "embeddings");
}

function atModel(call: Call, sent: string, prices: Prices): Call {
  const model = canonicalModel(sent);
  const { model: _model, provider: _provider, ...identity } = call.subject;
  const { card, unpriced } = prices.of(call.provider, sent, call.operation);
  return Object.freeze({
    ...call,
    model,
    modelAsSent: sent,
    subject: subjectOf(identity, model, call.provider),
    cost: costOf(usage(sizeOf(call)), card),
    unpriced,
  });
}

function capped(call: Call, tokens: number, prices: Prices): Call {
  const outputTokens = Math.min(call.outputTokens, tokens);
  const { card } = prices.of(call.provider, call.modelAsSent, call.operation);
  const same = outputTokens === call.outputTokens;
  const cost: Cost = same ? call.cost : costOf(usage({ ...sizeOf(call), outputTokens }), card);
  return Object.freeze({ ...call, maxTokens: tokens, outputTokens, cost });
}

const sizeOf = ({ inputTokens, outputTokens }: Call) => ({ inputTokens, outputTokens });

/** The recorded bill, made out anew where the call leaves for another model, or its answer would have been cut short. */
function billFor({ bill, leftFor }: Recorded, call: Call, cap: number | null, prices: Prices): Bill {
  const used = bill.usage;
  const outputTokens = cap === null ? used.outputTokens : Math.min(used.outputTokens, cap);
  // What cost nothing then (an error, a call that cannot be counted) costs nothing elsewhere.
  if (bill.cost.total === 0 || (call.model === leftFor && outputTokens === used.outputTokens)) return bill;
  const { card, unpriced } = prices.of(call.provider, call.modelAsSent, call.operation);
  const cut = { ...used, outputTokens, reasoningTokens: Math.min(used.reasoningTokens, outputTokens) };
  return { ...bill, usage: cut, cost: costOf(cut, card), unpriced, model: call.model };
}
