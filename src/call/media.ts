/**
 * How many tokens images, documents and sound count for, before the provider says so.
 * Where something cannot be known (a picture behind an address), the greatest usual amount is taken.
 */

import type { Text } from "./long-text.ts";

/** Pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The size that the header of a base64 PNG, GIF, WebP or JPEG gives; null where it cannot be told. */
export function imageSize(base64: Text): Size | null {
  const bytes = headOf(base64, HEAD);
  if (bytes.length < 30) return null;
  if (bytes.readUInt32BE(0) === 0x89504e47) return size(bytes.readUInt32BE(16), bytes.readUInt32BE(20));
  if (bytes.toString("latin1", 0, 3) === "GIF") return size(bytes.readUInt16LE(6), bytes.readUInt16LE(8));
  if (bytes.toString("latin1", 8, 12) === "WEBP") return webpSize(bytes);
  // JPEG keeps its size behind embedded thumbnails and profiles: 96 KB reaches past nearly all of them.
  return bytes.readUInt16BE(0) === 0xffd8 ? jpegSize(headOf(base64, 131_072)) : null;
}

/** Characters of base64 in which other formats tell their size. */
const HEAD = 64;

const headOf = (base64: Text, length: number): Buffer => Buffer.from(base64.slice(0, length).toString(), "base64");

function size(width: number, height: number): Size | null {
  return width > 0 && height > 0 ? { width, height } : null;
}

function webpSize(bytes: Buffer): Size | null {
  const kind = bytes.toString("latin1", 12, 16);
  if (kind === "VP8X") return size(bytes.readUIntLE(24, 3) + 1, bytes.readUIntLE(27, 3) + 1);
  if (kind === "VP8 ") return size(bytes.readUInt16LE(26) & 0x3fff, bytes.readUInt16LE(28) & 0x3fff);
  if (kind !== "VP8L") return null;
  const bits = bytes.readUInt32LE(21);
  return size((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
}

function jpegSize(bytes: Buffer): Size | null {
  let at = 2;
  while (at + 9 < bytes.length) {
    if (bytes[at] !== 0xff) return null;
    const marker = bytes[at + 1] ?? 0;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return size(bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5));
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return null;
}

/**
 * Tokens of one image by OpenAI's rules, by tiles of 512 pixels or patches of 32, depending on the model.
 * Source: developers.openai.com/api/docs/guides/images-vision, "Calculating costs".
 */
export function openaiImageTokens(model: string, image: Size | null, detail: string | null): number {
  const patches = patchRate(model);
  if (patches !== null) return Math.ceil(patchCount(image) * patches);
  const [base, tile] = tileRate(model);
  return detail === "low" ? base : base + tile * tileCount(image);
}

function patchRate(model: string): number | null {
  if (/^(gpt-5.*|gpt-4\.1)-nano/.test(model)) return 2.46;
  if (/^(gpt-5.*|gpt-4\.1)-mini/.test(model)) return 1.62;
  if (model.startsWith("o4-mini")) return 1.72;
  return null;
}

function patchCount(image: Size | null): number {
  const limit = 1536;
  return image === null ? limit : Math.min(limit, Math.ceil(image.width / 32) * Math.ceil(image.height / 32));
}

function tileRate(model: string): readonly [base: number, tile: number] {
  if (model.startsWith("gpt-4o-mini")) return [2833, 5667];
  if (model.startsWith("gpt-5")) return [70, 140];
  if (/^o[13]/.test(model)) return [75, 150];
  return [85, 170];
}

/** Tiles after scaling into 2048 x 2048 and then the shorter side down to 768. */
function tileCount(image: Size | null): number {
  if (image === null) return 8;
  const fit = Math.min(1, 2048 / Math.max(image.width, image.height));
  const shrink = Math.min(1, 768 / (Math.min(image.width, image.height) * fit)) * fit;
  return Math.ceil((image.width * shrink) / 512) * Math.ceil((image.height * shrink) / 512);
}

/**
 * Tokens of one image by Anthropic's rule, width x height / 750, capped where larger ones are scaled down.
 * Source: platform.claude.com/docs/en/build-with-claude/vision. The higher cap is that of the newer models.
 */
export function anthropicImageTokens(image: Size | null): number {
  const limit = 4784;
  return image === null ? limit : Math.min(limit, Math.ceil((image.width * image.height) / 750));
}

/** Tokens of a document: 3,000 a page (platform.claude.com/docs, PDF support). */
export function documentTokens(bytes: number): number {
  return 3_000 * documentPages(bytes);
}

/** A page of a document taken as 50 KB, two at least; one that lies behind an address, where it has no bytes, as long. */
export function documentPages(bytes: number): number {
  return bytes === 0 ? UNKNOWN_PAGES : Math.max(2, Math.ceil(bytes / 50_000));
}

const UNKNOWN_PAGES = 20;

/** Tokens of sound: 10 a second, a second taken as 8 KB, which is less than most recordings use. */
export function audioTokens(bytes: number): number {
  return Math.ceil((bytes / 8_000) * 10);
}

/** What a `data:` URL carries; null where it is another address. */
export function dataOf(url: Text): Text | null {
  const head = url.slice(0, LONGEST_TYPE).toString();
  const comma = head.startsWith("data:") ? head.indexOf(",") : -1;
  return comma < 0 ? null : url.slice(comma + 1);
}

/** Characters before the comma of a `data:` URL, which name its type. */
const LONGEST_TYPE = 1_024;

/** Bytes that a base64 text stands for. */
export const base64Bytes = (base64: Text): number => Math.ceil((base64.length * 3) / 4);

/** Seconds of a recording, a second taken as 8 KB, which is less than most recordings use. */
export function audioSeconds(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / 8_000));
}

/** Tokens of one square picture by quality, and of one that is half as long again on a side. */
const PICTURES: Readonly<Record<string, readonly [square: number, oblong: number]>> = {
  low: [272, 408],
  medium: [1_056, 1_584],
  high: [4_160, 6_240],
};

/**
 * Output tokens of one picture that is made, by size and quality; the greatest where the model may choose.
 * Source: developers.openai.com/api/docs/guides/image-generation, "Cost and latency". Models after gpt-image-1.5 take any
 * size and need up to 7,024 tokens for a square megapixel.
 */
export function openaiPictureTokens(model: string, size: string, quality: string): number {
  const [square, oblong] = PICTURES[quality] ?? PICTURES.high ?? [0, 0];
  const [width = 0, height = 0] = size.split("x").map(Number);
  const known = /^(gpt-image-1|chatgpt-image)/.test(model);
  if (known) return size === "1024x1024" ? square : oblong;
  const pixels = width > 0 && height > 0 ? width * height : 1_536 * 1_024;
  return Math.ceil(oblong * 1.13 * Math.max(1, pixels / (1_536 * 1_024)));
}
