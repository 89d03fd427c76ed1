/**
 * Small pieces of English that several verbs need.
 * @module
 */

/** `1 file`, `2 files`. */
export const count = (amount: number, noun: string): string => `${amount} ${noun}${amount === 1 ? "" : "s"}`;

/** `tenant=acme feature=research`, as `pause` and `resume` take it; `global` for everything. Quoted where a shell needs it. */
export function scopeWords(scope: Readonly<Record<string, string>>): string {
  const words = Object.entries(scope).map(([name, value]) => shellWord(`${name}=${value}`));
  return words.length === 0 ? "global" : words.join(" ");
}

/** The text as one word of a POSIX shell. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
