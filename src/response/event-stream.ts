/**
 * Events out of `application/vnd.amazon.eventstream`, the binary framing of AWS: lengths, headers, payload, checksums.
 * The caller's own client checks the sums; here the lengths must make sense, or nothing more is read.
 * Format: smithy.io/2.0/aws/amazon-eventstream.html.
 */
import { fields, parse, text } from "../call/json.ts";
import type { UsageReader } from "../call/provider.ts";
import { deltaBytes } from "./deltas.ts";
import type { EventReader } from "./sse.ts";

/** Total length, length of the headers, and the checksum of both; 4 bytes each. */
const PRELUDE = 12;

/** The checksum at the end of a message. */
const TRAILER = 4;

/** A message longer than this is passed over: nothing that is billed comes in such. */
const LONGEST_READ = 8 * 1024 * 1024;

/** A reader that tells `usage` of every event that may matter; `streamKeys` are where this endpoint streams its text. */
export function eventStreamReader(usage: UsageReader, streamKeys: readonly string[]): EventReader {
  let pieces: Buffer[] = [];
  let held = 0;
  /** Bytes of the message that is being collected, 0 while its length is not known. */
  let wanted = 0;
  /** Bytes still to come of one that is passed over. */
  let passing = 0;
  let broken = false;
  let bytes = 0;
  let deltas = 0;

  const event = (kind: string, payload: Buffer): void => {
    const outer = payload.toString("latin1");
    // InvokeModel's own events hold the model's, in base64.
    const inside = kind === "chunk" ? text(fields(parse(outer))?.bytes) : null;
    const body = inside === null ? outer : Buffer.from(inside, "base64").toString("latin1");
    // One event brings its text under one name, and other names may stand inside of it.
    const streamed = streamKeys.reduce((sum, key) => (sum === 0 ? deltaBytes(body, key) : sum), 0);
    if (streamed > 0) deltas += 1;
    bytes += streamed;
    if (!NEWS.test(kind) && !NEWS_INSIDE.test(body)) return;
    const json = parse(Buffer.from(body, "latin1").toString("utf8"));
    usage.take(inside === null ? { [kind]: json } : json);
  };

  const message = (whole: Buffer): void => {
    const headersEnd = PRELUDE + whole.readUInt32BE(4);
    const headers = readHeaders(whole.subarray(PRELUDE, headersEnd));
    const kind = headers[":event-type"] ?? headers[":exception-type"] ?? headers[":error-code"];
    if (kind !== undefined) event(kind, whole.subarray(headersEnd, whole.length - TRAILER));
  };

  /** Reads how long the next message is, once as much of it is there. */
  const begin = (): boolean => {
    if (held < PRELUDE) return false;
    const start = joined();
    wanted = start.readUInt32BE(0);
    broken = start.readUInt32BE(4) > wanted - PRELUDE - TRAILER;
    return !broken;
  };

  const joined = (): Buffer => {
    const all = pieces.length === 1 ? (pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(pieces);
    pieces = [all];
    return all;
  };

  /** Takes one message from what is held; false where it is not there yet. */
  const step = (): boolean => {
    if (broken || (wanted === 0 && !begin())) return false;
    if (wanted > LONGEST_READ) {
      passing = Math.max(0, wanted - held);
      pieces = passing > 0 ? [] : [joined().subarray(wanted)];
      held = Math.max(0, held - wanted);
      wanted = 0;
      return passing === 0;
    }
    if (held < wanted) return false;
    const all = joined();
    message(all.subarray(0, wanted));
    pieces = [all.subarray(wanted)];
    held -= wanted;
    wanted = 0;
    return true;
  };

  return {
    push(chunk) {
      const rest = chunk.subarray(Math.min(passing, chunk.length));
      passing -= chunk.length - rest.length;
      if (broken || rest.length === 0) return;
      // A copy: the bytes belong to the caller, who may use the memory again.
      pieces.push(Buffer.from(rest));
      held += rest.length;
      while (step());
    },
    finish() {
      pieces = [];
      return { deltaBytes: bytes, deltas };
    },
  };
}

/** Kinds of events of the Converse API that are more than text, and whatever is an error. */
const NEWS = /^(metadata|messageStop|messageStart)$|[Ee]xception$|[Ee]rror$/;

/** Keys of a model's own events that have something to say: an object or a text. */
const NEWS_INSIDE =
  /"(?:usage|message|messageStop|metadata|amazon-bedrock-invocationMetrics|stop_?[rR]eason|finish_reason|completionReason)"\s*:\s*[{"]/;

/** Bytes of a header's value by its type, -1 where two bytes before it say. */
const VALUE_BYTES: readonly number[] = [0, 0, 1, 2, 4, 8, -1, -1, 8, 16];
const TEXT = 7;

/** The headers of a message that are texts; what comes after one that cannot be read is left out. */
function readHeaders(block: Buffer): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  let at = 0;
  while (at < block.length) {
    const nameEnd = at + 1 + (block[at] ?? 0);
    const type = block[nameEnd] ?? VALUE_BYTES.length;
    const fixed = VALUE_BYTES[type];
    if (fixed === undefined || nameEnd + 3 > block.length) break;
    const start = nameEnd + (fixed < 0 ? 3 : 1);
    const end = start + (fixed < 0 ? block.readUInt16BE(nameEnd + 1) : fixed);
    if (end > block.length) break;
    if (type === TEXT) headers[block.toString("utf8", at + 1, nameEnd)] = block.toString("utf8", start, end);
    at = end;
  }
  return headers;
}
