/**
 * Which model costs what: the price table of @pydantic/genai-prices with the deployment's own prices before it.
 * Each model is looked up once; after that a price is a map lookup.
 */
import { type Clock, now } from "../clock.ts";
import type { Operation } from "./call.ts";
import { canonicalModel, providerPrefix } from "./model.ts";
import { overrideCard } from "./override.ts";
import { pricedNames } from "./providers/bedrock-model.ts";
import { type PriceKeys, type RateCard, rateCard, scale } from "./rates.ts";

/** The price of one model. */
export interface Priced {
  readonly card: RateCard;
  /** True where the model is not known and the provider's dearest price stands in. */
  readonly unpriced: boolean;
  /** True where the deployment gave the price: it holds for the name that was asked for, whoever answered. */
  readonly own: boolean;
  /** Tokens of prompt and answer together, null where the table does not say. */
  readonly contextWindow: number | null;
}

export interface Prices {
  /** Never null: an unknown model is charged at the dearest price. `operation` tells embeddings from text. */
  of(provider: string, model: string, operation: Operation): Priced;
  /** What the table knows of where a model lives and what it makes. */
  home(provider: string, model: string): Home;
}

/** `here`: the provider lists it, or the deployment prices it. `elsewhere`: only others do. `unknown`: nobody. */
export interface Home {
  readonly place: "here" | "elsewhere" | "unknown";
  /** Whether it makes embeddings; null where that is not known. */
  readonly embeds: boolean | null;
}

type Table = Pick<typeof import("@pydantic/genai-prices"), "calcPrice" | "findProvider">;

/** Loads the price table and checks the overrides; `clock` decides which of a model's dated prices holds. */
export async function loadPrices(
  overrides: Readonly<Record<string, unknown>> = {},
  clock: Clock = now,
): Promise<Prices> {
  const own = new Map<string, Priced>();
  for (const [model, given] of Object.entries(overrides)) {
    own.set(model, { card: overrideCard(model, given), unpriced: false, own: true, contextWindow: null });
  }
  // 46 to 80 ms to load: never at preload.
  const table: Table = await import("@pydantic/genai-prices");
  const known = new Map<string, Priced>();
  const homes = new Map<string, Home>();
  return Object.freeze({
    home(provider: string, model: string): Home {
      if (own.has(model) || own.has(canonicalModel(model))) return { place: "here", embeds: null };
      const key = `${provider} ${model}`;
      const before = homes.get(key);
      if (before !== undefined) return before;
      const found = homeOf(table, provider, model, new Date(clock()));
      if (homes.size < 1_000) homes.set(key, found);
      return found;
    },
    of(provider: string, model: string, operation: Operation): Priced {
      const named = own.get(model) ?? own.get(canonicalModel(model));
      if (named !== undefined) return named;
      const key = `${provider} ${operation === "embeddings" ? "e" : "t"} ${model}`;
      const before = known.get(key);
      if (before !== undefined) return before;
      const found = lookUp(table, provider, model, operation, new Date(clock()));
      // Model names come from requests: without a bound a caller could fill the memory with inventions.
      if (known.size < 10_000) known.set(key, found);
      return found;
    },
  });
}

/** What the table calls a provider, where it has another name for it than we have. */
const TABLE_IDS: Readonly<Record<string, string>> = { bedrock: "aws" };

const tableId = (provider: string): string =>
  (Object.hasOwn(TABLE_IDS, provider) ? TABLE_IDS[provider] : null) ?? provider;

/** The names under which the table may have a model, the surest first. */
const namesOf = (model: string): readonly string[] => [...pricedNames(model), canonicalModel(model)];

function lookUp(table: Table, known: string, model: string, operation: Operation, at: Date): Priced {
  const provider = tableId(known);
  const names = namesOf(model);
  const owner = providerPrefix(model);
  const asked = names.map((name) => ({ name, provider }));
  const elsewhere = [
    // A gateway names the provider first: anthropic/claude-sonnet-4.5.
    ...(owner === null ? [] : names.map((name) => ({ name: name.slice(name.indexOf("/") + 1), provider: owner }))),
    // A compatible host serves somebody else's model.
    ...names.map((name) => ({ name, provider: undefined })),
  ];
  const tuned = fineTuned(table, provider, model, at);
  if (tuned !== null) return tuned;
  for (const { name, provider: id } of [...asked, ...elsewhere]) {
    const found = inTable(table, name, id, at);
    if (found !== null) return found;
  }
  return { card: dearest(table, provider, operation, at), unpriced: true, own: false, contextWindow: null };
}

function homeOf(table: Table, provider: string, model: string, at: Date): Home {
  for (const [place, id] of [["here", tableId(provider)] as const, ["elsewhere", undefined] as const]) {
    for (const name of namesOf(model)) {
      const found = table.calcPrice({}, name, id === undefined ? { timestamp: at } : { providerId: id, timestamp: at });
      if (found !== null) return { place, embeds: embeds(found.model_price) };
    }
  }
  // `anthropic/claude-sonnet-4.5` is a gateway's name for it.
  return { place: providerPrefix(model) === null ? "unknown" : "elsewhere", embeds: null };
}

/** The table gives embeddings an input price alone; what has neither is not priced by the token. */
function embeds({ input_mtok, output_mtok }: PriceKeys): boolean | null {
  if (output_mtok !== undefined) return false;
  return input_mtok === undefined ? null : true;
}

function inTable(table: Table, model: string, provider: string | undefined, at: Date): Priced | null {
  const options = provider === undefined ? { timestamp: at } : { providerId: provider, timestamp: at };
  const found = table.calcPrice({}, model, options);
  if (found === null) return null;
  // Not priced by the token (whisper by the hour, image models by the picture): not known as far as tokens go.
  if (found.model_price.input_mtok === undefined) return null;
  return priced(found.model_price, found.model.context_window ?? null);
}

const priced = (prices: PriceKeys, contextWindow: number | null): Priced =>
  Object.freeze({ card: rateCard(prices), unpriced: false, own: false, contextWindow });

/**
 * A fine-tuned model that the table does not list by itself costs up to twice its base
 * (developers.openai.com/api/docs/pricing, fine-tuning: gpt-4.1 1.5 times, gpt-4.1-mini and -nano twice).
 */
function fineTuned(table: Table, provider: string, model: string, at: Date): Priced | null {
  if (!model.startsWith("ft:gpt-4.1")) return null;
  const base = inTable(table, canonicalModel(model), provider, at);
  if (base === null) return null;
  return Object.freeze({ ...base, card: Object.freeze({ ...base.card, base: scale(base.card.base, 2000) }) });
}

/** The card of the provider's dearest model of this kind; of OpenAI's where the provider itself has none. */
function dearest(table: Table, provider: string, operation: Operation, at: Date): RateCard {
  const models = (table.findProvider({ providerId: provider }) ?? table.findProvider({ providerId: "openai" }))?.models;
  const cards = (models ?? []).flatMap((model) => {
    const found = table.calcPrice({}, model.id, { providerId: provider, timestamp: at });
    const prices = found?.model_price;
    const isEmbedding = prices?.output_mtok === undefined;
    return prices?.input_mtok === undefined || isEmbedding !== (operation === "embeddings") ? [] : [rateCard(prices)];
  });
  const price = (card: RateCard): number => card.base.output + card.base.input;
  const [first, ...rest] = cards;
  if (first === undefined) return operation === "embeddings" ? EMBEDDINGS_ELSEWHERE : dearestText(table, at);
  return rest.reduce((most, card) => (price(card) > price(most) ? card : most), first);
}

/** $0.18 per million, the dearest listed embedding price, for providers that list none. */
const EMBEDDINGS_ELSEWHERE = rateCard({ input_mtok: 0.18 });

function dearestText(table: Table, at: Date): RateCard {
  return dearest(table, "openai", "chat", at);
}
