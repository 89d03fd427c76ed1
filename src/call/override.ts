/**
 * Prices that the deployment sets itself, in USD per million tokens and in USD a piece: checked, because a price a million
 * times too high blocks everyone and one too low blocks no one.
 */
import { ConfigError } from "../errors.ts";
import { type RateCard, rateCard, type UnitRates } from "./rates.ts";
import { picoEach, UNITS } from "./unit-prices.ts";

/** Our names, in USD per million tokens → those of the price table. */
const KEYS = {
  input: "input_mtok",
  output: "output_mtok",
  cacheRead: "cache_read_mtok",
  cacheWrite: "cache_write_mtok",
  cacheWriteHour: "cache_write_1h_mtok",
  reasoning: "output_reasoning_mtok",
  inputAudio: "input_audio_mtok",
  outputAudio: "output_audio_mtok",
} as const;

/** What an override may hold. */
export const PRICE_NAMES: readonly string[] = Object.freeze([...Object.keys(KEYS), "units"]);

/** The dearest model ever listed cost $600 per million; a price over this is one per token or per thousand by mistake. */
const HIGHEST = 10_000;

/** A session of the largest container costs $2: a piece over this is one per thousand or per million by mistake. */
const HIGHEST_EACH = 1_000;

/** What can be priced by the piece: the units of the price tables, and the searches that models make. */
export const PIECES: readonly string[] = Object.freeze([...UNITS, "webSearches", "fileSearches"]);

/** What an override says: a card of its own, prices of pieces alone, or a ConfigError that says what is wrong with it. */
export interface Override {
  /** Null where only pieces are priced. */
  readonly card: RateCard | null;
  readonly units: UnitRates;
}

/** Reads an override; `openai/*` stands for every model of a provider, whose pieces alone can be priced. */
export function readOverride(model: string, given: unknown): Override {
  const units = unitsGiven(model, given);
  const onlyUnits = typeof given === "object" && given !== null && Object.keys(given).every((name) => name === "units");
  if (onlyUnits && Object.keys(units).length > 0) return { card: null, units };
  if (model.endsWith("/*")) {
    throw new ConfigError(`prices: "${model}" stands for many models, which share no price but "units".`);
  }
  return { card: withUnits(overrideCard(model, given), units), units };
}

/** The card with these prices of pieces before its own. */
export function withUnits(card: RateCard, { webSearches, fileSearches, ...units }: UnitRates): RateCard {
  return Object.freeze({
    ...card,
    ...(webSearches !== undefined && { webSearch: Math.round(webSearches / 1_000) }),
    ...(fileSearches !== undefined && { fileSearch: Math.round(fileSearches / 1_000) }),
    units: { ...card.units, ...units },
  });
}

function unitsGiven(model: string, given: unknown): UnitRates {
  const units = typeof given === "object" && given !== null && "units" in given ? given.units : undefined;
  if (units === undefined) return {};
  if (typeof units !== "object" || units === null || Array.isArray(units)) {
    throw new ConfigError(`prices: "${model}" has units that must be like { "images": 0.04 }, in USD each.`);
  }
  return Object.fromEntries(
    Object.entries(units).map(([name, usd]: readonly [string, unknown]) => {
      const unit = name.split(" ")[0] ?? "";
      if (!PIECES.includes(unit)) {
        throw new ConfigError(`prices: "${model}" has no unit "${name}"; there are ${PIECES.join(", ")}.`);
      }
      if (typeof usd !== "number" || !Number.isFinite(usd) || usd < 0 || usd > HIGHEST_EACH) {
        throw new ConfigError(
          `prices: "${model}" has ${name} ${String(usd)}; units are in USD each, from 0 to $${HIGHEST_EACH}.`,
        );
      }
      if (usd > 0 && usd < 1e-9) {
        throw new ConfigError(
          `prices: "${model}" has ${name} ${usd}, under a billionth of a dollar; units are in USD each.`,
        );
      }
      return [name, picoEach(usd)];
    }),
  );
}

/** The card of an override's tokens, or a ConfigError that says what is wrong with it. */
export function overrideCard(model: string, given: unknown): RateCard {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new ConfigError(
      `prices: "${model}" must be like { "input": 0.2, "output": 0.8 }, in USD per million tokens.`,
    );
  }
  const prices: Record<string, number> = {};
  for (const [name, value] of Object.entries(given)) {
    if (name === "units") continue;
    const key = Object.hasOwn(KEYS, name) ? KEYS[name as keyof typeof KEYS] : undefined;
    if (key === undefined) {
      throw new ConfigError(`prices: "${model}" has no price "${name}"; there are ${PRICE_NAMES.join(", ")}.`);
    }
    prices[key] = checked(model, name, value);
  }
  if (prices.input_mtok === undefined) {
    throw new ConfigError(`prices: "${model}" has no "input" price; give it in USD per million tokens.`);
  }
  prices.cache_write_mtok ??= prices.input_mtok * 1.25;
  return rateCard(prices);
}

function checked(model: string, name: string, value: unknown): number {
  const unit = "prices are in USD per million tokens";
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) {
    throw new ConfigError(`prices: "${model}" has ${name} ${String(value)}; ${unit}, 0 or more.`);
  }
  if (value > HIGHEST) {
    throw new ConfigError(`prices: "${model}" has ${name} ${value}, over $${HIGHEST} per million; ${unit}.`);
  }
  if (value > 0 && value < 1e-6) {
    throw new ConfigError(`prices: "${model}" has ${name} ${value}, under a millionth of a dollar; ${unit}.`);
  }
  return value;
}
