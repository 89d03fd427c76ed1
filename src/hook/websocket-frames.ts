/** One frame's head (RFC 6455, section 5.2). */
export interface Frame {
  readonly fin: boolean;
  /** Set on the first frame of a compressed message (RFC 7692). */
  readonly rsv1: boolean;
  readonly opcode: number;
}

/** Told of frames as they pass. */
export interface FrameSink {
  /** A frame begins; true where its payload is wanted. */
  begin(frame: Frame): boolean;
  /** Part of the payload, unmasked; only valid during the call. */
  payload(bytes: Buffer): void;
  finish(frame: Frame): void;
}

export const CLOSE = 8;

/** Opcodes from here on are control frames. */
export const CONTROL = 8;

const LONGEST_HEAD = 14;

/**
 * Reads the frames of one direction out of bytes that are cut anywhere. It keeps a head of at most 14 bytes and no payload, and
 * changes nothing: what is masked is unmasked in a copy, and only where it is wanted.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #head = Buffer.alloc(LONGEST_HEAD);
  #headLength = 0;
  #frame: Frame | null = null;
  #mask: Buffer | null = null;
  #maskAt = 0;
  #left = 0;
  #wanted = false;
  #broken = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** True between two frames. */
  get between(): boolean {
    return !this.#broken && this.#frame === null && this.#headLength === 0;
  }

  /** True where the bytes are no frames: nothing more is read. */
  get broken(): boolean {
    return this.#broken;
  }

  /** The opcode of the frame that is under way, or of the one that begins with these bytes; null where neither is known. */
  opcodeOf(bytes: Buffer): number | null {
    if (this.#frame !== null) return this.#frame.opcode;
    const first = this.#headLength > 0 ? this.#head[0] : bytes[0];
    return first === undefined ? null : first & 0x0f;
  }

  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && !this.#broken) at = this.#step(bytes, at);
  }

  /** Reads to the end of the frame under way and returns how many of the bytes that took; all of them where it goes on. */
  pushFrame(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && !this.#broken && !(at === 0 && this.between)) {
      at = this.#step(bytes, at);
      if (this.between) break;
    }
    return at;
  }

  #step(bytes: Buffer, at: number): number {
    return this.#frame === null ? this.#readHead(bytes, at) : this.#readPayload(this.#frame, bytes, at);
  }

  #readHead(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length) {
      const byte = bytes[at];
      if (byte === undefined) break;
      this.#head[this.#headLength] = byte;
      this.#headLength += 1;
      at += 1;
      if (this.#headLength < 2 || this.#headLength < headLength(this.#head)) continue;
      this.#begin();
      break;
    }
    return at;
  }

  #begin(): void {
    const head = this.#head;
    const length = this.#headLength;
    const [first = 0, second = 0] = head;
    const frame: Frame = { fin: (first & 0x80) !== 0, rsv1: (first & 0x40) !== 0, opcode: first & 0x0f };
    const masked = (second & 0x80) !== 0;
    this.#left = payloadLength(head);
    // The two other reserved bits and opcodes belong to extensions that nobody has.
    this.#broken = (first & 0x30) !== 0 || !KNOWN.has(frame.opcode) || !Number.isSafeInteger(this.#left);
    if (this.#broken) return;
    this.#mask = masked ? Buffer.from(head.subarray(length - 4, length)) : null;
    this.#maskAt = 0;
    this.#headLength = 0;
    this.#frame = frame;
    this.#wanted = this.#sink.begin(frame);
    if (this.#left === 0) this.#end(frame);
  }

  #readPayload(frame: Frame, bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left);
    if (this.#wanted) this.#sink.payload(this.#unmasked(bytes.subarray(at, end)));
    else this.#maskAt = (this.#maskAt + end - at) & 3;
    this.#left -= end - at;
    if (this.#left === 0) this.#end(frame);
    return end;
  }

  #end(frame: Frame): void {
    this.#frame = null;
    this.#sink.finish(frame);
  }

  #unmasked(bytes: Buffer): Buffer {
    const mask = this.#mask;
    if (mask === null) return bytes;
    const plain = Buffer.allocUnsafe(bytes.length);
    for (let i = 0; i < bytes.length; i++) plain[i] = (bytes[i] ?? 0) ^ (mask[(this.#maskAt + i) & 3] ?? 0);
    this.#maskAt = (this.#maskAt + bytes.length) & 3;
    return plain;
  }
}

const KNOWN: ReadonlySet<number> = new Set([0, 1, 2, 8, 9, 10]);

function headLength(head: Buffer): number {
  const second = head[1] ?? 0;
  const length = second & 0x7f;
  return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + ((second & 0x80) !== 0 ? 4 : 0);
}

function payloadLength(head: Buffer): number {
  const length = (head[1] ?? 0) & 0x7f;
  if (length < 126) return length;
  return length === 126 ? head.readUInt16BE(2) : Number(head.readBigUInt64BE(2));
}

/** A frame as a server sends it: whole and unmasked. */
export function serverFrame(opcode: number, payload: Buffer): Buffer {
  const head =
    payload.length < 126
      ? Buffer.from([0x80 | opcode, payload.length])
      : payload.length < 65_536
        ? Buffer.from([0x80 | opcode, 126, payload.length >> 8, payload.length & 0xff])
        : longHead(opcode, payload.length);
  return Buffer.concat([head, payload]);
}

function longHead(opcode: number, length: number): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt8(0x80 | opcode, 0);
  head.writeUInt8(127, 1);
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

/** A close frame holds 125 bytes: a code of two, and words (RFC 6455, section 5.5). */
const LONGEST_REASON = 123;

/** A close frame; a reason that does not fit ends in an ellipsis. */
export function closeFrame(code: number, reason: string): Buffer {
  const payload = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), fitting(reason)]);
  return serverFrame(CLOSE, payload);
}

function fitting(reason: string): Buffer {
  const whole = Buffer.from(reason);
  if (whole.length <= LONGEST_REASON) return whole;
  const ellipsis = Buffer.from("…");
  let end = LONGEST_REASON - ellipsis.length;
  // Not inside a character: its later bytes begin with the bits 10.
  while (end > 0 && ((whole[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return Buffer.concat([whole.subarray(0, end), ellipsis]);
}
