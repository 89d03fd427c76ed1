/**
 * What the naive reading knows: what happened, and how the language writes numbers and times.
 * @module
 */
import type { Call } from "../../src/call/call.ts";
import type * as ast from "../../src/policy/ast.ts";

export interface File {
  readonly statements: readonly ast.StatementNode[];
}

/** What a call held when it left, and what it really used. */
export interface Past {
  readonly call: Call;
  readonly at: number;
  readonly retry: boolean;
  readonly repeat: boolean;
  end: null | {
    readonly at: number;
    readonly cost: number;
    readonly input: number;
    readonly output: number;
    readonly failed: boolean;
  };
  /** It never left: all that remains is that its run was seen. */
  released: boolean;
}

export interface World {
  readonly past: Past[];
  /** Gates: by rule, or by hand (empty rule). */
  closed: { readonly rule: string; readonly scope: Readonly<Record<string, string>>; readonly until: number }[];
  /** What the store keeps of limits: `quota a`, in nano-dollars or counts. */
  readonly kept: Map<string, number>;
  /** Tables in files, by path. */
  readonly tables: Readonly<Record<string, Readonly<Record<string, string | number>>>>;
}

export interface Answer {
  readonly kind: string;
  readonly by: string | null;
  readonly warnings: readonly string[];
  readonly waits: readonly string[];
  readonly shadows: readonly string[];
  /** Rules of any kind whose filter and conditions all hold. */
  readonly firing: readonly string[];
  readonly retry: number;
  readonly repeat: boolean;
}

/** From the mildest to the strictest. */
export const ORDER = ["allow", "warn", "backoff", "hold", "deny", "deny for", "pause"];
export const METRICS = "cost tokens input_tokens output_tokens calls retries repeats errors concurrency runs".split(
  " ",
);
export const WINDOWS = ["hourly", "daily", "weekly", "monthly", "total"];
export const MS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };
const SCALE: Readonly<Record<string, number>> = { K: 1e3, M: 1e6, B: 1e9 };

/** Scopes of a path: what is neither metric nor window. */
export const scopesOf = (path: readonly ast.NameNode[]): readonly string[] =>
  path.map(({ text }) => text).filter((word) => ![...METRICS, ...WINDOWS, "global"].includes(word));

export const number = ({ text, scale }: ast.NumberNode): number =>
  Number(text.replaceAll("_", "")) * (SCALE[scale.toUpperCase()] ?? 1);

export const duration = ({ value, unit }: ast.DurationNode): number => Number(value) * (MS[unit] ?? Number.NaN);

const clocks = new Map<string, Intl.DateTimeFormat>();

/** What the clocks of a zone show; making them is slow. */
function clockOf(zone: string): Intl.DateTimeFormat {
  const clock =
    clocks.get(zone) ??
    new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      timeZoneName: "longOffset",
    });
  clocks.set(zone, clock);
  return clock;
}

/** The calendar period of a moment by the clocks of the zone: its hour, day, Monday or month. */
export function period(window: string, zone: string, at: number): string {
  const part = Object.fromEntries(
    clockOf(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  const day = new Date(`${part.year}-${part.month}-${part.day}T00:00:00Z`);
  if (window === "hourly") return `${day.toISOString()} ${part.hour} ${part.timeZoneName}`;
  if (window === "weekly") day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));
  return day.toISOString().slice(0, window === "monthly" ? 7 : 10);
}
