/**
 * What each rule alone lets go in an hour, a day, eleven days and a month.
 * @module
 */
import type { Burn } from "./burn.ts";
import { boundOf } from "./burn-bounds.ts";
import { filterText, type Population, pinned } from "./burn-filter.ts";
import { type Horizon, horizons, moneyOf, moneyWithin } from "./burn-money.ts";
import { windowText } from "./meter.ts";
import type { Plan, Rule } from "./plan.ts";

/** How a rule ends what it stops. */
export type Hold =
  /** What a run has used it never gets back. */
  | "run"
  /** For ever: a lifetime's credit. */
  | "total"
  /** Closed until a person opens it; but what stays below it is never closed. */
  | "final"
  /** Opens again by itself: it bounds how fast money goes, not how much. */
  | "rate";

export interface BoundRow {
  readonly rule: Rule;
  /** Each combination of their values may spend as much. */
  readonly scopes: readonly string[];
  /** `hourly`, `last 10m`; null: as long as a run lives. */
  readonly window: string | null;
  /** Nano-dollars in one window. */
  readonly nano: number;
  /** Nano-dollars by the end of each; null for a run, which has no hour. */
  readonly within: Readonly<Record<Horizon, number>> | null;
  readonly hold: Hold;
  /** The filter, where it judges some calls only; all others it does not bound. */
  readonly only: string | null;
  /** True where the store may keep another amount. */
  readonly live: boolean;
  /** True where the money follows from calls, tokens or runs, priced at the largest call. */
  readonly derived: boolean;
}

/** One row for each rule that bounds money, the tightest month first; `burn` is that of every call. */
export function boundRows(plan: Plan, burn: Burn): readonly BoundRow[] {
  const rows = plan.rules.flatMap((rule): BoundRow[] => {
    const known: Population = pinned(rule.filter);
    const bound = boundOf(plan, rule, known);
    if (bound === null) return [];
    const call = bound.metric === "tokens" ? burn.dearest : burn.call;
    const nano =
      bound.metric === "cost" ? bound.amount : call === null ? null : moneyOf(bound, call, burn.run?.nano ?? null);
    if (nano === null) return [];
    const { window, scopes, live, final } = bound;
    const only = filterText(rule.filter);
    return [
      {
        rule,
        scopes: scopes.filter((scope) => !(scope in known)),
        window: window.kind === "run" ? null : windowText(window),
        nano,
        within: window.kind === "run" ? null : withinEach((ms) => moneyWithin(nano, window, ms)),
        hold: window.kind === "run" ? "run" : window.kind === "total" ? "total" : final ? "final" : "rate",
        only: only === "" ? null : only,
        live,
        derived: bound.metric !== "cost",
      },
    ];
  });
  const month = ({ within, nano }: BoundRow): number => within?.month ?? nano;
  return rows.sort((a, b) => Number(a.within === null) - Number(b.within === null) || month(a) - month(b));
}

function withinEach(money: (ms: number) => number): Readonly<Record<Horizon, number>> {
  const { hour, day, elevenDays, month } = horizons;
  return { hour: money(hour), day: money(day), elevenDays: money(elevenDays), month: money(month) };
}
