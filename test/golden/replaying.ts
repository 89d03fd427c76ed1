/**
 * A recorded exchange as the guard would see it: its request read into a call, its response into a bill.
 * @module
 */
import type { Bill, Call } from "../../src/call/call.ts";
import type { Prices } from "../../src/call/price.ts";
import { readCall } from "../../src/call/read.ts";
import { type Recognised, recogniser } from "../../src/call/recognise.ts";
import { bill } from "../../src/response/bill.ts";
import { createReader } from "../../src/response/reader.ts";
import { anIdentity } from "../call/builders.ts";
import { bytes, type Exchange } from "./golden.ts";

export const NOW = new Date("2026-11-22T12:00:00Z");

/** One gateway has no host that is known by name. */
const recognise = recogniser({ hosts: new Map([["litellm.example", "litellm"]]) });

/** One request with its answer, from whichever of the recordings. */
export interface Item {
  readonly name: string;
  readonly provider: string;
  readonly method: string;
  readonly url: URL;
  readonly request: { readonly contentType: string | null; readonly body: Buffer };
  readonly status: number;
  readonly contentType: string | null;
  readonly body: Buffer;
}

export const itemOf = (provider: string, { name, method, url, request, response }: Exchange): Item => ({
  name,
  provider,
  method: method.toUpperCase(),
  url: new URL(url),
  request: { contentType: request.contentType, body: bytes(request.body) },
  status: response.status,
  contentType: response.contentType,
  body: bytes(response.body),
});

const pathOf = ({ url }: Item): string => url.pathname + url.search;
const headersOf = (type: string | null): Record<string, string> => (type === null ? {} : { "content-type": type });

const portOf = ({ url }: Item): number => (url.port === "" ? 443 : Number(url.port));

export function recognised(item: Item): Recognised {
  const found = recognise(item.url.hostname, portOf(item), item.method, pathOf(item));
  if (found === null) throw new Error(`${item.method} ${item.url.href} is not recognised`);
  return found;
}

/** Reads a request as if it left now. */
export function callOf(item: Item, prices: Prices): Call {
  const read = readCall({
    attempt: "a",
    recognised: recognised(item),
    host: item.url.hostname,
    port: portOf(item),
    path: pathOf(item),
    headers: headersOf(item.request.contentType),
    body: item.request.body,
    identity: anIdentity(),
    prices,
  });
  if (read === null) throw new Error(`${item.url.href} is no call`);
  return read.call;
}

/** The bill of an item, its answer read in pieces of so many bytes. */
export async function settle(item: Item, call: Call, prices: Prices, piece: number): Promise<Bill> {
  const reader = createReader({
    provider: recognised(item).provider,
    operation: call.operation,
    path: call.path,
    status: item.status,
    headers: headersOf(item.contentType),
  });
  for (let at = 0; at < item.body.length; at += piece) reader.push(item.body.subarray(at, at + piece));
  const kind = item.status < 400 ? "success" : "provider-error";
  return bill({ call, reading: await reader.finish(), outcome: { kind, status: item.status }, prices });
}
