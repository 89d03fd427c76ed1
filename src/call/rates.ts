/**
 * What a model charges, in integer pico-dollars per token ($1 per million tokens = 1,000,000): a cached token of a small
 * model costs less than a whole nano-dollar.
 */

/** Pico-dollars per token. */
export interface Rates {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly cacheWriteHour: number;
  readonly reasoning: number;
  readonly inputAudio: number;
  readonly outputAudio: number;
  readonly inputImage: number;
  readonly inputVideo: number;
  readonly outputImage: number;
  readonly outputVideo: number;
  readonly cacheReadAudio: number;
  readonly cacheReadImage: number;
}

/**
 * Pico-dollars for each piece: by unit (`images`), and by unit and variant (`images hd 1024x1792`) where the price
 * depends on how the piece was asked for.
 */
export type UnitRates = Readonly<Record<string, number>>;

/** A model's rates: the base, and dearer ones for long prompts. */
export interface RateCard {
  readonly base: Rates;
  /** Ascending; the last whose `above` is under the total prompt, cached tokens included, prices the whole request. */
  readonly long: readonly { readonly above: number; readonly rates: Rates }[];
  /** Nano-dollars per search. */
  readonly webSearch: number;
  readonly fileSearch: number;
  /** What is billed by the piece; absent where nothing is. */
  readonly units?: UnitRates;
}

/** The rates for a request with this many prompt tokens, cached ones included. */
export function ratesFor(card: RateCard, promptTokens: number): Rates {
  return card.long.findLast((tier) => promptTokens > tier.above)?.rates ?? card.base;
}

/** A price in USD per million tokens as the price table has it: one figure, or one that rises with the prompt. */
type Price = number | { readonly base: number; readonly tiers: readonly { start: number; price: number }[] };

/** A model's prices by key (`input_mtok`, `cache_read_mtok`, ...), as in @pydantic/genai-prices. */
export type PriceKeys = Readonly<Record<string, Price | undefined>>;

/** Pico-dollars per token of a price in USD per million tokens. */
export const pico = (usdPerMillion: number): number => Math.round(usdPerMillion * 1_000_000);

/**
 * Where the table has no price for a web search: $10 per thousand, the price of both providers
 * (developers.openai.com/api/docs/pricing and platform.claude.com/docs/en/about-claude/pricing).
 */
const WEB_SEARCH_NANO = 10_000_000;

/** $2.50 per thousand (developers.openai.com/api/docs/pricing). */
const FILE_SEARCH_NANO = 2_500_000;

/** Turns a model's prices into a card; what has no price of its own is charged as what it is a kind of. */
export function rateCard(prices: PriceKeys): RateCard {
  const starts = new Set<number>();
  for (const price of Object.values(prices)) {
    if (typeof price === "object") for (const tier of price.tiers) starts.add(tier.start);
  }
  const rates = (promptTokens: number): Rates => {
    const at = (key: string): number | null => priceAt(prices[key], promptTokens);
    const input = at("input_mtok") ?? 0;
    const output = at("output_mtok") ?? 0;
    const cacheRead = at("cache_read_mtok") ?? input;
    const cacheWrite = at("cache_write_mtok") ?? input;
    return Object.freeze({
      input: pico(input),
      output: pico(output),
      cacheRead: pico(cacheRead),
      cacheWrite: pico(cacheWrite),
      // An hour costs twice the input (platform.claude.com/docs/en/about-claude/pricing); OpenAI has no such lifetime.
      cacheWriteHour: pico(at("cache_write_1h_mtok") ?? Math.max(cacheWrite, 2 * input)),
      reasoning: pico(at("output_reasoning_mtok") ?? output),
      inputAudio: pico(at("input_audio_mtok") ?? input),
      inputImage: pico(at("input_image_mtok") ?? input),
      inputVideo: pico(at("input_video_mtok") ?? input),
      outputAudio: pico(at("output_audio_mtok") ?? output),
      outputImage: pico(at("output_image_mtok") ?? output),
      outputVideo: pico(at("output_video_mtok") ?? output),
      cacheReadAudio: pico(at("cache_audio_read_mtok") ?? cacheRead),
      cacheReadImage: pico(at("cache_image_read_mtok") ?? cacheRead),
    });
  };
  const units = unitsOf(prices);
  return Object.freeze({
    base: rates(0),
    long: Object.freeze([...starts].sort((a, b) => a - b).map((above) => ({ above, rates: rates(above + 1) }))),
    webSearch: searchNano(prices.web_searches_kcount, WEB_SEARCH_NANO),
    fileSearch: searchNano(prices.storage_searches_kcount, FILE_SEARCH_NANO),
    ...(units !== null && { units }),
  });
}

/** What the table prices by the piece: hours of sound, thousands of pages; null where nothing. */
function unitsOf(prices: PriceKeys): UnitRates | null {
  const hours = prices.input_audio_hours ?? prices.audio_hours;
  const pages = prices.input_document_kpages;
  const annotated = prices.input_annotated_document_kpages;
  // Perplexity has a fee for each request, which is its one search.
  const requests = prices.requests_kcount;
  const units: Record<string, number> = {};
  if (typeof requests === "number") units.searches = Math.round(requests * 1e9);
  if (typeof hours === "number") units.audioSeconds = Math.round((hours * 1e12) / 3_600);
  if (typeof pages === "number") units.pages = Math.round(pages * 1e9);
  if (typeof annotated === "number") units["pages annotated"] = Math.round(annotated * 1e9);
  return Object.keys(units).length === 0 ? null : Object.freeze(units);
}

function priceAt(price: Price | undefined, promptTokens: number): number | null {
  if (price === undefined) return null;
  if (typeof price === "number") return price;
  return price.tiers.reduce((now, tier) => (promptTokens > tier.start ? tier.price : now), price.base);
}

/** Nano-dollars each, from USD per thousand. */
const searchNano = (perThousand: Price | undefined, usual: number): number =>
  typeof perThousand === "number" ? Math.round(perThousand * 1_000_000) : usual;

/** The same rates times `millis` / 1000, rounded up to a whole pico-dollar. */
export function scale(rates: Rates, millis: number): Rates {
  if (millis === 1000) return rates;
  const times = (rate: number): number => Math.ceil((rate * millis) / 1000);
  return Object.freeze({
    input: times(rates.input),
    output: times(rates.output),
    cacheRead: times(rates.cacheRead),
    cacheWrite: times(rates.cacheWrite),
    cacheWriteHour: times(rates.cacheWriteHour),
    reasoning: times(rates.reasoning),
    inputAudio: times(rates.inputAudio),
    inputImage: times(rates.inputImage),
    inputVideo: times(rates.inputVideo),
    outputAudio: times(rates.outputAudio),
    outputImage: times(rates.outputImage),
    outputVideo: times(rates.outputVideo),
    cacheReadAudio: times(rates.cacheReadAudio),
    cacheReadImage: times(rates.cacheReadImage),
  });
}
