/**
 * The beginning of a JSON object that is too long to be read whole: its short values, which say what a request asks for,
 * but not its prompt.
 */

import { type Fields, parse } from "./json.ts";
import { membersSoFar, openingBrace } from "./json-edit.ts";

/** Bytes; a list of tools fits, what a model is to read mostly does not. */
const LONGEST = 64 * 1024;

/** Its members as far as they came; null for each that is long or had not ended. Null where it is no object. */
export function readStart(start: Buffer): Fields | null {
  const text = start.toString("latin1");
  const top = openingBrace(text, 0);
  if (top === null) return null;
  const { all, unfinished } = membersSoFar(text, top);
  const short = all.map(({ key, start: from, end }) => {
    const value = end - from > LONGEST ? undefined : parse(start.toString("utf8", from, end));
    return [key, value ?? null] as const;
  });
  return Object.fromEntries(unfinished === null ? short : [...short, [unfinished, null]]);
}
