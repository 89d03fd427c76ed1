/**
 * What `@pydantic/genai-prices` makes of a recorded answer: the reckoning that ours is held against.
 * @module
 */
import { calcPrice, extractUsage, findProvider } from "@pydantic/genai-prices";
import type { Operation } from "../../src/call/call.ts";
import { events } from "./golden.ts";
import { type Item, NOW } from "./replaying.ts";

export type Json = Record<string, unknown>;

const object = (value: unknown): Json | null =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : null;

/** All JSON objects of an answer, in order: one, or one an event. */
export function answers({ body, contentType }: Item): readonly Json[] {
  if (body[0] === 0) return frames(body);
  const text = body.toString();
  const first = text.trimStart()[0];
  if (first === "[") return (JSON.parse(text) as Json[]).filter((one) => object(one) !== null);
  if (first !== "{") return events(text);
  if (/ndjson/.test(contentType ?? ""))
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Json);
  return [JSON.parse(text) as Json];
}

/** Payloads of an AWS event stream: total length, length of headers, checksum, headers, payload, checksum. */
function frames(body: Buffer): readonly Json[] {
  const found: Json[] = [];
  for (let at = 0; at + 16 <= body.length; at += body.readUInt32BE(at)) {
    const start = at + 12 + body.readUInt32BE(at + 4);
    const payload = JSON.parse(body.toString("utf8", start, at + body.readUInt32BE(at) - 4)) as Json;
    const inner = typeof payload.bytes === "string" ? Buffer.from(payload.bytes, "base64").toString() : null;
    found.push(inner === null ? payload : (JSON.parse(inner) as Json));
  }
  return found;
}

/** Where an answer, or one event of it, holds its usage. */
const holders = (one: Json): readonly (Json | null)[] => [
  one,
  object(one.message),
  object(one.response),
  object(one.delta),
  object(one.x_groq),
  object(one.interaction),
];

/** The answer as one body: its last usage over what its start said. */
export function assembled(item: Item): Json | null {
  const told = answers(item)
    .flatMap(holders)
    .filter((one) => one !== null);
  const named = told.find(
    ({ model, modelVersion }) => typeof (model ?? modelVersion) === "string" && (model ?? modelVersion) !== "",
  );
  const whole: Json = named === undefined ? {} : { model: named.model, modelVersion: named.modelVersion };
  for (const key of ["usage", "usageMetadata", "meta"]) {
    const all = told.flatMap((one) => object(one[key]) ?? []);
    if (all.length > 0) whole[key] = Object.assign({}, ...all);
  }
  return whole.usage === undefined && whole.usageMetadata === undefined && whole.meta === undefined ? null : whole;
}

/** Their names for providers, where they are not ours. */
const IDS: Readonly<Record<string, string>> = {
  azure: "azure",
  bedrock: "aws",
  "bedrock-mantle": "aws",
  vertex: "google",
  xai: "x-ai",
  moonshotai: "moonshotai",
  voyage: "voyageai",
};

/** Their provider for an item; by its address where several share ours. */
export function theirProvider({ provider, url }: Item): string {
  const server = provider === "huggingface" ? url.pathname.split("/")[1] : undefined;
  return server === undefined ? (IDS[provider] ?? provider) : `huggingface_${server}`;
}

/** Their kinds of answers, the likeliest first. */
function flavors(operation: Operation): readonly string[] {
  const own = ["chat", "responses", "embeddings", "images"].includes(operation) ? operation : "default";
  return [own, "default", "anthropic", "chat"];
}

/** A reckoning, and by whose way of reading the usage it was made. */
export interface Reckoned {
  /** Nano-dollars; null where they find no usage or no price. */
  readonly nano: number | null;
  /** Whether they read answers of this provider at all, or those of OpenAI or Anthropic had to do. */
  readonly theirOwn: boolean;
}

const nothing: Reckoned = { nano: null, theirOwn: false };

/** The cost of an answer by their reckoning, at their prices for `at`; at anyone's where that is null. */
export function theirs(
  item: Item,
  operation: Operation,
  asked: string,
  at: string | null = theirProvider(item),
): Reckoned {
  const body = assembled(item);
  if (body === null) return nothing;
  for (const reader of [theirProvider(item), operation === "messages" ? "anthropic" : "openai"]) {
    const found = findProvider({ providerId: reader });
    if (found === undefined) continue;
    for (const flavor of flavors(operation)) {
      const nano = reckon(body, found, flavor, asked, at);
      if (nano !== null) return { nano, theirOwn: reader === theirProvider(item) };
    }
  }
  return nothing;
}

type Found = NonNullable<ReturnType<typeof findProvider>>;

function reckon(body: Json, reader: Found, flavor: string, asked: string, at: string | null): number | null {
  try {
    const { usage, model } = extractUsage(reader, body, flavor);
    return priceOf(usage, model, at) ?? priceOf(usage, asked, at);
  } catch {
    // This provider has no such kind of answer, or the body is of another.
    return null;
  }
}

/** Nano-dollars of a usage in their words. */
export function priceOf(
  usage: Readonly<Record<string, number | undefined>>,
  model: string | null,
  at: string | null,
): number | null {
  const where = at === null ? {} : { providerId: at };
  const price = model === null ? null : calcPrice(usage, model, { ...where, timestamp: NOW });
  return price === null ? null : Math.round(price.total_price * 1e9);
}
