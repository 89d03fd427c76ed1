/** A model's name and the headers of its part are far shorter. */
const LONGEST_FIELD = 2048;

/** Looks for one short field of a form (`multipart/form-data`, RFC 7578) in the pieces that the form comes in. */
export class FieldSearch {
  readonly #mark: Buffer;
  /** The end of what came, in which the mark may have begun; from the mark on, all that follows it. */
  #rest: Buffer = Buffer.alloc(0);
  #met = false;

  constructor(name: string) {
    this.#mark = Buffer.from(`name="${name}"`);
  }

  /** True once the field has come, to the end of its value. */
  feed(piece: Buffer): boolean {
    const text = Buffer.concat([this.#rest, piece]);
    const at = this.#met ? 0 : text.indexOf(this.#mark);
    this.#met = at >= 0;
    this.#rest = at >= 0 ? text.subarray(at, at + LONGEST_FIELD) : text.subarray(1 - this.#mark.length);
    if (!this.#met) return false;
    return this.#rest.length === LONGEST_FIELD || /\r\n\r\n[^\r]*\r\n/.test(this.#rest.toString("latin1"));
  }
}
