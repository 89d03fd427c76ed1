/**
 * Files of requests on their way to a provider: estimated as they pass, so that the batch that is made of one has a price.
 * @module
 */
import { batchOf, type Estimate, estimate } from "./call/estimate.ts";
import { formFile } from "./call/form.ts";
import { fields, parse, text } from "./call/json.ts";
import { UNKNOWN_MODEL } from "./call/model.ts";
import type { Prices } from "./call/price.ts";
import type { Provider } from "./call/provider.ts";
import { readBody } from "./call/read.ts";
import type { FileNote } from "./deferred-note.ts";
import type { Departure, Tap } from "./hook/exchange.ts";

export interface Uploading {
  readonly prices: () => Promise<Prices>;
  /** Given what is under way. */
  readonly track: (work: Promise<void>) => void;
  readonly keep: (provider: string, id: string, note: FileNote) => Promise<void>;
}

/** Of a longer file this much is read, about 20 ms of work, and the rest is taken as being like it. */
const MOST_READ = 1024 * 1024;
/** An answer that names a file is short. */
const LONGEST_ANSWER = 64 * 1024;

/** Watches an upload: notes the estimate of a file for batches under the id that the provider gives it. */
export function uploadTap(uploading: Uploading, provider: Provider, departure: Departure): Tap | null {
  const form = readBody(departure);
  const file = formFile(form?.file);
  if (form?.purpose !== "batch" || file === null) return null;
  // A copy: what came is part of a larger buffer that must not be kept for it.
  const start = Buffer.from(file.content.subarray(0, MOST_READ));
  const pieces: Buffer[] = [];
  let length = 0;
  let accepted = false;
  return {
    head(status) {
      accepted = status >= 200 && status < 300;
    },
    chunk(bytes) {
      length += bytes.length;
      if (length <= LONGEST_ANSWER) pieces.push(Buffer.from(bytes));
    },
    end() {
      const id = text(fields(parse(Buffer.concat(pieces).toString("utf8")))?.id);
      if (accepted && id !== null) uploading.track(note(id));
    },
    fail() {},
  };

  async function note(id: string): Promise<void> {
    const prices = await uploading.prices();
    await uploading.keep(provider.name, id, estimateFile(provider, start, file?.bytes ?? start.length, prices));
  }
}

/** A file of one request a line, of which `start` is the beginning and `bytes` the length. */
export function estimateFile(provider: Provider, start: Buffer, bytes: number, prices: Prices): FileNote {
  const cut = start.length < bytes ? start.lastIndexOf("\n") : start.length;
  const known = start.subarray(0, cut < 0 ? start.length : cut);
  let model: string | null = null;
  const each: Estimate[] = [];
  for (const line of known.toString("utf8").split("\n")) {
    const request = fields(parse(line));
    const path = text(request?.url);
    if (request === null || path === null) continue;
    const { operation } = provider.endpoint("POST", path);
    const facts = provider.readRequest(operation, request.body, path);
    model ??= facts.model;
    each.push(estimate(provider, operation, facts, facts.model ?? UNKNOWN_MODEL, prices));
  }
  const read = batchOf(each);
  const times = (amount: number): number => Math.ceil((amount * bytes) / Math.max(1, known.length));
  if (known.length >= bytes) return { model, estimate: read };
  const { input, output, cacheRead, cacheWrite, reasoning, tools } = read.cost;
  const parts = {
    input: times(input),
    output: times(output),
    cacheRead: times(cacheRead),
    cacheWrite: times(cacheWrite),
    reasoning: times(reasoning),
    tools: times(tools),
  };
  const total = Object.values(parts).reduce((sum, part) => sum + part, 0);
  return {
    model,
    estimate: {
      ...read,
      inputTokens: times(read.inputTokens),
      outputTokens: times(read.outputTokens),
      cost: { ...parts, total },
    },
  };
}
