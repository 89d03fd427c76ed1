import type { InflateRaw } from "node:zlib";

/** What a sender leaves off the end of each compressed message (RFC 7692, section 7.2.1). */
const TRAILER = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** Compressed bytes that may wait for the inflater; past this a direction is given up. */
const MOST_WAITING = 16 * 1024 * 1024;

/**
 * Inflates the compressed messages of one direction: their window may reach over several of them, and where it does not,
 * the one stream does for all. Nothing waits for it.
 */
export class Inflater {
  readonly #put: (bytes: Buffer) => void;
  readonly #failed: () => void;
  #stream: InflateRaw | null = null;
  #waiting = 0;
  #over = false;

  /** `put` is given what comes out, in pieces. */
  constructor(put: (bytes: Buffer) => void, failed: () => void) {
    this.#put = put;
    this.#failed = failed;
  }

  write(bytes: Buffer): void {
    if (this.#over) return;
    this.#waiting += bytes.length;
    if (this.#waiting > MOST_WAITING) {
      this.#fail();
      return;
    }
    // The bytes are the caller's, and are read later.
    this.#open().write(Buffer.from(bytes), () => {
      this.#waiting -= bytes.length;
    });
  }

  /** The message is whole; `done` is called once all that was written has come out. */
  finish(done: () => void): void {
    if (this.#over) return;
    const stream = this.#open();
    stream.write(TRAILER);
    stream.flush(() => {
      if (!this.#over) done();
    });
  }

  close(): void {
    this.#over = true;
    this.#stream?.close();
    this.#stream = null;
  }

  #open(): InflateRaw {
    if (this.#stream !== null) return this.#stream;
    // node:zlib takes milliseconds to load, and most processes never compress a WebSocket.
    const stream = process.getBuiltinModule("node:zlib").createInflateRaw();
    this.#stream = stream;
    stream.on("data", (bytes: Buffer) => {
      if (!this.#over) this.#put(bytes);
    });
    stream.on("error", () => this.#fail());
    // A block that calls itself the last: allowed, written by nobody, and nothing can be read after it.
    stream.on("end", () => this.#fail());
    return stream;
  }

  #fail(): void {
    if (this.#over) return;
    this.close();
    this.#failed();
  }
}
