/**
 * Recognises the same work asked for again: a retry, or a loop that makes no progress.
 * The whole body would not do, since it grows every turn; what changes by itself (ids, times) is taken out.
 */
import { hash } from "node:crypto";
import type { Text } from "./long-text.ts";
import type { RequestFacts } from "./provider.ts";

/** 16 hex digits over provider, system prompt, tools and last message; null where there is nothing to hash. */
export function fingerprint(provider: string, facts: RequestFacts): string | null {
  if (facts.system === "" && facts.tools === "" && facts.lastMessage.trim() === "") return null;
  const parts = [provider, facts.system, facts.tools, facts.lastMessage].map((part) => `${normalise(part)}\0`);
  return hash("sha256", parts.join(""), "hex").slice(0, 16);
}

/** Longer texts, in UTF-16 units or in bytes of JSON, are condensed: patterns over megabytes would delay the call. */
const LONG = 65_536;

/** What is kept of a long text at either end. */
const END = 4_096;

/** The text without what differs between two askings of the same thing. */
export function normalise(text: string): string {
  return plain(condense(text));
}

/** A long text as its two ends with a checksum of what is between them; any other as it is. */
export function condense(text: Text): string {
  if (typeof text === "string") {
    return text.length <= LONG
      ? text
      : joined(text.slice(0, END), text.slice(END, -END), text.slice(-END), text.length);
  }
  const json = text.json();
  if (json.length <= LONG) return text.toString();
  // What is between the ends is as good a sign as it stands: who asks again spells it the same.
  return joined(text.head(END), json.subarray(END, -END), text.tail(END), text.bytes);
}

function joined(head: string, between: string | Buffer, tail: string, length: number): string {
  // Only work that agrees in all else, and at both ends, is told apart by it: it need not withstand an attack.
  const { crc32 } = process.getBuiltinModule("node:zlib");
  return `${head} ${length} ${crc32(between).toString(16).padStart(8, "0")} ${tail}`;
}

function plain(text: string): string {
  // All of what is taken out has a digit in it, and most prose has none: the search for one costs a tenth of the rest.
  const lasting = DIGIT.test(text) ? unmarked(text) : text;
  // Single spaces, which are nearly all, stay where they are.
  return lasting.replace(/\s\s+|[^\S ]/g, " ").trim();
}

const DIGIT = /\d/;

function unmarked(text: string): string {
  return text
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, "#")
    .replace(/\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?/g, "#")
    .replace(/\b\d\d?:\d\d:\d\d(?:[.,]\d+)?\b/g, "#")
    .replace(/\b\d{10,}\b/g, "#")
    .replace(/\b\w{12,}/g, (word) => (isId(word) ? "#" : word));
}

/** Long words with digits in them are ids: hashes, `call_Ab3...`, request numbers. */
const isId = (word: string): boolean => /\d/.test(word) && (/^[0-9a-f]+$/i.test(word) || word.length >= 20);
