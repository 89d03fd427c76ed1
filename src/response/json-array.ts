/**
 * Answers out of a JSON array that streams: Gemini sends one where nobody asked for events, an element at a time. Each
 * element is read as soon as it is whole, and let go. Bytes are handled as one character each.
 */
import { parse } from "../call/json.ts";
import type { UsageReader } from "../call/provider.ts";
import { deltaBytes } from "./deltas.ts";
import type { EventReader } from "./sse.ts";

/** An element longer than this is passed over, but for its long strings, which are left out. */
const LONGEST_ELEMENT = 8 * 1024 * 1024;

/** A string longer than this, over several chunks, is a picture or a film: nothing of the bill stands in it. */
const LONGEST_STRING = 256 * 1024;

/** A reader that tells `usage` of every object in the array; `streamKeys` are where this endpoint streams its text. */
export function arrayReader(usage: UsageReader, streamKeys: readonly string[]): EventReader {
  const element = new Element();
  let bytes = 0;
  let deltas = 0;
  let opened = false;
  let depth = 0;
  let inString = false;
  /** Backslashes at the end of a chunk that ends inside a string: they may escape the next one's first quote. */
  let slashes = 0;

  const whole = (): void => {
    const data = element.take();
    if (data === null) return;
    const streamed = streamKeys.reduce((sum, key) => sum + deltaBytes(data, key), 0);
    if (streamed > 0) deltas += 1;
    bytes += streamed;
    usage.take(parse(Buffer.from(data, "latin1").toString("utf8")));
  };

  /** Scans a chunk from `start`, which is outside of any string. */
  const scan = (text: string, start: number): void => {
    let from = start;
    for (let at = start; at < text.length; at += 1) {
      const char = text.charCodeAt(at);
      if (char === QUOTE) {
        const end = closingQuote(text, at + 1, 0);
        if (end < 0) {
          if (depth > 0) element.open(text.slice(from, at + 1), text.slice(at + 1));
          inString = true;
          slashes = slashesBefore(text, at + 1, text.length, 0);
          return;
        }
        at = end;
      } else if (char === BRACE || char === BRACKET) {
        if (!opened) opened = true;
        else {
          // A list of lists (embeddings) has nothing to say.
          if (depth === 0) element.begin(char === BRACE);
          if (depth === 0) from = at;
          depth += 1;
        }
      } else if ((char === CLOSING_BRACE || char === CLOSING_BRACKET) && depth > 0) {
        depth -= 1;
        if (depth > 0) continue;
        element.add(text.slice(from, at + 1));
        whole();
      }
    }
    if (depth > 0) element.add(text.slice(from));
  };

  return {
    push(chunk) {
      const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1");
      if (!inString) return scan(text, 0);
      const end = closingQuote(text, 0, slashes);
      if (end < 0) {
        if (depth > 0) element.grow(text);
        slashes = slashesBefore(text, 0, text.length, slashes);
        return;
      }
      if (depth > 0) element.close(text.slice(0, end + 1));
      inString = false;
      scan(text, end + 1);
    },
    finish: () => ({ deltaBytes: bytes, deltas }),
  };
}

/** The text of an element as far as it has come, in bounded memory. */
class Element {
  #pieces: string[] = [];
  #length = 0;
  #wanted = false;
  /** Where the string began that a chunk left open. */
  #mark = { pieces: 0, length: 0 };
  #dropping = false;

  begin(wanted: boolean): void {
    this.#pieces = [];
    this.#length = 0;
    this.#wanted = wanted;
  }

  add(text: string): void {
    this.#length += text.length;
    if (this.#length > LONGEST_ELEMENT) this.#wanted = false;
    if (this.#wanted) this.#pieces.push(text);
    else this.#pieces = [];
  }

  /** `until`: up to the opening quote of a string that this chunk does not end. */
  open(until: string, rest: string): void {
    this.add(until);
    this.#mark = { pieces: this.#pieces.length, length: this.#length };
    this.#dropping = false;
    this.grow(rest);
  }

  /** More of the open string. */
  grow(text: string): void {
    if (this.#dropping) return;
    this.add(text);
    if (this.#length - this.#mark.length <= LONGEST_STRING) return;
    this.#dropping = true;
    this.#pieces.length = Math.min(this.#pieces.length, this.#mark.pieces);
    this.#length = this.#mark.length;
  }

  /** The rest of the open string with its closing quote. */
  close(rest: string): void {
    this.grow(rest);
    if (this.#dropping) this.add('"');
    this.#dropping = false;
  }

  /** The whole element; null where it is none that is read. */
  take(): string | null {
    const text = this.#wanted ? this.#pieces.join("") : null;
    this.begin(false);
    return text;
  }
}

const QUOTE = 0x22;
const SLASH = 0x5c;
const BRACE = 0x7b;
const BRACKET = 0x5b;
const CLOSING_BRACE = 0x7d;
const CLOSING_BRACKET = 0x5d;

/** Where the string ends whose content begins at `start` after `before` backslashes; -1 where it does not in this text. */
function closingQuote(text: string, start: number, before: number): number {
  for (let at = text.indexOf('"', start); at >= 0; at = text.indexOf('"', at + 1)) {
    if (slashesBefore(text, start, at, before) % 2 === 0) return at;
  }
  return -1;
}

/** Backslashes right before `end`, no further back than `start`; the `before` ones stand before that. */
function slashesBefore(text: string, start: number, end: number, before: number): number {
  let at = end;
  while (at > start && text.charCodeAt(at - 1) === SLASH) at -= 1;
  return at === start ? end - at + before : end - at;
}
