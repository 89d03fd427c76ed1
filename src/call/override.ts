/**
 * Prices that the deployment sets itself, in USD per million tokens: checked, because a price a million times too high
 * blocks everyone and one too low blocks no one.
 */
import { ConfigError } from "../errors.ts";
import { type RateCard, rateCard } from "./rates.ts";

/** USD per million tokens. */
export interface PriceOverride {
  readonly input: number;
  /** Not needed for embeddings. */
  readonly output?: number;
  /** Default: the input price. */
  readonly cacheRead?: number;
  /** Default: 1.25 times the input price. */
  readonly cacheWrite?: number;
  /** Default: twice the input price. */
  readonly cacheWriteHour?: number;
  /** Default: the output price. */
  readonly reasoning?: number;
  readonly inputAudio?: number;
  readonly outputAudio?: number;
}

/** Our names → those of the price table. */
const KEYS: Readonly<Record<keyof PriceOverride, string>> = {
  input: "input_mtok",
  output: "output_mtok",
  cacheRead: "cache_read_mtok",
  cacheWrite: "cache_write_mtok",
  cacheWriteHour: "cache_write_1h_mtok",
  reasoning: "output_reasoning_mtok",
  inputAudio: "input_audio_mtok",
  outputAudio: "output_audio_mtok",
};

/** The dearest model ever listed cost $600 per million; a price over this is one per token or per thousand by mistake. */
const HIGHEST = 10_000;

/** The card of an override, or a ConfigError that says what is wrong with it. */
export function overrideCard(model: string, given: unknown): RateCard {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new ConfigError(
      `prices: "${model}" must be like { "input": 0.2, "output": 0.8 }, in USD per million tokens.`,
    );
  }
  const prices: Record<string, number> = {};
  for (const [name, value] of Object.entries(given)) {
    const key = Object.hasOwn(KEYS, name) ? KEYS[name as keyof PriceOverride] : undefined;
    if (key === undefined) {
      throw new ConfigError(`prices: "${model}" has no price "${name}"; there are ${Object.keys(KEYS).join(", ")}.`);
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
