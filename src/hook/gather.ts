import type { Limits } from "./limits.ts";
import { FieldSearch } from "./multipart.ts";

/** What was seen of a body when the decision about it began. `start` is what came until then of one not seen whole. */
export interface Seen {
  readonly body: Buffer | null;
  readonly start: Buffer | null;
}

/** Whether a content-type is that of a form with files in it. */
export const isForm = (type: string | undefined): boolean => /^multipart\//i.test(type ?? "");

/** A body that nobody looked into. */
export const UNSEEN: Seen = Object.freeze({ body: null, start: null });

/**
 * Collects the body of a request as its caller writes it, until there is enough to decide on: all of it, or as much as
 * the limits allow, or, of a form with files in it, up to the field that names the model.
 */
export class Gather {
  readonly #limits: Limits;
  /** Null where the body is no form. */
  #model: FieldSearch | null | undefined;
  readonly #type: () => string | undefined;
  readonly #enough: (seen: Seen) => void;
  #pieces: Buffer[] = [];
  #size = 0;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  /** `enough` is told once. `type`: the content-type of the request, asked for when its body begins. */
  constructor(type: () => string | undefined, limits: Limits, enough: (seen: Seen) => void) {
    this.#type = type;
    this.#limits = limits;
    this.#enough = enough;
  }

  piece(chunk: unknown, encoding: unknown): void {
    if (this.#over) return;
    const piece = bytesOf(chunk, encoding);
    this.#pieces.push(piece);
    this.#size += piece.length;
    if (this.#size > this.#limits.bodyBytes || this.#search()?.feed(piece) === true) this.#partly();
    else this.wait();
  }

  /** A body that does not end may be waiting for the response. */
  wait(): void {
    if (!this.#over) this.#timer ??= setTimeout(() => this.#partly(), this.#limits.bodyMs).unref();
  }

  /** The body is written to its end. */
  finish(): void {
    if (this.#search() !== null) this.#partly();
    else this.#end(() => ({ body: this.#whole(), start: null }));
  }

  /** Most bodies are written at once, and need no copy. */
  #whole(): Buffer {
    const [only, second] = this.#pieces;
    return only !== undefined && second === undefined ? only : Buffer.concat(this.#pieces);
  }

  /** Lets go of everything; `enough` is not told any more. */
  stop(): void {
    this.#over = true;
    this.#pieces = [];
    clearTimeout(this.#timer);
  }

  #search(): FieldSearch | null {
    if (this.#model === undefined) this.#model = isForm(this.#type()) ? new FieldSearch("model") : null;
    return this.#model;
  }

  #partly(): void {
    const size = Math.min(this.#size, this.#limits.bodyBytes);
    this.#end(() => ({ body: null, start: size === 0 ? null : Buffer.concat(this.#pieces, size) }));
  }

  #end(see: () => Seen): void {
    if (this.#over) return;
    const seen = see();
    this.stop();
    this.#enough(seen);
  }
}

function bytesOf(chunk: unknown, encoding: unknown): Buffer {
  if (typeof chunk === "string") {
    return Buffer.from(chunk, typeof encoding === "string" && Buffer.isEncoding(encoding) ? encoding : "utf8");
  }
  return chunk instanceof Uint8Array ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.alloc(0);
}

/** A piece as it is now: callers who hear that it was taken, or who are asked for the next, may use its memory again. */
export const lasting = (piece: unknown): unknown => (piece instanceof Uint8Array ? Buffer.from(piece) : piece);

/** A write's callback that is called once, however many call it. */
export function writtenOnce(callback: unknown): ((error?: unknown) => void) | undefined {
  if (typeof callback !== "function") return undefined;
  let told = false;
  return (error) => {
    if (told) return;
    told = true;
    callback(error);
  };
}
