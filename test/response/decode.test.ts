import { once } from "node:events";
import zlib from "node:zlib";
import { describe, expect, it } from "vitest";
import { decoder } from "../../src/response/decode.ts";

const text = Buffer.from(JSON.stringify({ said: "grüße 猫 ".repeat(2000) }));

/** Feeds bytes in pieces and returns what came out, and whether it was whole. */
async function decode(
  encoding: string | undefined,
  bytes: Uint8Array,
  piece = bytes.length,
): Promise<readonly [string, boolean]> {
  const out: Buffer[] = [];
  const made = decoder(encoding, (plain) => out.push(Buffer.from(plain)));
  if (made === null) throw new Error("not decoded");
  for (let at = 0; at < bytes.length; at += piece) {
    const copy = Buffer.from(bytes.subarray(at, at + piece));
    made.push(copy);
    // What the caller does with its memory afterwards is its own business.
    if (encoding !== undefined && encoding !== "identity") copy.fill(0);
  }
  const whole = await made.finish();
  return [Buffer.concat(out).toString(), whole];
}

const encoded: Record<string, Buffer> = {
  identity: text,
  gzip: zlib.gzipSync(text),
  "x-gzip": zlib.gzipSync(text),
  deflate: zlib.deflateSync(text),
  br: zlib.brotliCompressSync(text),
  "gzip, br": zlib.brotliCompressSync(zlib.gzipSync(text)),
  GZIP: zlib.gzipSync(text),
};

describe("a response", () => {
  it.each(Object.entries(encoded))("in %s is decoded, in one piece or byte by byte", async (encoding, bytes) => {
    expect(await decode(encoding, bytes)).toEqual([text.toString(), true]);
    expect(await decode(encoding, bytes, 1)).toEqual([text.toString(), true]);
  });

  it("without an encoding passes as it is", async () => {
    expect(await decode(undefined, text)).toEqual([text.toString(), true]);
  });

  it("in deflate without its wrapper is decoded too", async () => {
    expect(await decode("deflate", zlib.deflateRawSync(text))).toEqual([text.toString(), true]);
  });

  it.runIf(typeof zlib.zstdCompressSync === "function")("in zstd is decoded where the runtime can", async () => {
    expect(await decode("zstd", zlib.zstdCompressSync(text), 7)).toEqual([text.toString(), true]);
  });

  it.each([
    ["gzip", zlib.createGzip()],
    ["deflate", zlib.createDeflate()],
    ["br", zlib.createBrotliCompress()],
  ])("in %s that is cut off gives what came", async (encoding, compress) => {
    const chunks: Buffer[] = [];
    compress.on("data", (chunk: Buffer) => chunks.push(chunk));
    compress.write("one ");
    await new Promise<void>((resolve) => compress.flush(resolve));
    const first = Buffer.concat(chunks);
    compress.end("two");
    await once(compress, "end");
    expect(await decode(encoding, first)).toEqual(["one ", true]);
    const [said] = await decode(encoding, Buffer.concat(chunks).subarray(0, first.length + 3));
    expect(said.startsWith("one ")).toBe(true);
  });

  it("that is not what its header says ends quietly", async () => {
    expect(await decode("gzip", Buffer.from("this is no gzip"), 3)).toEqual(["", false]);
  });

  it("in an encoding that nobody knows is not decoded", () => {
    expect(decoder("lzma", () => {})).toBeNull();
    expect(decoder("constructor", () => {})).toBeNull();
    expect(decoder("gzip, lzma", () => {})).toBeNull();
  });

  it("that never came ends too", async () => {
    expect(await decode("gzip", Buffer.alloc(0), 1)).toEqual(["", true]);
  });
});
