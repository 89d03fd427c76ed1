/**
 * Real traffic of Amazon Bedrock through the reader and the bill: the cost must be what @pydantic/genai-prices makes of the
 * same body, or the difference is explained by name below.
 */
import { calcPrice, extractUsage, findProvider } from "@pydantic/genai-prices";
import { beforeAll, describe, expect, it } from "vitest";
import type { Bill, Call } from "../../src/call/call.ts";
import { loadPrices, type Prices } from "../../src/call/price.ts";
import { bill } from "../../src/response/bill.ts";
import { createReader } from "../../src/response/reader.ts";
import { aCall, at } from "../call/builders.ts";
import { awsEvent } from "../response/aws-events.ts";
import { bodies, bytes, type Exchange, exchanges, folder, isPresent } from "./golden.ts";

type Json = Record<string, unknown>;

const NOW = new Date("2026-11-22T12:00:00Z");
let prices: Prices;
beforeAll(async () => {
  prices = await loadPrices({}, () => NOW.getTime());
});

function callOf({ method, url, request }: Pick<Exchange, "method" | "url" | "request">): Call {
  const { hostname, pathname } = new URL(url);
  const given = { recognised: at(hostname, pathname, method), host: hostname, port: 443, path: pathname };
  return aCall(prices, bytes(request.body).toString(), given);
}

async function settle(call: Call, status: number, body: Buffer, piece: number): Promise<Bill> {
  const { provider } = at(call.host, call.path);
  const reader = createReader({ provider, operation: call.operation, path: call.path, status, headers: {} });
  for (let start = 0; start < body.length; start += piece) reader.push(body.subarray(start, start + piece));
  const kind = status < 400 ? "success" : "provider-error";
  return bill({ call, reading: await reader.finish(), outcome: { kind, status }, prices });
}

/** What the other library makes of a body, in nano-dollars; it knows Converse and Claude's own words. */
function theirs(call: Call, body: Json): number {
  const aws = findProvider({ providerId: "aws" });
  if (aws === undefined) throw new Error("the other library does not know Bedrock");
  const flavor = fieldOf(body.usage, "inputTokens") === undefined ? "anthropic" : "default";
  const { usage } = extractUsage(aws, { usage: body.usage }, flavor);
  const price = calcPrice(usage, call.modelAsSent, { providerId: "aws", timestamp: NOW });
  if (price === null) throw new Error(`the other library has no price for ${call.modelAsSent}`);
  return Math.round(price.total_price * 1e9);
}

const fieldOf = (value: unknown, name: string): unknown => (value as Json | undefined)?.[name];

/** Answers that the other library does not read, or prices otherwise; nano-dollars reckoned by hand. */
const BY_HAND: readonly (readonly [name: RegExp, why: string, nano: number])[] = [
  [/titan_v2_with_normalize/, "Titan counts its input beside the embedding", 4 * 100],
  [/model_iter_stream#1$/, "the figures are in a binary stream", 577 * 35 + 18 * 140],
  [/stream_cancel#0$/, "the figures are in a binary stream", 13 * 35 + 85 * 140],
  [/gpt_oss_responses#0$/, "the table knows gpt-oss with its version only", 72 * 150 + 45 * 600],
  [/safeguard_chat_routing#0$/, "the table has the model elsewhere only", 72 * 75 + 56 * 300],
  [
    /call_ids\[request\]#1$/,
    "what was written to the cache costs more than new input",
    88 * 220 + 27 * 275 + 14 * 1320,
  ],
  [/call_ids\[stream\]#1$/, "the figures are in a stream", 115 * 220 + 30 * 1320],
];

/** Models whose answers count nothing in their bodies: the headers do, which the recordings have not. */
const UNCOUNTED = /^(us\.)?(cohere\.embed|amazon\.nova-2-multimodal-embeddings)/;

const describeGolden = isPresent ? describe : describe.skip;
if (!isPresent) process.stderr.write(`recorded provider traffic is not at ${folder}: its tests are skipped\n`);

describeGolden.each(["bedrock", "bedrock-mantle"])("recorded exchanges with %s", (provider) => {
  for (const exchange of exchanges(provider)) {
    const { status, body: recorded } = exchange.response;
    it(`${decodeURIComponent(new URL(exchange.url).pathname)} ${status}: ${exchange.name}`, async () => {
      const call = callOf(exchange);
      const body = bytes(recorded);
      const result = await settle(call, status, body, 1000);
      expect(call.provider).toBe("bedrock");
      if (call.spending !== "metered" || status >= 400) {
        expect(result.cost.total).toBe(0);
        return;
      }
      expect(await settle(call, status, body, 7)).toEqual(result);
      expect(call.cost.total).toBeGreaterThan(0);
      expect(call.fingerprint).not.toBeNull();
      if (UNCOUNTED.test(call.modelAsSent)) {
        expect(result).toMatchObject({ source: "estimate", cost: call.cost });
        return;
      }
      expect(result).toMatchObject({ source: "local", unpriced: false });
      expect(call.inputTokens).toBeGreaterThanOrEqual(result.usage.inputTokens);
      const [, why, nano] = BY_HAND.find(([name]) => name.test(exchange.name)) ?? [];
      const expected = nano ?? theirs(call, JSON.parse(body.toString()) as Json);
      // Parts are rounded to a nano-dollar each, theirs only as a whole.
      expect(Math.abs(result.cost.total - expected), why ?? `${result.cost.total} - ${expected}`).toBeLessThan(3);
    });
  }
});

/** Recorded without an end that counts: the answer is charged its estimate. */
const UNFINISHED = /json-(with-)?tool\.[123]\.chunks|reasoning\.chunks/;

describeGolden("recorded bodies of amazon-bedrock", () => {
  for (const { name, body, streamed } of bodies("amazon-bedrock").filter(({ name }) => !name.startsWith("reranking"))) {
    it(name, async () => {
      const request = { contentType: null, body: '{"messages":[{"role":"user","content":[{"text":"hi"}]}]}' };
      const verb = streamed ? "converse-stream" : "converse";
      const url = `https://bedrock-runtime.us-east-1.amazonaws.com/model/us.amazon.nova-pro-v1%3A0/${verb}`;
      const call = callOf({ method: "POST", url, request });
      const told = streamed ? linesOf(body) : [JSON.parse(body) as Json];
      const frames = told.flatMap((event) => Object.entries(event).map(([kind, value]) => awsEvent(kind, value)));
      const result = await settle(call, 200, streamed ? Buffer.concat(frames) : Buffer.from(body), 50);
      const counted = told.map((event) => (event.metadata ?? event) as Json).find(({ usage }) => usage !== undefined);
      if (counted !== undefined) expect(result.cost.total).toBe(theirs(call, counted));
      else {
        expect(name).toMatch(UNFINISHED);
        expect(result.source).toBe("estimate");
        expect(result.cost.total).toBeGreaterThan(0);
      }
    });
  }
});

/** The events of a stream, out of the form in which the recordings come. */
const linesOf = (body: string): readonly Json[] =>
  body.split("\n").flatMap((line) => (line.startsWith("data:") ? [JSON.parse(line.slice(5)) as Json] : []));
