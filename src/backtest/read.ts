/**
 * Log files → calls. In: paths of files, plain or gzip. Out: calls as they are read, and a count of all that is none.
 * @module
 */
import { closeSync, createReadStream, openSync, readSync } from "node:fs";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { type Fields, fields, parse } from "../call/json.ts";
import type { Prices } from "../call/price.ts";
import { AUDIT_VERSION, readAuditLine } from "../telemetry/audit-line.ts";
import { spanFacts } from "./facts.ts";
import { callOfLine } from "./from-audit.ts";
import { callOfSpan } from "./from-span.ts";
import type { Recorded, Understood } from "./recorded.ts";
import { type Piece, Scanner } from "./scan.ts";

/** What was read that is no call. */
export interface Leftovers {
  /** Spans of other things: right as they are. */
  others: number;
  /** Calls that cannot be used, and broken lines, by reason. */
  readonly unusable: Map<string, number>;
}

export interface Reading {
  readonly prices: Prices;
  readonly leftovers: Leftovers;
  /** Told of the bytes of the file that have been read, compressed ones as they are. */
  readonly progress: (bytes: number) => void;
}

/** Every call of one file, in the order of the file. */
export async function* callsOf(path: string, reading: Reading): AsyncGenerator<Recorded> {
  const scanner = new Scanner();
  const raw = createReadStream(path, { highWaterMark: 1 << 20 });
  raw.on("data", (chunk) => reading.progress(chunk.length));
  const resources = new Resources();
  const bytes: Readable = isGzip(path) ? raw.pipe(createGunzip()) : raw;
  // An error of the file itself must end the unpacking too.
  if (bytes !== raw) raw.on("error", (error) => bytes.destroy(error));
  try {
    for await (const chunk of bytes) yield* calls(scanner.push(chunk), resources, reading);
  } catch (error) {
    if (!isCutOff(error)) throw error;
    count(reading.leftovers, "the compressed file is cut off");
  }
  yield* calls(scanner.end(), resources, reading);
}

function* calls(pieces: readonly Piece[], resources: Resources, reading: Reading): Generator<Recorded> {
  for (const piece of pieces) {
    const found = understand(piece, resources, reading.prices);
    if (found.kind === "call") yield found.recorded;
    else if (found.kind === "other") reading.leftovers.others += 1;
    else count(reading.leftovers, found.why);
  }
}

function understand(piece: Piece, resources: Resources, prices: Prices): Understood {
  if (piece.kind === "broken") return { kind: "unusable", why: piece.why };
  const value = fields(parse(piece.text));
  if (value === null) return { kind: "unusable", why: "no JSON" };
  if (piece.kind === "span") return span(value, resources.read(piece.resource), prices);
  if ("spanId" in value) return span(value, null, prices);
  // Other things that collectors write into the same file.
  if ("resourceLogs" in value || "resourceMetrics" in value) return { kind: "other" };
  if (value.v !== AUDIT_VERSION) return { kind: "unusable", why: "neither spans nor lines of the audit log" };
  const line = readAuditLine(piece.text);
  // What a batch cost in the end is told by its own line; what is simulated is the call, as it was expected.
  if (line.kind === "settlement") return { kind: "other" };
  if (line.kind === "other") return { kind: "unusable", why: `an audit line whose ${line.why}` };
  if (line.line.spending === "free") return { kind: "other" };
  return { kind: "call", recorded: callOfLine(line.line, prices) };
}

function span(value: Fields, resource: Fields | null, prices: Prices): Understood {
  const facts = spanFacts(value, resource);
  return facts === null ? { kind: "unusable", why: "a span without identity or time" } : callOfSpan(facts, prices);
}

/** Thousands of spans share one resource. */
class Resources {
  #text: string | null = null;
  #read: Fields | null = null;

  read(text: string | null): Fields | null {
    if (text !== this.#text) {
      this.#text = text;
      this.#read = text === null ? null : fields(parse(text));
    }
    return this.#read;
  }
}

function count({ unusable }: Leftovers, why: string): void {
  unusable.set(why, (unusable.get(why) ?? 0) + 1);
}

/** By the first two bytes: names lie. */
function isGzip(path: string): boolean {
  const file = openSync(path, "r");
  try {
    const head = Buffer.alloc(2);
    return readSync(file, head, 0, 2, 0) === 2 && head[0] === 0x1f && head[1] === 0x8b;
  } finally {
    closeSync(file);
  }
}

const isCutOff = (error: unknown): boolean =>
  error instanceof Error && "code" in error && typeof error.code === "string" && error.code.startsWith("Z_");
