/**
 * What a rule measures, in plain English: `tenant.feature.daily` is the tenant's spend on the feature today.
 * @module
 */

import { list } from "./explain-filter.ts";
import type { Filter, Meter, Metric, Window } from "./plan.ts";
import { lengthText } from "./words.ts";

/** What stands before a scope that is not the first. */
const prepositions: ReadonlyMap<string, string> = new Map([
  ["feature", "on"],
  ["agent", "through"],
  ["run", "in"],
  ["model", "on"],
  ["provider", "with"],
  ["key", "under"],
]);

const nouns: Readonly<Record<Metric, string>> = {
  cost: "spend",
  tokens: "tokens",
  input_tokens: "input tokens",
  output_tokens: "output tokens",
  calls: "calls",
  retries: "retries",
  repeats: "repeated calls",
  errors: "errors",
  concurrency: "calls in flight",
  runs: "different runs",
};

/** The thing itself: `the tenant`, `the API key`. */
export const scopeNoun = (scope: string): string => `the ${plainNoun(scope)}`;

const plainNoun = (scope: string): string => (scope === "key" ? "API key" : scope);

/** What a gate on these scopes closes: `the tenant`, `the user on the model`; null for everything. */
export function scopesText(scopes: readonly string[]): string | null {
  const [first, ...rest] = scopes;
  return first === undefined ? null : [scopeNoun(first), ...rest.map(within)].join(" ");
}

const within = (scope: string): string => `${prepositions.get(scope) ?? "for"} ${scopeNoun(scope)}`;

/** `the tenant's spend on the feature today (whatever the model)`; `filter` is that of the rule. */
export function meterPhrase({ scopes, metric, window }: Meter, filter: Filter | null): string {
  const [first, ...rest] = scopes;
  const owner = first === undefined ? "everyone's" : `${scopeNoun(first)}'s`;
  const noun = window.kind === "total" ? `total ${nouns[metric]}` : nouns[metric];
  const notes = [zoneOf(window), ignored(scopes, filter)].filter((note) => note !== null);
  const parts = [owner, noun, ...rest.map(within), over(window)].filter((part) => part !== "");
  return `${parts.join(" ")}${notes.length === 0 ? "" : ` (${notes.join("; ")})`}`;
}

/** The calls that a share is a share of: `its calls`. */
export function callsOf({ scopes }: Meter): string {
  const [first, second] = scopes;
  if (first === undefined) return "all calls";
  return `${first === "user" ? "their" : "its"} calls${second === undefined ? "" : " there"}`;
}

/** `for each tenant`; empty for everyone. */
export const eachOf = (scopes: readonly string[]): string =>
  scopes.length === 0 ? "" : ` for each ${list(scopes.map(plainNoun), "and")}`;

function over(window: Window): string {
  switch (window.kind) {
    case "hourly":
      return "this hour";
    case "daily":
      return "today";
    case "weekly":
      return "this week";
    case "monthly":
      return "this month";
    case "last":
      return `in the last ${lengthText(window.ms).replace(/^1 /, "")}`;
    default:
      return "";
  }
}

const zoneOf = (window: Window): string | null =>
  "timezone" in window && window.timezone !== "UTC" ? `${window.timezone} time` : null;

/** `when` gates and does not count: the dimensions that it asks for and the meter does not tell apart. */
function ignored(scopes: readonly string[], filter: Filter | null): string | null {
  const others = dimensionsOf(filter).filter((name) => !scopes.includes(name));
  return others.length === 0 ? null : `whatever the ${list(others.map(plainNoun), "or")}`;
}

/** The dimensions that a filter looks at, each once. */
export function dimensionsOf(filter: Filter | null): readonly string[] {
  if (filter === null) return [];
  const found = new Set<string>();
  const look = (part: Filter): void => {
    if ("dimension" in part) found.add(part.dimension);
    else if (part.kind === "not") look(part.of);
    else for (const one of part.of) look(one);
  };
  look(filter);
  return [...found];
}
