/**
 * Undoes `content-encoding` on copies of a response's bytes, away from the caller's own.
 * In: the header's value and bytes as they came. Out: plain bytes, in order, each time some are ready.
 * @module
 */
import type { Transform } from "node:stream";

/** Takes encoded bytes and gives plain ones to its sink. */
export interface Decoder {
  push(bytes: Uint8Array): void;
  /** Resolves when the sink has seen all that can be decoded; false where the bytes were broken. A cut stream is not. */
  finish(): Promise<boolean>;
}

/** A decoder for the header's value, null where an encoding is not known to this runtime. */
export function decoder(encoding: string | undefined, sink: (bytes: Uint8Array) => void): Decoder | null {
  const names = (encoding ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && name !== "identity");
  let next: Decoder = { push: sink, finish: () => Promise.resolve(true) };
  // The header lists encodings in the order they were applied: the last is undone first.
  for (const name of names) {
    const inner = next;
    const opener = Object.hasOwn(openers, name) ? openers[name] : undefined;
    if (opener === undefined) return null;
    next = stage(opener, inner);
  }
  return next;
}

/** Makes a stream for one encoding, null where the runtime has none; `first` is the first byte of the encoded body. */
type Opener = (zlib: Zlib, first: number) => Transform | null;

type Zlib = typeof import("node:zlib");

/** Fetched when a response is first found to be compressed, not at preload. */
const loadZlib = (): Zlib => process.getBuiltinModule("node:zlib");

// A response that was cut must still give what came: flush at its end instead of insisting on a trailer.
const gzip: Opener = (zlib) => zlib.createGunzip({ finishFlush: zlib.constants.Z_SYNC_FLUSH });

const openers: Readonly<Record<string, Opener>> = {
  gzip,
  "x-gzip": gzip,
  // RFC 9110 says zlib-wrapped; servers also send it raw. The wrapper's first byte ends in 8.
  deflate: (zlib, first) => {
    const cut = { finishFlush: zlib.constants.Z_SYNC_FLUSH };
    return (first & 0x0f) === 0x08 ? zlib.createInflate(cut) : zlib.createInflateRaw(cut);
  },
  br: (zlib) => zlib.createBrotliDecompress({ finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH }),
  // Node 22.15 and 23.8 brought it.
  zstd: (zlib) =>
    typeof zlib.createZstdDecompress === "function"
      ? zlib.createZstdDecompress({ finishFlush: zlib.constants.ZSTD_e_flush })
      : null,
};

function stage(opener: Opener, inner: Decoder): Decoder {
  let stream: Transform | null = null;
  let broken = false;
  const start = (first: number): Transform | null => {
    const made = opener(loadZlib(), first);
    broken = made === null;
    made?.on("data", (bytes: Buffer) => inner.push(bytes));
    made?.on("error", () => {
      broken = true;
    });
    return made;
  };
  return {
    push(bytes) {
      if (broken || bytes.length === 0) return;
      stream ??= start(bytes[0] ?? 0);
      // A copy: decoding goes on after the caller has the bytes and may use their memory again.
      stream?.write(Buffer.from(bytes));
    },
    async finish() {
      const open = stream;
      if (open !== null && !broken) {
        await new Promise<void>((resolve) => {
          open.once("close", resolve);
          open.end();
        });
      }
      const whole = await inner.finish();
      return whole && !broken;
    },
  };
}
