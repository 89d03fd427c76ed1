/**
 * Models that the price table does not list, though their makers publish a price: asked for when the table knows nothing,
 * so that a row is without effect once it does. Every row names its source and when it was read.
 */
import type { PriceKeys } from "./rates.ts";

/** A price with where it is from and when it was read: `2026-06`. */
export interface Gap {
  readonly prices: PriceKeys;
  readonly source: string;
  readonly asOf: string;
}

const OPENAI = "developers.openai.com/api/docs/pricing";
const CLAUDE = "platform.claude.com/docs/en/about-claude/pricing";

/** One price up to a prompt of 100,000 tokens, and another for the whole of a longer one. */
const upTo100K = (base: number, price: number) => ({ base, tiers: [{ start: 100_000, price }] });

/** By canonical name. */
const GAPS: Readonly<Record<string, Gap>> = Object.freeze({
  "davinci-002": { prices: { input_mtok: 2, output_mtok: 2 }, source: OPENAI, asOf: "2026-06" },
  "babbage-002": { prices: { input_mtok: 0.4, output_mtok: 0.4 }, source: OPENAI, asOf: "2026-06" },
  "gpt-5-search-api": {
    prices: { input_mtok: 1.25, cache_read_mtok: 0.125, output_mtok: 10 },
    source: OPENAI,
    asOf: "2026-06",
  },
  "claude-haiku-5-5": {
    prices: {
      input_mtok: upTo100K(0.1, 0.5),
      cache_read_mtok: upTo100K(0.01, 0.05),
      cache_write_mtok: upTo100K(0.125, 0.625),
      output_mtok: upTo100K(0.5, 2.5),
    },
    source: CLAUDE,
    asOf: "2026-10",
  },
});

/** What the maker of the first of these models asks for it; null where none is here. `davinci:2023-07-21-v2` is a version. */
export function gapPrices(names: readonly string[]): Gap | null {
  for (const name of names) {
    const plain = name.slice(name.lastIndexOf("/") + 1).replace(/^(davinci|babbage):.*$/, "$1-002");
    const known = Object.hasOwn(GAPS, plain) ? GAPS[plain] : undefined;
    if (known !== undefined) return known;
  }
  return null;
}
