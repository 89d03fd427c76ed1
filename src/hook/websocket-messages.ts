import { CLOSE, CONTROL, type Frame, FrameReader } from "./websocket-frames.ts";
import { Inflater } from "./websocket-inflate.ts";

/** A message past this size is passed over: no event that tells usage comes near it. */
const LARGEST = 4 * 1024 * 1024;

const BRACE = 0x7b;

export interface MessageOptions {
  /** Whether messages may be compressed. */
  readonly deflate: boolean;
  /** Whether messages that begin now are of interest. */
  readonly wanted: () => boolean;
  readonly message: (bytes: Buffer) => void;
  /** Messages cannot be read any more. */
  readonly lost: () => void;
}

/** A message that waits for its turn: compressed ones are ready later than plain ones that follow them. */
interface Slot {
  bytes: Buffer | null;
  ready: boolean;
}

/**
 * Puts the messages of one direction together: JSON only, since nothing else tells usage. Gemini sends its JSON in binary
 * frames, so the first byte decides and not the opcode. What is not wanted is not kept.
 */
export class MessageReader {
  readonly #options: MessageOptions;
  readonly #frames: FrameReader;
  readonly #inflater: Inflater | null;
  #plain = new Assembly();
  #inflated = new Assembly();
  #slots: Slot[] = [];
  /** A message is under way: its first frame came, its last did not. */
  #open = false;
  #compressed = false;
  #wanted = false;
  #closed = false;
  #lost = false;
  #drained: (() => void) | null = null;

  constructor(options: MessageOptions) {
    this.#options = options;
    this.#frames = new FrameReader({
      begin: (frame) => this.#begin(frame),
      payload: (bytes) => this.#payload(bytes),
      finish: (frame) => this.#finish(frame),
    });
    const put = (bytes: Buffer): void => this.#inflated.add(bytes);
    this.#inflater = options.deflate ? new Inflater(put, () => this.#lose()) : null;
  }

  /** A close frame has passed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** True between two messages, where another one may stand. */
  get betweenMessages(): boolean {
    return this.#frames.between && !this.#open;
  }

  get frames(): FrameReader {
    return this.#frames;
  }

  push(bytes: Buffer): void {
    this.#frames.push(bytes);
    if (this.#frames.broken) this.#lose();
  }

  /** As `push`, to the end of the frame under way at most; returns how many of the bytes belong to it. */
  pushFrame(bytes: Buffer): number {
    return this.#frames.pushFrame(bytes);
  }

  /** Nothing more comes; `done` is called once every whole message has been delivered. */
  drain(done: () => void): void {
    this.#drained = () => {
      this.#drained = null;
      this.#end();
      done();
    };
    if (this.#slots.length === 0) this.#drained();
  }

  #end(): void {
    this.#lost = true;
    this.#inflater?.close();
  }

  #begin({ opcode, rsv1 }: Frame): boolean {
    if (opcode >= CONTROL) {
      if (opcode === CLOSE) this.#closed = true;
      return false;
    }
    if (opcode !== 0) {
      this.#open = true;
      this.#compressed = rsv1;
      this.#wanted = !this.#lost && this.#options.wanted();
      if (rsv1 && this.#inflater === null) this.#lose();
    }
    return this.#wanted && !this.#lost;
  }

  #payload(bytes: Buffer): void {
    if (this.#compressed) this.#inflater?.write(bytes);
    else this.#plain.add(bytes);
  }

  #finish({ fin, opcode }: Frame): void {
    if (opcode >= CONTROL || !fin) return;
    this.#open = false;
    if (!this.#wanted || this.#lost) return;
    const slot: Slot = { bytes: null, ready: !this.#compressed };
    if (this.#compressed) {
      this.#slots.push(slot);
      this.#inflater?.finish(() => {
        slot.bytes = this.#inflated.take();
        slot.ready = true;
        this.#deliver();
      });
    } else {
      slot.bytes = this.#plain.take();
      this.#slots.push(slot);
      this.#deliver();
    }
  }

  #deliver(): void {
    while (this.#slots[0]?.ready === true && !this.#lost) {
      const bytes = this.#slots.shift()?.bytes ?? null;
      if (bytes !== null) this.#options.message(bytes);
    }
    if (this.#slots.length === 0) this.#drained?.();
  }

  #lose(): void {
    if (this.#lost) return;
    this.#end();
    this.#slots = [];
    this.#options.lost();
    this.#drained?.();
  }
}

/** One message as far as it came: its pieces, unless it is no JSON or too large. */
class Assembly {
  #pieces: Buffer[] = [];
  #size = 0;
  #over = false;

  add(bytes: Buffer): void {
    if (this.#over || bytes.length === 0) return;
    this.#size += bytes.length;
    this.#over = this.#size > LARGEST || (this.#pieces.length === 0 && bytes[0] !== BRACE);
    if (this.#over) this.#pieces = [];
    // The caller's bytes: they may be written over once they are read.
    else this.#pieces.push(Buffer.from(bytes));
  }

  take(): Buffer | null {
    const whole = this.#over || this.#size === 0 ? null : this.#one();
    this.#pieces = [];
    this.#size = 0;
    this.#over = false;
    return whole;
  }

  #one(): Buffer {
    const [first] = this.#pieces;
    return this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces);
  }
}
