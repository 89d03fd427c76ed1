/**
 * Usage times rates: the parts of a cost in whole nano-dollars, and their exact sum.
 */
import type { Cost, Usage } from "./call.ts";
import { type RateCard, ratesFor, scale } from "./rates.ts";

export const NO_COST: Cost = Object.freeze({
  input: 0,
  output: 0,
  cacheRead: 0,
  cacheWrite: 0,
  reasoning: 0,
  tools: 0,
  total: 0,
});

/** What `usage` costs on this card at `millis` thousandths of its token prices. */
export function costOf(usage: Usage, card: RateCard, millis = 1000): Cost {
  const rates = scale(ratesFor(card, usage.inputTokens), millis);
  const written = usage.cacheWriteTokens + usage.cacheWriteHourTokens;
  const fresh = Math.max(0, usage.inputTokens - usage.cacheReadTokens - written);
  const heard = Math.min(fresh, usage.inputAudioTokens);
  const reasoned = Math.min(usage.outputTokens, usage.reasoningTokens);
  const spoken = Math.min(usage.outputTokens - reasoned, usage.outputAudioTokens);
  return total({
    input: nano(fresh - heard, rates.input, heard, rates.inputAudio),
    output: nano(usage.outputTokens - reasoned - spoken, rates.output, spoken, rates.outputAudio),
    cacheRead: nano(usage.cacheReadTokens, rates.cacheRead),
    cacheWrite: nano(usage.cacheWriteTokens, rates.cacheWrite, usage.cacheWriteHourTokens, rates.cacheWriteHour),
    reasoning: nano(reasoned, rates.reasoning),
    tools: usage.webSearches * card.webSearch + (usage.fileSearches ?? 0) * card.fileSearch,
  });
}

/** Nano-dollars of one or two kinds of tokens times pico-dollars each, added up and then rounded, a half up. */
function nano(tokens: number, picoEach: number, others = 0, picoOthers = 0): number {
  const picos = tokens * picoEach + others * picoOthers;
  if (picos <= Number.MAX_SAFE_INTEGER - 500) return Math.floor((picos + 500) / 1000);
  // Past 9 quadrillion pico-dollars ($9,007) a double no longer holds every integer.
  const exact = BigInt(tokens) * BigInt(picoEach) + BigInt(others) * BigInt(picoOthers);
  return Number((exact + 500n) / 1000n);
}

/** Parts with their sum. */
export function total(parts: Omit<Cost, "total">): Cost {
  const sum = parts.input + parts.output + parts.cacheRead + parts.cacheWrite + parts.reasoning + parts.tools;
  return Object.freeze({ ...parts, total: sum });
}

/** All costs, part by part. */
export function sumCost(all: readonly Cost[]): Cost {
  const of = (part: keyof Cost): number => all.reduce((sum, cost) => sum + cost[part], 0);
  return total({
    input: of("input"),
    output: of("output"),
    cacheRead: of("cacheRead"),
    cacheWrite: of("cacheWrite"),
    reasoning: of("reasoning"),
    tools: of("tools"),
  });
}

/** The cost whose total is what the provider itself says, its parts in proportion to `shape`. */
export function costAs(totalNano: number, shape: Cost): Cost {
  if (shape.total === 0) return total({ ...NO_COST, input: totalNano });
  const share = (part: number): number => Number((BigInt(part) * BigInt(totalNano)) / BigInt(shape.total));
  const parts = {
    output: share(shape.output),
    cacheRead: share(shape.cacheRead),
    cacheWrite: share(shape.cacheWrite),
    reasoning: share(shape.reasoning),
    tools: share(shape.tools),
  };
  const rest = parts.output + parts.cacheRead + parts.cacheWrite + parts.reasoning + parts.tools;
  return total({ ...parts, input: totalNano - rest });
}
