import type { KeptLimit, Tables } from "./tables.ts";

/** What is kept under each key; null where nothing is. */
export function keptLimits(tables: Tables, keys: readonly string[]): readonly (number | null)[] {
  return keys.map((key) => {
    const limit = tables.limits.get(key);
    return limit === undefined ? null : amountOf(limit);
  });
}

/** Keeps a limit from now on; null forgets it. */
export function keepLimit(tables: Tables, key: string, amount: number | null): void {
  if (amount === null) tables.limits.delete(key);
  else tables.limits.set(key, amount === Number.POSITIVE_INFINITY ? "unlimited" : amount, null);
}

export function allLimits(tables: Tables): ReadonlyMap<string, number> {
  return new Map([...tables.limits.entries("")].map(([key, limit]) => [key, amountOf(limit)]));
}

const amountOf = (limit: KeptLimit): number => (limit === "unlimited" ? Number.POSITIVE_INFINITY : limit);
