/**
 * What the price table and the deployment's own prices know of models, as the checker asks for it.
 * @module
 */
import { canonicalModel } from "./call/model.ts";
import { loadPrices } from "./call/price.ts";
import { providers } from "./call/providers/all.ts";
import { tellsModel } from "./call/providers/bedrock-model.ts";
import { type Clock, now } from "./clock.ts";
import type { Models } from "./policy/models.ts";

/** Loads the price table (some 50 ms); `overrides` are the `prices` of budget-guard.json. */
export async function loadModels(
  overrides: Readonly<Record<string, unknown>> = {},
  clock: Clock = now,
): Promise<Models> {
  const prices = await loadPrices(overrides, clock);
  const { calcPrice, findProvider } = await import("@pydantic/genai-prices");
  const listed = providers.flatMap(({ name }) => findProvider({ providerId: name })?.models.map(({ id }) => id) ?? []);
  const names = [...new Set([...Object.keys(overrides), ...listed])].sort();
  const homeOf = (model: string): string | null => {
    const at = { timestamp: new Date(clock()) };
    // The table does not look for Bedrock's names without being told to.
    if (tellsModel(model)) return "bedrock";
    const found = calcPrice({}, model, at) ?? calcPrice({}, canonicalModel(model), at);
    return found?.provider.id ?? null;
  };
  const known = new Map<string, ReturnType<Models["find"]>>();
  const look = (model: string): ReturnType<Models["find"]> => {
    const home = homeOf(model);
    const { card, unpriced } = prices.of(home ?? "openai", model, "chat");
    if (unpriced) return null;
    // Pico-dollars a token are millionths of a dollar a million tokens. A model of the deployment's own lives anywhere.
    return Object.freeze({ provider: home ?? "", price: (card.base.input + card.base.output) * 1_000 });
  };
  return Object.freeze({
    names,
    find: (model: string) => {
      const before = known.get(model);
      if (before !== undefined) return before;
      const found = look(model);
      known.set(model, found);
      return found;
    },
  });
}
