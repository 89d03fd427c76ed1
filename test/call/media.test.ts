import { describe, expect, it } from "vitest";
import {
  anthropicImageTokens,
  audioTokens,
  documentTokens,
  imageSize,
  openaiImageTokens,
} from "../../src/call/media.ts";

const base64 = (bytes: readonly number[], length = 64): string =>
  Buffer.concat([Buffer.from(bytes), Buffer.alloc(length)]).toString("base64");

describe("the size of a picture", () => {
  it("is read from a PNG", () => {
    expect(
      imageSize(base64([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 4, 0, 0, 0, 2, 0])),
    ).toEqual({ width: 1024, height: 512 });
  });

  it("is read from a GIF", () => {
    expect(imageSize(base64([71, 73, 70, 56, 57, 97, 0x40, 0x01, 0xf0, 0x00]))).toEqual({ width: 320, height: 240 });
  });

  it("is read from a JPEG behind its other segments", () => {
    const bytes = [0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xc0, 0, 11, 8, 0x01, 0xe0, 0x02, 0x80, 3];
    expect(imageSize(base64(bytes))).toEqual({ width: 640, height: 480 });
  });

  it("is read from a WebP", () => {
    const head = [82, 73, 70, 70, 0, 0, 0, 0, 87, 69, 66, 80];
    const extended = [...head, 86, 80, 56, 88, 10, 0, 0, 0, 0, 0, 0, 0, 0xff, 0x03, 0, 0xff, 0x01, 0];
    expect(imageSize(base64(extended))).toEqual({ width: 1024, height: 512 });
    const lossy = [...head, 86, 80, 56, 32, 0, 0, 0, 0, 0, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00];
    expect(imageSize(base64(lossy))).toEqual({ width: 320, height: 240 });
  });

  it("is unknown for anything else", () => {
    expect(imageSize("")).toBeNull();
    expect(imageSize(base64([1, 2, 3]))).toBeNull();
    expect(imageSize(base64([0xff, 0xd8, 0x00]))).toBeNull();
  });
});

describe("the tokens of a picture", () => {
  // developers.openai.com/api/docs/guides/images-vision gives these examples.
  it.each([
    ["gpt-4o", 1024, 1024, "high", 765],
    ["gpt-4o", 2048, 4096, "high", 1105],
    ["gpt-4o", 4096, 8192, "low", 85],
    ["gpt-4.1-mini", 1024, 1024, null, Math.ceil(1024 * 1.62)],
  ])("are OpenAI's for %s at %i x %i, %s", (model, width, height, detail, tokens) => {
    expect(openaiImageTokens(model, { width, height }, detail)).toBe(tokens);
  });

  it("are Anthropic's by area, up to what it scales down to", () => {
    expect(anthropicImageTokens({ width: 1000, height: 1000 })).toBe(1334);
    expect(anthropicImageTokens({ width: 9000, height: 9000 })).toBe(4784);
    expect(anthropicImageTokens(null)).toBe(4784);
  });
});

it("takes a document by pages and sound by seconds", () => {
  // One behind an address may be long.
  expect(documentTokens(0)).toBe(60_000);
  expect(documentTokens(10_000)).toBe(6000);
  expect(documentTokens(100_000)).toBe(6000);
  expect(audioTokens(80_000)).toBe(100);
});
