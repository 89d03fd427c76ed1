import type { Call } from "../../src/call/call.ts";
import { type Identity, type IdentitySources, identify } from "../../src/call/identity.ts";
import type { Prices } from "../../src/call/price.ts";
import { type ReadCall, type Request, readCall } from "../../src/call/read.ts";
import { type Recognised, recogniser } from "../../src/call/recognise.ts";

/** Sources of an identity, empty but for what is given. */
export function sources(given: Partial<IdentitySources> = {}): IdentitySources {
  return {
    context: {},
    headers: {},
    incoming: null,
    baggage: null,
    environment: {},
    dimensions: [],
    traceId: null,
    requestId: null,
    processId: "process-1",
    ...given,
  };
}

export const anIdentity = (given: Partial<IdentitySources> = {}): Identity => identify(sources(given));

const recognise = recogniser({ hosts: new Map() });

/** The recognition of a POST to a well-known host. */
export function at(host: string, path: string, method = "POST"): Recognised {
  const found = recognise(host, 443, method, path);
  if (found === null) throw new Error(`${host}${path} is no provider`);
  return found;
}

export const OPENAI_CHAT = at("api.openai.com", "/v1/chat/completions");
export const OPENAI_RESPONSES = at("api.openai.com", "/v1/responses");
export const OPENAI_EMBEDDINGS = at("api.openai.com", "/v1/embeddings");
export const OPENAI_COMPLETIONS = at("api.openai.com", "/v1/completions");
export const ANTHROPIC_MESSAGES = at("api.anthropic.com", "/v1/messages");

/** A readable request with this body; an object is written as JSON. */
export function aRequest(prices: Prices, body: unknown, given: Partial<Request> = {}): Request {
  return {
    attempt: "attempt-1",
    recognised: OPENAI_CHAT,
    host: "api.openai.com",
    port: 443,
    path: "/v1/chat/completions",
    headers: {},
    body: body === null ? null : Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
    identity: anIdentity(),
    prices,
    ...given,
  };
}

/** Reads a request that must be readable as a call. */
export function read(prices: Prices, body: unknown, given: Partial<Request> = {}): ReadCall {
  const found = readCall(aRequest(prices, body, given));
  if (found === null) throw new Error("not a call");
  return found;
}

export const aCall = (prices: Prices, body: unknown, given: Partial<Request> = {}): Call =>
  read(prices, body, given).call;
