/**
 * Recorded calls read again: a stream of bytes → the JSON values in it, one at a time, however large the file.
 * In: lines of JSON, one array, or one OTLP export of any length. Out: spans, and other values, as text.
 * @module
 */

/** A piece of the file. */
export type Piece =
  /** A span inside an export, with the text of the resource that it belongs to. */
  | { readonly kind: "span"; readonly text: string; readonly resource: string | null }
  /** Any other value at the top of the file or of its one array. */
  | { readonly kind: "value"; readonly text: string }
  /** What is no JSON, or too long. */
  | { readonly kind: "broken"; readonly why: string };

/** Where a container stands: under a key of an object, or in an array. */
interface Frame {
  readonly array: boolean;
  readonly key: string | null;
  /** The key that a value would come under now. */
  next: string | null;
}

type Capture = "root" | "span" | "resource";

/** One value longer than this is no call. */
const LONGEST = 32_000_000;
/** The keys that matter are shorter. */
const LONGEST_KEY = 40;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;
/** Space, tab, carriage return, the separator of JSON text sequences, and a byte order mark. */
const BLANK: ReadonlySet<number> = new Set([0x20, 0x09, 0x0d, 0x1e, 0xef, 0xbb, 0xbf]);

/** Finds the values in a stream. A line that is cut off costs that line alone: one that begins with `{` begins anew. */
export class Scanner {
  #frames: Frame[] = [];
  #string = false;
  #escaped = false;
  #lineStart = true;
  #skipping = false;
  #junk = false;
  /** The last string, as far as it can be a key that matters. */
  #text = "";
  #capture: Capture | null = null;
  #parts: Buffer[] = [];
  #captured = 0;
  /** Depth at which the captured value closes. */
  #until = 0;
  #resource: string | null = null;

  /** The pieces that end in this chunk. */
  push(chunk: Buffer): readonly Piece[] {
    const found: Piece[] = [];
    let start = 0;
    const take = (end: number): void => {
      if (this.#capture === null || end <= start) return;
      this.#captured += end - start;
      if (this.#captured <= LONGEST) this.#parts.push(Buffer.from(chunk.subarray(start, end)));
    };
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (byte === NEWLINE) {
        if (this.#string) this.#break(found, "a line ends inside a text");
        else if (this.#junk && this.#frames.length === 0) this.#break(found, "no JSON");
        this.#lineStart = true;
        this.#skipping = false;
        this.#junk = false;
        continue;
      }
      if (this.#skipping) continue;
      if (this.#string) {
        this.#inString(byte);
        continue;
      }
      const first = this.#lineStart;
      this.#lineStart = false;
      if (first && byte === OPEN && this.#frames.length > 0 && !this.#inRootList()) {
        this.#break(found, "a line is cut off");
      }
      switch (byte) {
        case QUOTE:
          this.#string = true;
          this.#text = "";
          if (this.#frames.length === 0) this.#junk = true;
          break;
        case OPEN:
        case OPEN_LIST: {
          const capture = this.#open(byte === OPEN_LIST);
          if (capture === "drop") this.#forget();
          else if (capture !== null) {
            this.#capture = capture;
            this.#parts = [];
            this.#captured = 0;
            this.#until = this.#frames.length - 1;
            start = at;
          }
          break;
        }
        case CLOSE:
        case CLOSE_LIST:
          if (!this.#close(byte === CLOSE_LIST)) {
            this.#break(found, "brackets do not match");
            this.#skipping = true;
          } else if (this.#capture !== null && this.#frames.length === this.#until) {
            // Most values lie in one chunk, and need not be copied to be read.
            const whole = this.#parts.length === 0 ? chunk.toString("utf8", start, at + 1) : null;
            if (whole === null) take(at + 1);
            this.#end(found, whole);
          }
          break;
        case COLON: {
          const frame = this.#frames.at(-1);
          if (frame !== undefined) frame.next = this.#text;
          break;
        }
        case COMMA:
          break;
        default:
          if (this.#frames.length === 0 && !BLANK.has(byte)) this.#junk = true;
      }
    }
    take(chunk.length);
    return found;
  }

  /** What the end of the file says of its last line. */
  end(): readonly Piece[] {
    const found: Piece[] = [];
    if (this.#frames.length > 0 || this.#string) this.#break(found, "the file is cut off");
    else if (this.#junk) this.#break(found, "no JSON");
    return found;
  }

  #inString(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#string = false;
    else if (this.#text.length < LONGEST_KEY) this.#text += String.fromCharCode(byte);
  }

  #inRootList(): boolean {
    return this.#frames.length === 1 && this.#frames[0]?.array === true;
  }

  /** Whether a capture begins with this container; `drop`: the value that is being captured is an export. */
  #open(array: boolean): Capture | "drop" | null {
    const frames = this.#frames;
    const above = frames.at(-1);
    const key = above === undefined || above.array ? null : above.next;
    const isRoot = frames.length === 0 || this.#inRootList();
    frames.push({ array, key, next: null });
    if (array) return key === "resourceSpans" && this.#capture === "root" ? "drop" : null;
    if (this.#capture !== null) return null;
    if (isRoot) {
      this.#resource = null;
      return "root";
    }
    const list = above?.key;
    if (above?.array && list === "spans" && isScopes(frames.at(-4)?.key)) return "span";
    if (above?.array && list === "resourceSpans") this.#resource = null;
    return key === "resource" && frames.at(-3)?.key === "resourceSpans" ? "resource" : null;
  }

  #close(array: boolean): boolean {
    const frame = this.#frames.pop();
    return frame !== undefined && frame.array === array;
  }

  /** `whole`: the captured text, where it lies in one chunk. */
  #end(found: Piece[], whole: string | null): void {
    const capture = this.#capture;
    const tooLong = this.#captured > LONGEST;
    const text = whole ?? (tooLong ? "" : Buffer.concat(this.#parts).toString("utf8"));
    this.#forget();
    if (tooLong) found.push({ kind: "broken", why: "a value is longer than 32 MB" });
    else if (capture === "resource") this.#resource = text;
    else if (capture === "span") found.push({ kind: "span", text, resource: this.#resource });
    else found.push({ kind: "value", text });
  }

  #forget(): void {
    this.#capture = null;
    this.#parts = [];
    this.#captured = 0;
  }

  #break(found: Piece[], why: string): void {
    found.push({ kind: "broken", why });
    this.#frames = [];
    this.#string = false;
    this.#escaped = false;
    this.#forget();
  }
}

/** The second is what early exporters wrote. */
const isScopes = (key: string | null | undefined): boolean =>
  key === "scopeSpans" || key === "instrumentationLibrarySpans";
