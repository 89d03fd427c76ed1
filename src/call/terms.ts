/**
 * What the way of serving does to the price: half for what may wait, more for what may not.
 * The multipliers are those that the providers publish; where one is missing, the greatest published one is taken.
 */
import type { Terms } from "./provider.ts";

/**
 * Priority processing in thousandths of the standard price, by the beginning of the model's name: the dearer of input
 * and output (developers.openai.com/api/docs/pricing, "Priority", as of 2026-06).
 */
const PRIORITY: readonly (readonly [model: string, millis: number])[] = [
  ["gpt-6", 2000],
  ["gpt-5.6", 2000],
  ["gpt-5.5", 2500],
  ["gpt-5.4", 2000],
  ["gpt-5.3", 2000],
  ["gpt-5.2", 2000],
  ["gpt-5.1", 2000],
  ["gpt-5-mini", 1800],
  // Later ones of the family may cost as much as the dearest of it.
  ["gpt-5.", 2500],
  ["gpt-5", 2000],
  ["gpt-4.1-nano", 2000],
  ["gpt-4.1", 1750],
  ["gpt-4o-mini", 1667],
  ["gpt-4o", 1700],
  ["o3", 1750],
  ["o4-mini", 1819],
];

/** Azure's zones of data ask more than OpenAI does for the newer models (azure.microsoft.com/pricing, as of 2026-07). */
const AZURE_PRIORITY = 2500;
const IN_ZONES = /^gpt-(5\.[6-9]|[6-9])/;

/** OpenAI's `ultrafast` (developers.openai.com/api/docs/guides/ultrafast-mode, as of 2026-09). */
const ULTRAFAST = 6000;

/** Fast mode in thousandths (platform.claude.com/docs/en/build-with-claude/fast-mode): 6 times on Opus 4.6 and 4.7, then 2. */
const FAST: readonly (readonly [model: string, millis: number])[] = [
  ["claude-opus-4-6", 6000],
  ["claude-opus-4-7", 6000],
  ["claude-opus-4-8", 2000],
  ["claude-opus-5", 2000],
  ["claude-fable-5", 2000],
];

/**
 * OpenAI's models since March 2026 cost a tenth more where a region's endpoint is asked
 * (developers.openai.com/api/docs/pricing, data residency, as of 2026-06).
 */
const IN_REGION = 1100;
const REGIONAL = /^gpt-(5\.([4-9]|\d\d)|[6-9]|realtime-2\.1)/;

/** `inference_geo: "us"` costs a tenth more (platform.claude.com/docs/en/about-claude/pricing, data residency). */
const US_ONLY = 1100;

/**
 * Amazon Bedrock: 75 % more for priority, a quarter more for models optimised for latency
 * (aws.amazon.com/bedrock/pricing); reserved capacity is paid beforehand, and the standard price stands.
 */
const BEDROCK_PRIORITY = 1750;
const BEDROCK_OPTIMIZED = 1250;

/** Google: 75 to 100 % more for priority (ai.google.dev/gemini-api/docs/optimization). */
const GOOGLE_PRIORITY = 2000;

/** Claude on Vertex in a region of one's choice: a tenth more (platform.claude.com/docs/en/about-claude/pricing). */
const VERTEX_REGION = 1100;

/** Elsewhere `flex` is a wider limit at the same price (console.groq.com/docs/service-tiers). */
const FLEX_IS_HALF: ReadonlySet<string> = new Set(["openai", "azure", "google", "vertex", "bedrock", "openrouter"]);

/** The price under these terms in thousandths of the standard price. */
export function multiplier(provider: string, model: string, terms: Terms): number {
  // Both batch services and flex cost half (developers.openai.com/api/docs/pricing, platform.claude.com pricing), of
  // what the place costs too.
  if (terms.tier === "batch" || (terms.tier === "flex" && FLEX_IS_HALF.has(provider))) {
    return multiplier(provider, model, { ...terms, tier: null }) / 2;
  }
  if (provider === "bedrock") {
    if (terms.tier === "priority") return BEDROCK_PRIORITY;
    return terms.speed === "optimized" ? BEDROCK_OPTIMIZED : 1000;
  }
  if (provider === "google" || provider === "vertex") {
    if (model.startsWith("claude")) return (fast(model, terms) * (terms.region === null ? 1000 : VERTEX_REGION)) / 1000;
    if (terms.region !== null) return VERTEX_REGION;
    return terms.tier === "priority" ? GOOGLE_PRIORITY : 1000;
  }
  // Anthropic's models keep its terms at other providers, as they keep its words.
  if (provider !== "anthropic" && !model.startsWith("claude")) {
    const served = servedAt(provider, model, terms.tier);
    return provider === "openai" && terms.region !== null && REGIONAL.test(model)
      ? (served * IN_REGION) / 1000
      : served;
  }
  // Anthropic's priority tier is capacity bought beforehand, without a price per token: the standard price stands.
  const served = fast(model, terms);
  return terms.region === "us" ? (served * US_ONLY) / 1000 : served;
}

const fast = (model: string, { speed }: Terms): number => (speed === "fast" ? find(FAST, model, 6000) : 1000);

/** OpenAI calls `fast` now what was `priority`; it takes both words and answers with either (openai.com/api-fast-mode). */
function servedAt(provider: string, model: string, tier: string | null): number {
  if (tier === "ultrafast") return ULTRAFAST;
  if (tier !== "priority" && tier !== "fast") return 1000;
  return provider === "azure" && IN_ZONES.test(model) ? AZURE_PRIORITY : find(PRIORITY, model, 2500);
}

/** The same, before the call: a tier that was asked for is not always granted, so the dearer of it and standard. */
export const multiplierAtMost = (provider: string, model: string, terms: Terms): number =>
  Math.max(1000, multiplier(provider, model, terms));

function find(table: readonly (readonly [string, number])[], model: string, otherwise: number): number {
  return table.find(([beginning]) => model.startsWith(beginning))?.[1] ?? otherwise;
}
