/**
 * What a simulated call costs: the price table and the deployment's own prices, as the guard would ask them.
 * @module
 */
import { costOf, NO_COST } from "../call/cost.ts";
import { canonicalModel, providerPrefix } from "../call/model.ts";
import { loadPrices, type Prices } from "../call/price.ts";
import { providers } from "../call/providers/all.ts";
import { usage } from "../call/usage.ts";
import type { Clock } from "../clock.ts";
import type { Estimator } from "../policy/simulate-call.ts";

/** Loads the price table; `overrides` are the deployment's own prices, `clock` decides which of dated prices holds. */
export const loadEstimator = async (overrides: Readonly<Record<string, unknown>>, clock: Clock): Promise<Estimator> =>
  estimatorOf(await loadPrices(overrides, clock));

/** What these prices make of a simulated call. */
export function estimatorOf(prices: Prices): Estimator {
  return Object.freeze({
    canonical: canonicalModel,
    providerOf: (model: string) =>
      providers.find(({ name }) => prices.home(name, model).place === "here")?.name ?? null,
    estimate(provider: string, model: string, inputTokens: number, outputTokens: number) {
      const { card, unpriced } = prices.of(provider, model, "chat");
      const cost = inputTokens + outputTokens === 0 ? NO_COST : costOf(usage({ inputTokens, outputTokens }), card);
      return { cost, unpriced };
    },
    whyElsewhere(provider: string, asked: string, model: string) {
      if (prices.home(provider, model).place !== "elsewhere") return null;
      // A gateway serves the models of others: it shows by the one that is asked now.
      const gateway = providerPrefix(asked) !== null || prices.home(provider, asked).place === "elsewhere";
      return gateway ? null : `${model} is a model of another provider than ${provider}`;
    },
  });
}
