/**
 * Every word of the language, in one table: scopes, metrics, windows, flags, actions, and what people write instead.
 * The checker, the printer of meters and the did-you-mean all read it; a new metric starts as a row here.
 * @module
 */
import type { Metric } from "./plan.ts";

export type Unit = "money" | "tokens" | "count";

/** Built-in scopes in the order in which meters name them; declared dimensions follow, by name. */
export const scopes = ["global", "tenant", "feature", "agent", "user", "run", "model", "provider", "key"] as const;

/** Subjects that are no scopes: one call, and the ledger itself. */
export const subjects = ["call", "store"] as const;

/** Metrics and what they are counted in. */
export const metrics: ReadonlyMap<Metric, { readonly unit: Unit; readonly noun: string }> = new Map([
  ["cost", { unit: "money", noun: "dollars" }],
  ["tokens", { unit: "tokens", noun: "tokens" }],
  ["input_tokens", { unit: "tokens", noun: "tokens" }],
  ["output_tokens", { unit: "tokens", noun: "tokens" }],
  ["calls", { unit: "count", noun: "calls" }],
  ["retries", { unit: "count", noun: "retries" }],
  ["repeats", { unit: "count", noun: "repeats" }],
  ["errors", { unit: "count", noun: "errors" }],
  ["concurrency", { unit: "count", noun: "calls" }],
  ["runs", { unit: "count", noun: "runs" }],
] as const);

/** Metrics that one call has by itself. */
export const callMetrics = ["cost", "tokens", "input_tokens", "output_tokens", "retries"] as const;

/** Metrics of which a percentage means a share of the calls. */
export const shareMetrics: ReadonlySet<string> = new Set(["retries", "repeats", "errors"]);

export const windows = ["hourly", "daily", "weekly", "monthly", "total"] as const;

export const callFlags = ["unpriced", "unmetered"] as const;

export const actions = ["cap", "route", "backoff", "hold", "deny", "pause", "warn", "allow", "local"] as const;

/** Words with a meaning of their own, which nothing can be named after. */
export const keywords: ReadonlySet<string> = new Set([
  ...["and", "or", "not", "when", "last", "in", "is", "of", "for", "by", "else", "matches", "missing"],
  ...["import", "timezone", "dimension", "budget", "limit", "shadow", "unlimited"],
]);

/** Milliseconds in each unit of a duration, longest first. */
export const durations: ReadonlyMap<string, number> = new Map([
  ["w", 604_800_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
]);

/** Placeholders of messages, besides the names of dimensions. */
export const placeholders = ["spent", "limit", "reset", "estimate", "rule", "window"] as const;

/** What people write, and what it is called here. */
export const synonyms: ReadonlyMap<string, string> = new Map([
  ...pairs("tenant", "customer client org organization organisation account company workspace"),
  ...pairs("feature", "service app application product project"),
  ...pairs("run", "session trace job task conversation thread request_id"),
  ...pairs("user", "person member end_user"),
  ...pairs("agent", "bot assistant worker"),
  ...pairs("provider", "vendor"),
  ...pairs("model", "llm engine"),
  ...pairs("global", "all everything everyone any"),
  ...pairs("key", "api_key apikey"),
  ...pairs("cost", "spend spending money dollars usd price"),
  ...pairs("calls", "iterations requests steps turns invocations"),
  ...pairs("input_tokens", "prompt_tokens input prompt"),
  ...pairs("output_tokens", "completion_tokens output completion"),
  ...pairs("retries", "retry attempts"),
  ...pairs("repeats", "repeat loops duplicates"),
  ...pairs("errors", "failures error failed"),
  ...pairs("concurrency", "parallel concurrent in_flight"),
  ...pairs("hourly", "hour per_hour"),
  ...pairs("daily", "day per_day today"),
  ...pairs("weekly", "week per_week"),
  ...pairs("monthly", "month per_month"),
  ...pairs("total", "lifetime ever forever"),
  ...pairs("deny", "block refuse reject forbid stop kill fail abort throw limit trip break"),
  ...pairs("pause", "suspend freeze disable"),
  ...pairs("warn", "alert notify log report slack email"),
  ...pairs("hold", "throttle wait queue"),
  ...pairs("backoff", "delay sleep slow"),
  ...pairs("route", "downgrade switch fallback reroute"),
  ...pairs("cap", "truncate max_tokens clamp shrink"),
  ...pairs("reset", "resets resets_at reset_at until"),
  ...pairs("spent", "used usage current"),
]);

function pairs(word: string, others: string): [string, string][] {
  return others.split(" ").map((other) => [other, word]);
}

export const isOneOf = <const Words extends readonly string[]>(words: Words, word: string): word is Words[number] =>
  words.includes(word);
