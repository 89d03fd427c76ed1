/**
 * Reading a long body without decoding its long texts. In most of them a few texts are nearly all there is: these are cut
 * out, what is left is parsed, and each is put back as a `LongText`. Every byte is seen once, by searches that Node runs
 * a hundred times as fast as it parses.
 */
import { isUtf8 } from "node:buffer";
import { LongText } from "./long-text.ts";

/** Texts under this many bytes are parsed sooner than cut out. */
const LONG = 512;

/** A body is skimmed to its end if by here it has so many bytes to a text; one of many small texts is parsed sooner. */
const ENOUGH = 131_072;
const SPARSE = 100;

/** So many bytes are looked at one by one before a search is begun. */
const NEAR = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const SOLIDUS = 0x2f;
const LETTER_U = 0x75;
const SPACES = Buffer.from(" \t\r\n");
/** What may follow a backslash, but for `u` and its digits (RFC 8259, section 7). */
const ESCAPED = new Uint8Array(256);
for (const character of '"\\/bfnrt') ESCAPED[character.charCodeAt(0)] = 1;
const HEX = new Int8Array(256).fill(-1);
for (const digit of "0123456789abcdefABCDEF") HEX[digit.charCodeAt(0)] = Number.parseInt(digit, 16);
/** Control characters that come to stand in a text by mistake; what else may not stand there is not looked for. */
const BREAKS = [...Buffer.from("\n\r\t")];
/** Characters of `\u0000`. */
const UNIT = 6;

/**
 * Stands for a text that was cut out, with its number after it. It can be written in two ways only, so that what is left
 * of a body shows whether its author wrote one.
 */
const MARK = "\u0080";
const MARK_ESCAPED = "\\u0080";

/** What a body says. `whole` reads one that has no long texts, or cannot be skimmed. Undefined where it is no JSON. */
export function skim(json: Buffer, whole: (json: Buffer) => unknown): unknown {
  // A byte that is no UTF-8 is decoded as three.
  if (!isUtf8(json)) return whole(json);
  const found = cutTexts(json);
  if (found === "broken") return undefined;
  if (found === "dense") return whole(json);
  const { pieces, texts } = found;
  if (texts.length === 0 || pieces.some(holdsMark)) return whole(json);
  const rest = pieces.map((piece, index) => (index === 0 ? piece : `${MARK}${index - 1}${piece}`)).join("");
  try {
    return putBack(JSON.parse(rest), texts);
  } catch {
    return undefined;
  }
}

const holdsMark = (piece: string): boolean => piece.includes(MARK) || piece.includes(MARK_ESCAPED);

interface Cut {
  /** What stands around the texts, quotes included. */
  readonly pieces: readonly string[];
  readonly texts: readonly LongText[];
}

/** Broken where a text does not end, or has an escape that is none. */
function cutTexts(json: Buffer): Cut | "broken" | "dense" {
  const texts: LongText[] = [];
  const pieces: string[] = [];
  const breaks = BREAKS.map((byte) => finder(json, byte));
  const size = json.length;
  let quote = -1;
  let slash = -1;
  let count = 0;
  let undecided = true;
  let kept = 0;
  let at = 0;
  for (;;) {
    const gap = at + NEAR;
    while (at < gap && at < size && json[at] !== QUOTE) at += 1;
    if (at === gap) {
      quote = next(json, QUOTE, at);
      at = quote;
    }
    if (at === size) break;
    at += 1;
    const start = at;
    let saved = 0;
    let usual = true;
    let half = -1;
    let near = at + NEAR;
    for (;;) {
      let byte = json[at];
      while (at < near && byte !== QUOTE && byte !== BACKSLASH) {
        at += 1;
        byte = json[at];
      }
      if (byte !== QUOTE && byte !== BACKSLASH) {
        const from = at;
        if (quote < at) quote = next(json, QUOTE, at);
        if (slash < at) slash = next(json, BACKSLASH, at);
        at = slash < quote ? slash : quote;
        if (at - from < NEAR) near = at + 2 * NEAR;
        byte = json[at];
      }
      if (byte === QUOTE) break;
      const kind = json[at + 1];
      if (kind === LETTER_U) {
        const unit = hex4(json, at + 2);
        if (unit < 0) return "broken";
        // Two halves make one letter of four bytes; one alone is decoded as three.
        saved += UNIT - (at === half && isLow(unit) ? 1 : bytesIn(unit));
        at += UNIT;
        if (isHigh(unit)) half = at;
        usual = false;
      } else {
        // Past the end there is nothing, and nothing may not be escaped.
        if (kind === undefined || ESCAPED[kind] !== 1) return "broken";
        if (kind === SOLIDUS) usual = false;
        saved += 1;
        at += 2;
      }
    }
    if (at - start >= LONG && !isKey(json, at + 1)) {
      if (breaks.some((find) => find(start) < at)) return "broken";
      pieces.push(json.toString("utf8", kept, start));
      texts.push(new LongText(json, start, at, { bytes: at - start - saved, usual }));
      kept = at;
    }
    at += 1;
    count += 1;
    if (undecided && at > ENOUGH) {
      if (at < count * SPARSE) return "dense";
      undecided = false;
    }
  }
  pieces.push(json.toString("utf8", kept));
  return { pieces, texts };
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

/** Four hex digits as a number; less than 0 where they are none. */
function hex4(json: Buffer, at: number): number {
  let unit = 0;
  for (let index = at; index < at + 4; index += 1) unit = (unit << 4) | (HEX[json[index] ?? 0] ?? -1);
  return unit;
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000;

/** UTF-8 bytes of a UTF-16 unit that stands alone. */
const bytesIn = (unit: number): number => (unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3);

/** The value with the texts in the place of their marks; it may be nested deeper than the stack goes. */
function putBack(value: unknown, texts: readonly LongText[]): unknown {
  const top = [value];
  const open: object[] = [top];
  for (let holder = open.pop(); holder !== undefined; holder = open.pop()) {
    const place = (key: string | number, held: unknown): void => {
      if (typeof held === "object" && held !== null) open.push(held);
      else if (typeof held === "string" && held.startsWith(MARK))
        Reflect.set(holder, key, texts[Number(held.slice(1))]);
    };
    if (Array.isArray(holder)) for (let index = 0; index < holder.length; index += 1) place(index, holder[index]);
    else for (const key of Object.keys(holder)) place(key, (holder as Record<string, unknown>)[key]);
  }
  return top[0];
}
