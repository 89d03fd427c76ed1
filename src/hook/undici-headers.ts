/** One header line as the caller gave it: values may be strings, numbers, buffers or lists of them. */
type Line = readonly [name: unknown, value: unknown];

/** What is to change in a request's headers; all other lines stay as they are, in their order. */
export interface HeaderEdit {
  readonly remove: ReadonlySet<string>;
  /** New content-length in bytes, null to leave it. */
  readonly length: number | null;
}

/**
 * The headers of one dispatch, whichever of undici's forms they came in: an object, a flat list of names and values,
 * a list of pairs, or anything that iterates over pairs (a `Map`, `Headers`, a generator that can be read only once).
 */
export class UndiciHeaders {
  readonly #given: unknown;
  readonly #form: "none" | "flat" | "pairs" | "iterable" | "record";
  readonly #lines: readonly Line[];

  constructor(given: unknown) {
    this.#given = given;
    if (typeof given !== "object" || given === null) {
      this.#form = "none";
      this.#lines = [];
    } else if (Array.isArray(given)) {
      this.#form = Array.isArray(given[0]) ? "pairs" : "flat";
      this.#lines = this.#form === "pairs" ? given.filter(isLine) : pairUp(given);
    } else if (isIterable(given)) {
      this.#form = "iterable";
      this.#lines = [...given].filter(isLine);
    } else {
      this.#form = "record";
      this.#lines = Object.entries(given);
    }
  }

  /** Names in lower case, repeated ones joined. */
  read(): Record<string, string> {
    const read: Record<string, string> = {};
    for (const [name, value] of this.#lines) {
      const text = textOf(value);
      if (text === null) continue;
      const key = String(name).toLowerCase();
      const before = read[key];
      read[key] = before === undefined ? text : `${before}, ${text}`;
    }
    return read;
  }

  /** As `read`, for a look that must use nothing up: null where the headers can be read only once. */
  static peek(given: unknown): Record<string, string> | null {
    return readsOnce(given) ? null : new UndiciHeaders(given).read();
  }

  /** The headers as undici may have them now: what the caller gave wherever that can be read a second time. */
  replay(): unknown {
    if (this.#form !== "iterable" || !readsOnce(this.#given)) return this.#given;
    return iterableOf(this.#lines);
  }

  /** The same form with some lines gone or changed; what the caller gave is not touched. */
  edited(edit: HeaderEdit): unknown {
    let lengthSeen = edit.length === null;
    const lines: Line[] = [];
    for (const [name, value] of this.#lines) {
      const key = String(name).toLowerCase();
      if (edit.remove.has(key)) continue;
      if (key !== "content-length" || edit.length === null) lines.push([name, value]);
      else if (!lengthSeen) {
        lengthSeen = true;
        lines.push([name, String(edit.length)]);
      }
    }
    switch (this.#form) {
      case "none":
        return this.#given;
      case "flat":
        return lines.flat();
      case "pairs":
        return lines;
      case "iterable":
        return iterableOf(lines);
      case "record":
        return Object.fromEntries(lines);
    }
  }
}

/** An object, not a list: undici 5 reads no pairs out of iterables, and must go on reading none. */
const iterableOf = (lines: readonly Line[]): Iterable<Line> => ({ [Symbol.iterator]: () => lines.values() });

function pairUp(flat: readonly unknown[]): readonly Line[] {
  const lines: Line[] = [];
  for (let at = 0; at < flat.length; at += 2) lines.push([flat[at], flat[at + 1]]);
  return lines;
}

function textOf(value: unknown): string | null {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return null;
  if (Array.isArray(value)) return value.map(String).join(", ");
  return String(value);
}

const isLine = (value: unknown): value is Line => Array.isArray(value) && value.length === 2;

const isIterable = (value: object): value is Iterable<unknown> =>
  Symbol.iterator in value && typeof value[Symbol.iterator] === "function";

const readsOnce = (value: unknown): boolean =>
  typeof value === "object" && value !== null && isIterable(value) && "next" in value;
