/**
 * A long text of a JSON body that was not decoded. Whoever asks for it gets it; who only counts it, or looks at its ends,
 * need not wait for the rest.
 */
import { isAscii } from "node:buffer";

/** A text of a body, decoded or not. */
export type Text = string | LongText;

/** Whether a value is a text. */
export const isText = (value: unknown): value is Text => typeof value === "string" || value instanceof LongText;

/** UTF-8 bytes of a text. */
export const bytesOf = (text: Text): number => (typeof text === "string" ? Buffer.byteLength(text) : text.bytes);

/** Up to this many bytes, a piece of a text is decoded at once: what is looked at of a picture. */
const PIECE = 131_072;

/** Holds on to the body that it stands in. */
export class LongText {
  /** Where it begins and ends in that body. */
  readonly start: number;
  readonly end: number;
  /** UTF-8 bytes of what it says; about as many where something in it is escaped. */
  readonly bytes: number;
  readonly #body: Buffer;
  #plain: boolean | undefined;

  /** What stands between two quotes: valid UTF-8. */
  constructor(body: Buffer, start: number, end: number, bytes: number) {
    this.start = start;
    this.end = end;
    this.bytes = bytes;
    this.#body = body;
  }

  /** UTF-16 units, as with a string. */
  get length(): number {
    return this.#isPlain() ? this.bytes : this.toString().length;
  }

  /** As with a string; a long piece is not decoded either. */
  slice(from: number, to?: number): Text {
    if (!this.#isPlain()) return this.toString().slice(from, to);
    const json = this.json();
    const piece = json.subarray(from, to);
    if (piece.length <= PIECE) return piece.toString("latin1");
    return new LongText(piece, 0, piece.length, piece.length);
  }

  /** As it stands between its quotes. */
  json(): Buffer {
    return this.#body.subarray(this.start, this.end);
  }

  /** UTF-8 bytes of it as JSON, quotes included. */
  jsonBytes(): number {
    return this.end - this.start + 2;
  }

  /** Its beginning, from as many bytes of JSON. */
  head(bytes: number): string {
    const json = this.json();
    return firstValid((less) => json.toString("utf8", 0, bytes - less));
  }

  /** Its end, from as many bytes of JSON. */
  tail(bytes: number): string {
    const json = this.json();
    return firstValid((less) => json.toString("utf8", json.length - bytes + less));
  }

  /** What it says; as it is spelled where it is spelled wrong. */
  toString(): string {
    const json = this.#body.toString("utf8", this.start, this.end);
    try {
      return decoded(json);
    } catch {
      return json;
    }
  }

  toJSON(): string {
    return standIn === null ? this.toString() : standIn(this);
  }

  /** Whether a byte is a character. */
  #isPlain(): boolean {
    this.#plain ??= this.bytes === this.end - this.start && isPlain(this.json());
    return this.#plain;
  }
}

const BACKSLASH = 0x5c;

const isPlain = (json: Buffer): boolean => isAscii(json) && !json.includes(BACKSLASH);

/** While a value is written with something else in the place of its long texts. */
let standIn: ((text: LongText) => string) | null = null;

/** The value as JSON, with what `shown` gives in the place of each long text. */
export function jsonWith(value: unknown, shown: (text: LongText) => string): string {
  standIn = shown;
  try {
    return JSON.stringify(value) ?? "";
  } finally {
    standIn = null;
  }
}

/** The text that stands in JSON like this, without its quotes. */
const decoded = (json: string): string => String(JSON.parse(`"${json}"`));

/** `\u0000` is the longest escape: a cut through one leaves at most five characters too many. */
const LONGEST_ESCAPE = 6;

function firstValid(cut: (less: number) => string): string {
  for (let less = 0; less < LONGEST_ESCAPE; less += 1) {
    try {
      return decoded(cut(less));
    } catch {
      // Cut in the middle of an escape.
    }
  }
  return "";
}
