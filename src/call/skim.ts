/**
 * Reading a long body without decoding its long texts. In most of them a few texts are nearly all there is: these are cut
 * out, what is left is parsed, and each is put back as a `LongText`. Their ends are found by searches that Node runs a
 * hundred times as fast as it parses; what is escaped within them is not looked at, but for samples.
 */
import { isAscii, isUtf8 } from "node:buffer";
import { LongText } from "./long-text.ts";

/** Texts under this many bytes are parsed sooner than cut out. */
const LONG = 512;

/** A body is skimmed to its end if by here it has so many bytes to a text; one of many small texts is parsed sooner. */
const ENOUGH = 65_536;
const SPARSE = 100;

/** So many bytes are looked at one by one before a search is begun, and so many after an escaped quote that was near. */
const NEAR = 16;
const CLOSE = 256;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const LETTER_U = 0x75;
const SPACES = Buffer.from(" \t\r\n");
/** Control characters that come to stand in a text by mistake; what else may not stand there is not looked for. */
const BREAKS = [...Buffer.from("\n\r\t")];

/** Stands for a text that was cut out, with its number after it: a character that nobody writes. */
const MARK = 0x7f;
const MARK_ESCAPED = /\\u007f/i;

/** What a body says. `whole` reads one that has no long texts, or cannot be skimmed. Undefined where it is no JSON. */
export function skim(json: Buffer, whole: (json: Buffer) => unknown): unknown {
  // A byte that is no UTF-8 is decoded as three.
  if (!isUtf8(json) || json.includes(MARK)) return whole(json);
  const texts = longTexts(json);
  if (texts === "broken") return undefined;
  if (texts === "dense" || texts.length === 0) return whole(json);
  const rest = around(json, texts);
  if (MARK_ESCAPED.test(rest)) return whole(json);
  try {
    return putBack(JSON.parse(rest), texts);
  } catch {
    return undefined;
  }
}

/** The long texts of a body in their order. Broken where one does not end. */
function longTexts(json: Buffer): readonly LongText[] | "broken" | "dense" {
  const texts: LongText[] = [];
  const breaks = BREAKS.map((byte) => finder(json, byte));
  const slash = finder(json, BACKSLASH);
  const size = json.length;
  let count = 0;
  let undecided = true;
  let at = 0;
  for (;;) {
    at = nextQuote(json, at);
    if (at === size) return texts;
    const start = at + 1;
    const end = endOfText(json, start);
    if (end >= size) return "broken";
    if (end - start >= LONG && !isKey(json, end + 1)) {
      if (breaks.some((find) => find(start) < end)) return "broken";
      texts.push(new LongText(json, start, end, slash(start) < end ? bytesSaid(json, start, end) : end - start));
    }
    at = end + 1;
    count += 1;
    if (undecided && at > ENOUGH) {
      if (at < count * SPARSE) return "dense";
      undecided = false;
    }
  }
}

/** Where a quote stands next; past the end where none does. */
function nextQuote(json: Buffer, from: number): number {
  const near = Math.min(from + NEAR, json.length);
  for (let at = from; at < near; at += 1) if (json[at] === QUOTE) return at;
  return next(json, QUOTE, near);
}

/** Where the text ends that begins there; past the end where it does not. */
function endOfText(json: Buffer, start: number): number {
  const size = json.length;
  let at = start;
  let near = Math.min(start + NEAR, size);
  for (;;) {
    while (at < near) {
      const byte = json[at];
      if (byte === QUOTE) return at;
      at += byte === BACKSLASH ? 2 : 1;
    }
    const from = at;
    at = next(json, QUOTE, from);
    if (at === size || !isEscaped(json, at, from)) return at;
    at += 1;
    // Where quotes stand close together, as in JSON that is a text itself, a search for each would take longer.
    if (at - from <= NEAR) near = Math.min(at + CLOSE, size);
  }
}

/** Whether a byte has a backslash before it that stands for itself; what stands before `from` is of no account. */
function isEscaped(json: Buffer, at: number, from: number): boolean {
  let before = at - 1;
  while (before >= from && json[before] === BACKSLASH) before -= 1;
  return (at - before) % 2 === 0;
}

/** How many places of a text are looked at, one for so many bytes of it, and bytes of each. */
const [LEAST_SAMPLES, MOST_SAMPLES] = [2, 64];
const SAMPLED = 4_096;
const SAMPLE = 32;

/** 2^32 by the golden ratio: its multiples fall evenly, and never in step with anything (Fibonacci hashing). */
const SCATTER = 0x9e3779b1;

/** UTF-8 bytes of what a text says, if the rest of it has as many escapes as a few places. */
function bytesSaid(json: Buffer, start: number, end: number): number {
  const size = end - start;
  const samples = Math.max(LEAST_SAMPLES, Math.min(MOST_SAMPLES, Math.floor(size / SAMPLED)));
  const step = Math.floor(size / samples);
  let saved = 0;
  for (let index = 0; index < samples; index += 1) {
    // Anywhere within its step: what is said over and over must not meet the samples in the same place each time.
    const within = (Math.imul(index + 1, SCATTER) >>> 0) % (step - SAMPLE);
    const from = start + index * step + within;
    saved += savedIn(json, from, from + SAMPLE);
  }
  return size - Math.floor((saved * size) / (samples * SAMPLE));
}

/** Bytes by which a text is spelled longer than it is. */
function savedIn(json: Buffer, from: number, to: number): number {
  let saved = 0;
  for (let at = from; at < to; at += 1) {
    if (json[at] !== BACKSLASH) continue;
    at += 1;
    // Six for a letter, of which those beyond Europe's take three.
    saved += json[at] === LETTER_U ? 3 : 1;
  }
  return saved;
}

/** Where a byte stands next; past the end where it does not. */
function next(json: Buffer, byte: number, from: number): number {
  const at = json.indexOf(byte, from);
  return at < 0 ? json.length : at;
}

/** Finds where a byte stands next, asked for one place after the other. */
function finder(json: Buffer, byte: number): (from: number) => number {
  let at = -1;
  return (from) => {
    if (at < from) at = next(json, byte, from);
    return at;
  };
}

/** Only what has a colon after it is a key. */
function isKey(json: Buffer, after: number): boolean {
  let at = after;
  while (SPACES.includes(json[at] ?? COLON)) at += 1;
  return json[at] === COLON;
}

const ZERO = 0x30;

/** So many bytes are copied one by one sooner than by a call. */
const FEW = 128;

/** What stands around the texts, with a mark and a number in the place of each. */
function around(json: Buffer, texts: readonly LongText[]): string {
  const digits = String(texts.length).length;
  const size = texts.reduce((left, { start, end }) => left - (end - start) + 1 + digits, json.length);
  const rest = Buffer.allocUnsafe(size);
  let filled = 0;
  let kept = 0;
  for (const [index, { start, end }] of texts.entries()) {
    filled = copy(json, kept, start, rest, filled);
    rest[filled] = MARK;
    filled += digits;
    for (let left = index, place = 0; place < digits; left = Math.floor(left / 10), place += 1) {
      rest[filled - place] = ZERO + (left % 10);
    }
    filled += 1;
    kept = end;
  }
  filled = copy(json, kept, json.length, rest, filled);
  return rest.toString(isAscii(rest) ? "latin1" : "utf8", 0, filled);
}

/** Copies what is mostly a few bytes, and returns where they end. */
function copy(json: Buffer, from: number, to: number, rest: Buffer, filled: number): number {
  if (to - from > FEW) return filled + json.copy(rest, filled, from, to);
  for (let at = from; at < to; at += 1) rest[filled + at - from] = json[at] ?? 0;
  return filled + to - from;
}

/** The value with the texts in the place of their marks; it may be nested deeper than the stack goes. */
function putBack(value: unknown, texts: readonly LongText[]): unknown {
  const top: unknown[] = [value];
  const open: object[] = [top];
  for (let holder = open.pop(); holder !== undefined; holder = open.pop()) {
    const held = holder as Record<string | number, unknown>;
    const place = (key: string | number): void => {
      const one = held[key];
      if (typeof one === "object") {
        if (one !== null) open.push(one);
      } else if (typeof one === "string" && one.charCodeAt(0) === MARK) held[key] = texts[Number(one.slice(1))];
    };
    if (Array.isArray(holder)) for (let index = 0; index < holder.length; index += 1) place(index);
    else for (const key of Object.keys(holder)) place(key);
  }
  return top[0];
}
