/**
 * The models that calls may ask for, with what a call to each costs: the price table, and the deployment's own prices first.
 * @module
 */
import { costOf } from "../call/cost.ts";
import { canonicalModel } from "../call/model.ts";
import { loadPrices, type Prices } from "../call/price.ts";
import { providers } from "../call/providers/all.ts";
import { usage } from "../call/usage.ts";
import type { Clock } from "../clock.ts";
import type { PricedModel } from "../policy/burn-call.ts";
import { usageError } from "./exit.ts";

export interface AuditModels {
  /** What calls may ask for: the one named, or all. */
  readonly models: readonly PricedModel[];
  /** What rules may route to: every priced text model of the providers that the guard knows. */
  readonly targets: readonly PricedModel[];
}

/** All models; `only` names the one that calls ask for. */
export async function auditModels(
  overrides: Readonly<Record<string, unknown>>,
  clock: Clock,
  only: string | null,
): Promise<AuditModels> {
  const prices = await loadPrices(overrides, clock);
  const targets = priced(await listed(Object.keys(overrides)), prices);
  return { models: only === null ? targets : priced([await named(only, prices)], prices), targets };
}

function priced(names: readonly Name[], prices: Prices): readonly PricedModel[] {
  const found = new Map<string, PricedModel>();
  for (const { provider, model } of names) {
    const { card, unpriced, contextWindow } = prices.of(provider, model, "chat");
    // Embeddings have no answer to pay for; what the table does not price is charged as the dearest that it does.
    if (unpriced || card.base.output === 0) continue;
    found.set(`${provider}/${model}`, {
      provider,
      model: canonicalModel(model),
      sent: model,
      context: contextWindow,
      cost: (inputTokens, outputTokens) => costOf(usage({ inputTokens, outputTokens }), card).total,
    });
  }
  return [...found.values()];
}

interface Name {
  readonly provider: string;
  readonly model: string;
}

async function listed(own: readonly string[]): Promise<readonly Name[]> {
  const { findProvider } = await import("@pydantic/genai-prices");
  return providers.flatMap(({ name }) => {
    const models = (findProvider({ providerId: name })?.models ?? []).map(({ id }) => id);
    return [...models, ...own].map((model) => ({ provider: name, model }));
  });
}

/** `anthropic/claude-opus-4-7` or the name alone: the first provider that lists it. */
async function named(model: string, prices: Prices): Promise<Name> {
  const known = providers.map(({ name }) => name);
  const slash = model.indexOf("/");
  const [owner, rest] = [model.slice(0, Math.max(0, slash)), model.slice(slash + 1)];
  if (known.includes(owner)) return { provider: owner, model: rest };
  const { calcPrice } = await import("@pydantic/genai-prices");
  const found = known.find((name) => calcPrice({}, model, { providerId: name }) !== null);
  const provider = found ?? known[0] ?? "openai";
  if (prices.of(provider, model, "chat").unpriced) {
    throw usageError(`No price is known for ${model}; give it under "prices" in budget-guard.json.`, "audit");
  }
  return { provider, model };
}
