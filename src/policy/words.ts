/**
 * Amounts, times and scopes as people read them.
 * @module
 */
import { NONE } from "../call/call.ts";
import { durationText } from "./meter.ts";
import { DOLLAR } from "./number.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;

const months = "January February March April May June July August September October November December".split(" ");

const units: Readonly<Record<string, string>> = {
  w: "week",
  d: "day",
  h: "hour",
  m: "minute",
  s: "second",
  ms: "millisecond",
};

/**
 * An amount with its limit, in as many decimals as it takes to tell them apart and to be right within half a percent:
 * never `$0.10 of $0.10`, and never `$0.03 of $0.02` for two and a half cents.
 */
export function amountPair(metric: string, amount: number, limit: number): readonly [string, string] {
  if (metric !== "cost") return [whole(amount), whole(limit)];
  for (let decimals = 2; decimals < 9; decimals++) {
    const pair = [dollars(amount, decimals), dollars(limit, decimals)] as const;
    const rough = [amount, limit].some((value) => Math.abs(rounded(value, decimals) - value) * 200 > value);
    if (!rough && (amount === limit || pair[0] !== pair[1])) return pair;
  }
  return [dollars(amount, 9), dollars(limit, 9)];
}

const rounded = (nano: number, decimals: number): number => Number((nano / DOLLAR).toFixed(decimals)) * DOLLAR;

/** One amount alone. */
export const amountText = (metric: string, amount: number): string => amountPair(metric, amount, amount)[0];

const dollars = (nano: number, decimals: number): string => {
  const [units = "0", fraction = ""] = (nano / DOLLAR).toFixed(decimals).split(".");
  return `$${grouped(units)}.${fraction}`;
};

const whole = (count: number): string => grouped(String(count));

const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+$)/g, ",");

/** `tenant "acme", feature "research"`; `everything` for no scope. */
export function scopeText(scope: Readonly<Record<string, string>>): string {
  const parts = Object.entries(scope).map(
    ([name, value]) => `${name} ${value === NONE ? NONE : JSON.stringify(value)}`,
  );
  return parts.length === 0 ? "everything" : parts.join(", ");
}

/** The command that opens a gate on this scope, as a shell takes it. */
export function resumeCommand(scope: Readonly<Record<string, string>>): string {
  const words = Object.entries(scope).map(([name, value]) => shellWord(`${name}=${value}`));
  return `\`budget-guard resume ${words.length === 0 ? "global" : words.join(" ")}\``;
}

/** A word as a shell takes it. */
export const shellWord = (word: string): string =>
  /^[\w.:@/=+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** `10 minutes`, `1 hour`. */
export function lengthText(ms: number): string {
  const text = durationText(ms);
  const count = Number.parseInt(text, 10);
  const unit = units[text.replace(/^\d+/, "")] ?? "millisecond";
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** `15:00 UTC` today, `1 December 00:00 UTC` on another day; `now` and `at` in ms since 1970. */
export function timeText(at: number, now: number): string {
  const { day, clock } = partsOf(at, now);
  return day === null ? clock : `${day} ${clock}`;
}

/** `at 15:00 UTC` today, `on 1 December at 00:00 UTC` on another day. */
export function atTime(at: number, now: number): string {
  const { day, clock } = partsOf(at, now);
  return day === null ? `at ${clock}` : `on ${day} at ${clock}`;
}

function partsOf(at: number, now: number): { readonly day: string | null; readonly clock: string } {
  const date = new Date(Math.ceil(at / 1000) * 1000);
  const iso = date.toISOString();
  const clock = `${date.getTime() % MINUTE === 0 ? iso.slice(11, 16) : iso.slice(11, 19)} UTC`;
  if (Math.floor(date.getTime() / DAY) === Math.floor(now / DAY)) return { day: null, clock };
  const year = date.getUTCFullYear() === new Date(now).getUTCFullYear() ? "" : ` ${date.getUTCFullYear()}`;
  return { day: `${date.getUTCDate()} ${months[date.getUTCMonth()]}${year}`, clock };
}
