import type { Attributes, AttributeValue } from "@opentelemetry/api";

/** The longest text that an attribute carries, in characters. */
const MAX_TEXT = 1024;

/** Nano-dollars as USD. */
export function money(nano: number): number {
  return nano / 1e9;
}

/** ms since 1970 as ISO 8601 in UTC. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** Text cut to what an attribute may carry. */
export function shortened(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text;
}

/** The same attributes without those that have no value: absent is not the same as empty or zero. */
export function compact(attributes: Readonly<Record<string, AttributeValue | undefined>>): Attributes {
  const kept: Attributes = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}
