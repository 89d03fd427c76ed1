import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { closeFrame, type Frame, FrameReader, serverFrame } from "../../src/hook/websocket-frames.ts";

interface Read extends Frame {
  readonly bytes: Buffer;
}

/** What a reader makes of these pieces; payloads of frames that are not wanted are not there. */
function read(pieces: readonly Buffer[], wanted: (frame: Frame) => boolean = () => true) {
  const frames: Read[] = [];
  let bytes: Buffer[] = [];
  const reader = new FrameReader({
    begin: (frame) => {
      bytes = [];
      return wanted(frame);
    },
    payload: (part) => bytes.push(Buffer.from(part)),
    finish: (frame) => frames.push({ ...frame, bytes: Buffer.concat(bytes) }),
  });
  for (const piece of pieces) reader.push(piece);
  return { frames, reader };
}

/** A frame as a client sends it. */
function clientFrame(opcode: number, payload: Buffer, mask: Buffer, fin = true): Buffer {
  const whole = serverFrame(opcode, payload);
  const head = Buffer.from(whole.subarray(0, whole.length - payload.length));
  head[1] = (head[1] ?? 0) | 0x80;
  if (!fin) head[0] = (head[0] ?? 0) & 0x7f;
  const masked = Buffer.from(payload.map((byte, at) => byte ^ (mask[at & 3] ?? 0)));
  return Buffer.concat([head, mask, masked]);
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    if (at >= bytes.length) break;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  pieces.push(bytes.subarray(at));
  return pieces;
}

const frames = fc.array(
  fc.record({
    opcode: fc.constantFrom(0, 1, 2, 8, 9, 10),
    length: fc.oneof(fc.nat(130), fc.constantFrom(125, 126, 65_535, 65_536, 70_000)),
    masked: fc.boolean(),
  }),
  { maxLength: 8 },
);

describe("frames", () => {
  it("are the same however their bytes are cut, masked or not, of any length", () => {
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 9_000 }), { maxLength: 200 }), (made, sizes) => {
        const payloads = made.map(({ opcode, length }) => randomBytes(opcode >= 8 ? Math.min(length, 125) : length));
        const sent = made.map(({ opcode, masked }, at) => {
          const payload = payloads[at] ?? Buffer.alloc(0);
          return masked ? clientFrame(opcode, payload, randomBytes(4)) : serverFrame(opcode, payload);
        });
        const bytes = Buffer.concat(sent);
        const before = Buffer.from(bytes);
        const { frames: got, reader } = read(cut(bytes, sizes));
        expect(got.map(({ opcode }) => opcode)).toEqual(made.map(({ opcode }) => opcode));
        for (const [at, payload] of payloads.entries()) expect(got[at]?.bytes.equals(payload)).toBe(true);
        expect(bytes.equals(before)).toBe(true);
        expect(reader.between).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("are found one byte at a time, wanted or not", () => {
    const bytes = Buffer.concat([
      clientFrame(1, Buffer.from("one"), Buffer.from([1, 2, 3, 4]), false),
      clientFrame(9, Buffer.from("ping"), Buffer.from([9, 9, 9, 9])),
      clientFrame(0, Buffer.from("two"), Buffer.from([5, 6, 7, 8])),
    ]);
    const bit = cut(bytes, Array(bytes.length).fill(1));
    const seen = read(bit, ({ opcode }) => opcode !== 9).frames;
    expect(seen.map(({ opcode, fin, bytes: got }) => [opcode, fin, String(got)])).toEqual([
      [1, false, "one"],
      [9, true, ""],
      [0, true, "two"],
    ]);
  });

  it("say where the one under way ends, and nothing of what follows is read", () => {
    const [first, second] = [serverFrame(1, Buffer.from("first")), serverFrame(1, Buffer.from("second"))];
    const { reader, frames: got } = read([first.subarray(0, 3)]);
    expect(reader.between).toBe(false);
    expect(reader.pushFrame(Buffer.concat([first.subarray(3), second]))).toBe(first.length - 3);
    expect(reader.between).toBe(true);
    expect(got).toHaveLength(1);
    expect(reader.pushFrame(second)).toBe(0);
  });

  it.each([
    ["a reserved bit", [0xa1, 0x00]],
    ["a reserved opcode", [0x83, 0x00]],
    ["a length past what numbers hold", [0x82, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
  ])("that are none are given up: %s", (_name, bytes) => {
    const { reader, frames: got } = read([Buffer.from(bytes), serverFrame(1, Buffer.from("more"))]);
    expect([reader.broken, reader.between, got]).toEqual([true, false, []]);
  });

  it("that close hold a code and what fits of the reason", () => {
    const [frame] = read([closeFrame(1008, "x".repeat(500))]).frames;
    expect(frame?.bytes.readUInt16BE(0)).toBe(1008);
    expect(frame?.bytes.subarray(2).toString()).toBe(`${"x".repeat(120)}…`);
  });
});
