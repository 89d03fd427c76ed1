/**
 * Numbers and durations as written, to exact integers.
 * @module
 */
import type { DurationNode, NumberNode, Span } from "./ast.ts";
import { type Context, refuse } from "./draft.ts";
import { amounts } from "./messages.ts";
import { durations } from "./vocabulary.ts";

/** Nano-dollars in a dollar. */
export const DOLLAR = 1_000_000_000;

/** Millionths in one percent. */
export const PERCENT = 10_000;

/** Millionths in all of it. */
export const WHOLE = 1_000_000;

const scales: ReadonlyMap<string, bigint> = new Map([
  ["", 1n],
  ["K", 1_000n],
  ["M", 1_000_000n],
  ["B", 1_000_000_000n],
]);

const LONGEST_MS = 366 * 86_400_000;

/**
 * The number times `factor` as an exact integer, or null with a report. `noun` is what is counted; money has none and
 * may have decimals down to a billionth.
 */
export function exact(node: NumberNode, factor: number, noun: string | null, context: Context): number | null {
  const { text, scale } = node;
  if (text.includes(","))
    return refuse(context, amounts.comma(node.span, /^\d+,\d{1,2}$/.test(text) ? text.replace(",", ".") : null));
  const times = scales.get(scale);
  if (times === undefined) {
    const upper = scale.toUpperCase();
    return refuse(context, amounts.suffix(node.span, scale, text, scales.has(upper) ? upper : null));
  }
  if (text.startsWith("-")) return refuse(context, amounts.negative(node.span));
  const [whole = "", decimals = ""] = text.replaceAll("_", "").split(".");
  const numerator = BigInt(whole + decimals) * times * BigInt(factor);
  const denominator = 10n ** BigInt(decimals.length);
  if (numerator % denominator !== 0n) {
    return refuse(context, noun === null ? amounts.tooFine(node.span) : amounts.fraction(node.span, noun));
  }
  return safe(numerator / denominator, node.span, noun, context);
}

/** `amount` times `over` divided by `per`, rounded down, or null with a report. */
export function scaled(amount: number, over: number, per: number, span: Span, context: Context): number | null {
  return safe((BigInt(amount) * BigInt(over)) / BigInt(per), span, null, context);
}

/**
 * Millionths of an amount as an integer that compares alike: `x > 2.5` is `x > 2` and `x >= 2.5` is `x >= 3` for whole x.
 */
export function shareOf(amount: number, millionths: number, op: ">" | ">="): number {
  const exactly = BigInt(amount) * BigInt(millionths);
  const floor = exactly / 1_000_000n;
  return Number(op === ">=" && exactly % 1_000_000n !== 0n ? floor + 1n : floor);
}

/** Units as people spell them out, and as they are written here. */
const spelled: readonly (readonly [RegExp, string])[] = [
  [/^(?:secs?|seconds?|S)$/i, "s"],
  [/^(?:mins?|minutes?)$/i, "m"],
  [/^(?:hrs?|hours?|H)$/i, "h"],
  [/^(?:days?|D)$/i, "d"],
  [/^(?:weeks?|W)$/i, "w"],
  [/^(?:millis|milliseconds?|MS)$/i, "ms"],
];

/** A duration in ms, or null with a report. */
export function milliseconds(node: DurationNode, context: Context): number | null {
  if (node.unit === "") return refuse(context, amounts.noUnit(node.span, node.value));
  const size = durations.get(node.unit);
  if (size === undefined) {
    const meant = spelled.find(([pattern]) => pattern.test(node.unit))?.[1];
    const right = meant === undefined ? null : `${node.value}${meant}`;
    return refuse(context, amounts.durationUnit(node.span, `${node.value}${node.unit}`, right));
  }
  const ms = Math.round(Number(node.value) * size);
  return ms >= 1 && ms <= LONGEST_MS ? ms : refuse(context, amounts.durationRange(node.span));
}

/** A number of percents in millionths, or null with a report. */
export function percentMillionths(node: NumberNode, context: Context): number | null {
  if (node.scale !== "") return refuse(context, amounts.percentScale(node.span));
  return exact(node, PERCENT, "millionths", context);
}

function safe(value: bigint, span: Span, noun: string | null, context: Context): number | null {
  // Beyond this integers are no longer exact, in JavaScript and in Lua alike.
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    return refuse(context, amounts.tooLarge(span, noun === null ? "$9M" : "9,007,199B"));
  }
  return Number(value);
}
