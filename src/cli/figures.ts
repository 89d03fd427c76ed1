/**
 * Amounts and times as a table shows them.
 * @module
 */

/** Dollars with at least two decimals and as many more as small amounts need; never scientific. */
export function dollars(amount: number): string {
  const decimals = amount >= 1 ? 4 : amount >= 0.01 ? 6 : 9;
  const [whole = "0", fraction = ""] = amount.toFixed(decimals).split(".");
  return `$${grouped(whole)}.${fraction.replace(/(?<=\d\d)0+$/, "")}`;
}

/** An amount of this unit, without the unit's name where it is a count. */
export const figure = (amount: number, unit: string): string =>
  unit === "USD" ? dollars(amount) : grouped(String(Math.round(amount)));

const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+$)/g, ",");

/** `97%`; rounded down, so that 100% means no room at all. */
export const percent = (share: number): string => `${Math.floor(share * 100 + 1e-9)}%`;

/** `3d 4h`, `12m`, `40s`: the largest unit, and the next one from an hour on; what is smaller is left out. */
export function lasting(ms: number): string {
  const units = [
    ["d", 86_400],
    ["h", 3_600],
    ["m", 60],
    ["s", 1],
  ] as const;
  const seconds = Math.max(1, Math.ceil(ms / 1_000));
  const first = units.findIndex(([, size]) => seconds >= size);
  const [name, size] = units[first] ?? ["s", 1];
  const [nextName, nextSize] = units[first + 1] ?? ["s", 1];
  const whole = Math.floor(seconds / size);
  const rest = Math.floor((seconds - whole * size) / nextSize);
  return rest > 0 && size > 60 ? `${whole}${name} ${rest}${nextName}` : `${whole}${name}`;
}
