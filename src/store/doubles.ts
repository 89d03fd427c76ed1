/** Numbers as the scripts for Redis pack them: doubles, little-endian, exact for whole numbers to 2^53. */
export function packDoubles(numbers: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(numbers.length * 8);
  for (const [index, value] of numbers.entries()) bytes.writeDoubleLE(value, index * 8);
  return bytes;
}

export function unpackDoubles(bytes: Buffer): number[] {
  const numbers: number[] = [];
  for (let at = 0; at + 8 <= bytes.length; at += 8) numbers.push(bytes.readDoubleLE(at));
  return numbers;
}

/** Reads packed numbers one after the other. */
export class DoubleReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  next(): number {
    const value = this.#bytes.readDoubleLE(this.#at);
    this.#at += 8;
    return value;
  }
}
