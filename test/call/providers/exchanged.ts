/**
 * One exchange with a provider, from its request to its bill.
 */
import type { Bill, Call, Outcome } from "../../../src/call/call.ts";
import { loadPrices } from "../../../src/call/price.ts";
import { readCall } from "../../../src/call/read.ts";
import { recogniser } from "../../../src/call/recognise.ts";
import { bill } from "../../../src/response/bill.ts";
import { createReader } from "../../../src/response/reader.ts";
import { anIdentity } from "../builders.ts";

export interface Wishes {
  /** `https://host/path?query`. */
  readonly url: string;
  readonly request?: unknown;
  /** A text as it comes, or what is sent as JSON. */
  readonly response?: unknown;
  readonly status?: number;
  /** Of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly requestHeaders?: Readonly<Record<string, string>>;
  readonly outcome?: Outcome;
  /** Bytes in each chunk. */
  readonly piece?: number;
}

const recognise = recogniser({ hosts: new Map() });
const prices = loadPrices({}, () => Date.parse("2026-11-22T12:00:00Z"));

const bytes = (body: unknown): Buffer => Buffer.from(typeof body === "string" ? body : JSON.stringify(body));

/** What a POST to the address does. */
export function endpointAt(url: string, method = "POST") {
  const { hostname, port, pathname, search } = new URL(url);
  return recognise(hostname, Number(port) || 443, method, pathname + search);
}

/** The call that a request is, and the bill of its answer. */
export async function exchanged(wishes: Wishes): Promise<{ readonly call: Call; readonly bill: Bill }> {
  const { url, request = {}, response = {}, status = 200, headers = {}, piece = 500 } = wishes;
  const { hostname, pathname, search } = new URL(url);
  const path = pathname + search;
  const recognised = endpointAt(url);
  if (recognised === null) throw new Error(`${url} is no provider`);
  const known = await prices;
  const body = bytes(request);
  const identity = anIdentity();
  const read = readCall({
    attempt: "a",
    recognised,
    host: hostname,
    port: 443,
    path,
    headers: wishes.requestHeaders ?? {},
    body,
    identity,
    prices: known,
  });
  if (read === null) throw new Error(`${url} is no call`);
  const { call, facts } = read;
  const reader = createReader({ provider: recognised.provider, operation: call.operation, path, status, headers });
  const answer = bytes(response);
  for (let at = 0; at < answer.length; at += piece) reader.push(answer.subarray(at, at + piece));
  const outcome = wishes.outcome ?? { kind: status < 400 ? "success" : "provider-error", status };
  const reading = await reader.finish();
  return { call, bill: bill({ call, reading, outcome, prices: known, asked: facts.terms }) };
}

/** Events as a stream brings them. */
export const events = (all: readonly unknown[]): string =>
  all.map((event) => `data: ${JSON.stringify(event)}\r\n\r\n`).join("");

/** USD per million tokens, as nano-dollars. */
export const mtok = (tokens: number, usd: number): number => Math.round(tokens * usd * 1000);
