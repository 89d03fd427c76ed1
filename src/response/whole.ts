/**
 * Usage out of a JSON body that comes as a whole. Bodies that are too long to parse without holding up the process give
 * it from their end, where long ones (embeddings) have it.
 */
import { type Fields, fields, list, parse } from "../call/json.ts";
import type { UsageReader } from "../call/provider.ts";

export interface BodyReader {
  push(bytes: Uint8Array): void;
  /** Tells the usage reader, and returns how many bytes of text the answer has. */
  finish(): number;
}

/** Up to this a body is parsed: about 10 ms. */
const PARSED = 8 * 1024 * 1024;

/** What is kept of a longer one. */
const TAIL = 64 * 1024;

/** Collects a body for `usage`, in bounded memory. */
export function bodyReader(usage: UsageReader): BodyReader {
  let chunks: Buffer[] = [];
  let length = 0;
  let long = false;
  return {
    push(bytes) {
      // A copy: the bytes belong to the caller, who may use the memory again.
      chunks.push(Buffer.from(bytes));
      length += bytes.length;
      if (length <= PARSED) return;
      long = true;
      const tail = Buffer.from(Buffer.concat(chunks).subarray(-TAIL));
      chunks = [tail];
      // The tail may grow to a megabyte before it is cut again.
      length = PARSED - 16 * TAIL;
    },
    finish() {
      const body = Buffer.concat(chunks);
      chunks = [];
      // A byte order mark, which clients pass over, is passed over by the decoder.
      const json = long ? tailOf(body.toString("latin1")) : parse(new TextDecoder().decode(body));
      usage.take(json);
      return textBytes(fields(json));
    },
  };
}

/** The last usage, that of the tools, and the model's name in a text, as a body of their own. */
function tailOf(text: string): unknown {
  for (const { usage, model } of TAILS) {
    const told = objectAt(text, usage);
    if (told === null) continue;
    const named = new RegExp(`"${model}"\\s*:\\s*("[^"\\\\]*")`).exec(text)?.[1] ?? "null";
    const tools = objectAt(text, "tool_usage") ?? "null";
    return parse(`{"${model}":${named},"tool_usage":${tools},"${usage}":${told}}`);
  }
  return undefined;
}

/** The object behind the last such key, null where there is none. */
function objectAt(text: string, key: string): string | null {
  const at = text.lastIndexOf(`"${key}"`);
  const open = text.indexOf("{", at);
  return at < 0 || open < 0 ? null : text.slice(open, closingBrace(text, open) + 1);
}

/** What the providers call the two. */
const TAILS = Object.freeze([
  { usage: "usage", model: "model" },
  { usage: "usageMetadata", model: "modelVersion" },
]);

/** A usage holds numbers and short words, so its braces can be counted without looking for strings. */
function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === "{") depth += 1;
    else if (text[at] === "}" && --depth === 0) return at;
  }
  return text.length;
}

/** Names of things and other strings that no model wrote. */
const NO_OUTPUT = new Set([
  "type",
  "role",
  "id",
  "call_id",
  "finish_reason",
  "status",
  "signature",
  "encrypted_content",
  "finishReason",
  "thoughtSignature",
  "inlineData",
  "safetyRatings",
  "groundingMetadata",
  "citationMetadata",
]);

/** Bytes of text in an answer: its choices, its candidates, its content, its steps or its output. */
function textBytes(body: Fields | null): number {
  const answer = fields(body?.response) ?? body;
  if (answer === null) return 0;
  const { choices, content, output, candidates, steps } = answer;
  return [choices, content, output, candidates, steps].reduce<number>((sum, part) => sum + stringBytes(part), 0);
}

function stringBytes(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (Array.isArray(value)) return list(value).reduce<number>((sum, part) => sum + stringBytes(part), 0);
  return Object.entries(fields(value) ?? {}).reduce(
    (sum, [key, part]) => sum + (NO_OUTPUT.has(key) ? 0 : stringBytes(part)),
    0,
  );
}
