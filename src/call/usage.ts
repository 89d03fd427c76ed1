/**
 * Usage figures: none, and the sum of several.
 */
import type { Units, Usage } from "./call.ts";

/** Nothing used. */
export const NO_USAGE: Usage = Object.freeze({
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  cacheWriteHourTokens: 0,
  reasoningTokens: 0,
  inputAudioTokens: 0,
  outputAudioTokens: 0,
  webSearches: 0,
  fileSearches: 0,
  reportedCost: null,
});

/** A usage with the given figures and zero for the rest. */
export const usage = (given: Partial<Usage>): Usage => Object.freeze({ ...NO_USAGE, ...given });

/** The figures of all, added up. */
export function sumUsage(all: readonly Usage[]): Usage {
  const [first, ...rest] = all;
  return rest.reduce<Usage>(
    (a, b) =>
      Object.freeze({
        inputTokens: a.inputTokens + b.inputTokens,
        outputTokens: a.outputTokens + b.outputTokens,
        cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
        cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
        cacheWriteHourTokens: a.cacheWriteHourTokens + b.cacheWriteHourTokens,
        reasoningTokens: a.reasoningTokens + b.reasoningTokens,
        inputAudioTokens: a.inputAudioTokens + b.inputAudioTokens,
        outputAudioTokens: a.outputAudioTokens + b.outputAudioTokens,
        inputImageTokens: (a.inputImageTokens ?? 0) + (b.inputImageTokens ?? 0),
        inputVideoTokens: (a.inputVideoTokens ?? 0) + (b.inputVideoTokens ?? 0),
        outputImageTokens: (a.outputImageTokens ?? 0) + (b.outputImageTokens ?? 0),
        outputVideoTokens: (a.outputVideoTokens ?? 0) + (b.outputVideoTokens ?? 0),
        cacheReadAudioTokens: (a.cacheReadAudioTokens ?? 0) + (b.cacheReadAudioTokens ?? 0),
        cacheReadImageTokens: (a.cacheReadImageTokens ?? 0) + (b.cacheReadImageTokens ?? 0),
        webSearches: a.webSearches + b.webSearches,
        fileSearches: (a.fileSearches ?? 0) + (b.fileSearches ?? 0),
        ...(a.units === undefined && b.units === undefined ? {} : { units: sumUnits(a.units ?? {}, b.units ?? {}) }),
        reportedCost:
          a.reportedCost === null && b.reportedCost === null ? null : (a.reportedCost ?? 0) + (b.reportedCost ?? 0),
      }),
    first ?? NO_USAGE,
  );
}

/** The pieces of both, added up. */
export function sumUnits(a: Units, b: Units): Units {
  const sum: Record<string, number> = { ...a };
  for (const [unit, pieces] of Object.entries(b)) sum[unit] = (sum[unit] ?? 0) + pieces;
  return Object.freeze(sum);
}

/** Whether nothing at all was counted: a provider that answers with zeros has not counted. */
export const isEmpty = (all: Usage): boolean =>
  all.inputTokens === 0 &&
  all.outputTokens === 0 &&
  all.webSearches === 0 &&
  all.reportedCost === null &&
  Object.values(all.units ?? {}).every((pieces) => pieces === 0);
