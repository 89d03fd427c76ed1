/**
 * How much text an event of a stream brings, without parsing it: for streams that end before, or without, a usage.
 */

/** Strings of a delta that are no output: names of things. */
const NO_OUTPUT = new Set(["type", "role", "id", "index", "signature", "stop_reason", "stop_sequence", "call_id"]);

/** Sound streams as PCM16 at 24 kHz, 50 ms a token: 3,200 letters of base64, which count like 3 of text. */
const SOUND = 3 / 3_200;

/** Bytes of output in one event, given as one character per byte; escapes count as written, which is never under. */
export function deltaBytes(event: string, key: string): number {
  let bytes = 0;
  for (let at = event.indexOf(key); at >= 0; at = event.indexOf(key, at)) {
    at = skip(event, at + key.length);
    // Text inside a string has its quotes escaped, so the key cannot match there; a value of that name can.
    if (event.charCodeAt(at) !== COLON) continue;
    at = skip(event, at + 1);
    const first = event.charCodeAt(at);
    if (first === QUOTE) {
      const end = closingQuote(event, at);
      bytes += end - at - 1;
      at = end;
    } else if (first === BRACE) {
      const [inside, end] = objectBytes(event, at);
      bytes += inside;
      at = end;
    }
  }
  return bytes;
}

const QUOTE = 0x22;
const COLON = 0x3a;
const COMMA = 0x2c;
const BRACE = 0x7b;
const CLOSING = 0x7d;
const SLASH = 0x5c;

/** Bytes of all string values in the object at `open`, and where it ends. */
function objectBytes(event: string, open: number): readonly [bytes: number, end: number] {
  let bytes = 0;
  let depth = 0;
  let key = "";
  let at = open;
  for (; at < event.length; at += 1) {
    const char = event.charCodeAt(at);
    if (char === BRACE) depth += 1;
    else if (char === CLOSING) {
      depth -= 1;
      if (depth === 0) break;
    } else if (char === QUOTE) {
      const end = closingQuote(event, at);
      const after = skip(event, end + 1);
      if (event.charCodeAt(after) === COLON) key = event.slice(at + 1, end);
      else if (!NO_OUTPUT.has(key)) bytes += key === "data" ? Math.ceil((end - at - 1) * SOUND) : end - at - 1;
      at = end;
    } else if (char === COMMA) key = "";
  }
  return [bytes, at];
}

/** Where the string that begins at `open` ends; the end of the text where it does not. */
function closingQuote(event: string, open: number): number {
  for (let at = event.indexOf('"', open + 1); at >= 0; at = event.indexOf('"', at + 1)) {
    let slashes = 0;
    while (event.charCodeAt(at - 1 - slashes) === SLASH) slashes += 1;
    if (slashes % 2 === 0) return at;
  }
  return event.length;
}

function skip(event: string, start: number): number {
  let at = start;
  while (event.charCodeAt(at) <= 0x20) at += 1;
  return at;
}
