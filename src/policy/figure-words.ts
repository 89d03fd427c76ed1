import { durations } from "./vocabulary.ts";
import { lengthText } from "./words.ts";

/** What is counted, with a space before it where there is a word for it: `12 calls in flight`, `$12`. */
export const nounOf = (metric: string): string => nouns[metric] ?? "";

const nouns: Readonly<Record<string, string>> = {
  tokens: " tokens",
  input_tokens: " input tokens",
  output_tokens: " output tokens",
  calls: " calls",
  retries: " retries",
  repeats: " repeats",
  errors: " errors",
  concurrency: " calls in flight",
  runs: " runs",
};

/** The window of figures as the end of a sentence: ` this hour`, ` in the last 15 minutes`; nothing for a run. */
export function overText(window: string | null): string {
  switch (window) {
    case null:
    case "run":
      return "";
    case "hourly":
      return " this hour";
    case "daily":
      return " today";
    case "weekly":
      return " this week";
    case "monthly":
      return " this month";
    case "total":
      return " in total";
    default:
      return ` in the last ${lengthOf(window).replace(/^1 /, "")}`;
  }
}

const lengthOf = (window: string): string => {
  const unit = window.replace(/^last \d+/, "");
  const count = Number.parseInt(window.slice("last ".length), 10);
  return lengthText(count * (durations.get(unit) ?? 1));
};
