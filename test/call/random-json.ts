/** A whole number under `limit`, the same row of them for the same seed. */
export type Random = (limit: number) => number;

/** Mulberry32: small, and good enough to make bodies. */
export function random(seed: number): Random {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

export const pick = <One>(dice: Random, from: readonly One[]): One => {
  const one = from[dice(from.length)];
  if (one === undefined) throw new Error("nothing to pick from");
  return one;
};

const WORDS = [
  "budget ",
  "the clerk said no. ",
  'say("yes", \\1)\n',
  "größer ",
  "预算 ",
  "🙂🙃",
  "\ud83d",
  "\udc00",
  "\t",
  "</script>",
  "2026-11-22T10:00:00Z ",
  "\u0000\u001f",
  "\u0080",
  "\u2028",
  "a-b/c ",
] as const;

/** A text of about so many characters: of one kind of words, or of all of them. */
export function someText(dice: Random, length: number): string {
  const kinds = dice(3) === 0 ? WORDS : [pick(dice, WORDS), pick(dice, WORDS.slice(0, 5))];
  let text = "";
  while (text.length < length) text += pick(dice, kinds);
  return text;
}

const LENGTHS = [0, 3, 20, 90, 400, 600, 900, 3_000, 20_000] as const;

/** Any value, with texts of all lengths in it. */
export function someJson(dice: Random, depth: number): unknown {
  if (depth === 0 || dice(4) === 0) {
    return dice(4) === 0 ? pick(dice, [0, -1.5e300, true, false, null]) : someText(dice, pick(dice, LENGTHS));
  }
  const held = Array.from({ length: dice(5) }, () => someJson(dice, depth - 1));
  if (dice(2) === 0) return held;
  return Object.fromEntries(
    held.map((value, index) => [`${pick(dice, ["a", "", "b\n", "7", "__proto__"])}${index}`, value]),
  );
}

/** The value as JSON as one writer or another spells it: with spaces, or with letters and slashes escaped. */
export function spelled(value: unknown, dice: Random): string {
  const json = JSON.stringify(value, null, pick(dice, [0, 0, 2, "\t"])) ?? "null";
  const slashed = dice(4) === 0 ? json.replaceAll("/", "\\/") : json;
  return dice(3) === 0 ? slashed.replace(/[^\0-\x7f]/g, unicode) : slashed;
}

/** A UTF-16 unit as an escape. */
export const unicode = (letter: string): string => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
