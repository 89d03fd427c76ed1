/**
 * Answers that stream one JSON object a line (NDJSON), as Ollama's do. Bytes are handled as one character each: a chunk may
 * end inside a character of the text.
 */
import { parse } from "../call/json.ts";
import type { UsageReader } from "../call/provider.ts";
import { deltaBytes } from "./deltas.ts";
import type { EventReader } from "./sse.ts";

/** A longer line is passed over: nothing that is billed comes in such. */
const LONGEST_LINE = 8 * 1024 * 1024;

/** Lines with figures or an end in them: those between bring text alone. */
const NEWS = /"(?:done|usage|usageMetadata|meta|error)"\s*:\s*[t{"]|"is_finished"\s*:\s*true/;

/** Whether an answer of this content type comes in lines. */
export const isLines = (contentType: string | undefined): boolean =>
  /^application\/(x-ndjson|ndjson|jsonl|stream\+json)\b/i.test(contentType ?? "");

/** A reader that tells `usage` of the first line and of every one that may matter. */
export function lineReader(usage: UsageReader, streamKeys: readonly string[]): EventReader {
  let pieces: string[] = [];
  let length = 0;
  let first = true;
  let bytes = 0;
  let deltas = 0;

  const keep = (piece: string): void => {
    length += piece.length;
    if (length <= LONGEST_LINE) pieces.push(piece);
  };

  const line = (): void => {
    const text = pieces.join("");
    pieces = [];
    length = 0;
    if (text.trim() === "") return;
    const streamed = streamKeys.reduce((sum, key) => sum + deltaBytes(text, key), 0);
    if (streamed > 0) deltas += 1;
    bytes += streamed;
    if (first || NEWS.test(text)) usage.take(parse(Buffer.from(text, "latin1").toString("utf8")));
    first = false;
  };

  return {
    push(chunk) {
      const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1");
      let start = 0;
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
        keep(text.slice(start, end));
        line();
        start = end + 1;
      }
      if (start < text.length) keep(text.slice(start));
    },
    finish() {
      line();
      return { deltaBytes: bytes, deltas };
    },
  };
}
