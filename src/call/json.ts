/**
 * Reading JSON that others wrote: every answer is of the asked type or says that it is not there.
 */
import { isAscii } from "node:buffer";
import { isText, LongText, type Text } from "./long-text.ts";
import { skim } from "./skim.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** The value as an object with named fields, null where it is anything else. */
export function fields(value: unknown): Fields | null {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof LongText) return null;
  return value as Fields;
}

/** The value as a list, empty where it is anything else. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value as a string, null where it is anything else or empty. */
export function text(value: unknown): string | null {
  return undecoded(value)?.toString() ?? null;
}

/** The same, of which a long one may not be decoded: for what is only counted, or looked at in part. */
export function undecoded(value: unknown): Text | null {
  return isText(value) && value !== "" ? value : null;
}

/** The value as a count of tokens or events: a whole number of at least 0, else 0. */
export function count(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? Math.ceil(value) : 0;
}

/** The value as a positive whole number, null where it is anything else. */
export function positive(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : null;
}

/** The parsed text, undefined where it is no JSON. */
export function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** From this length in bytes, decoding takes as long as parsing does, unless it is helped. */
const LONG = 262_144;

/** Node keeps Latin-1 texts from this length outside the heap (EXTERN_APEX in its src/string_bytes.cc). */
const OUTSIDE = 0xf_bee9;

/** Shorter bodies are parsed in less time than it takes to find out whether they could be skimmed. */
const SKIMMED = 65_536;

/** What a request body says, undefined where it is no JSON; its long texts are not decoded. */
export const parseBody = (json: Buffer): unknown => (json.length < SKIMMED ? parseBytes(json) : skim(json, parseBytes));

/** The parsed bytes, undefined where they are no JSON in UTF-8. */
export function parseBytes(json: Buffer): unknown {
  if (json.length < LONG || !isAscii(json)) return parse(json.toString("utf8"));
  if (json.length >= OUTSIDE) return parse(json.toString("latin1"));
  // A text of this size on the heap costs more to make than to parse. Spaces at the end of JSON mean nothing.
  const padded = Buffer.allocUnsafeSlow(OUTSIDE);
  json.copy(padded);
  return parse(padded.fill(" ", json.length).toString("latin1"));
}
