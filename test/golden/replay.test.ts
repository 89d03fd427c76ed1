/**
 * Real traffic of OpenAI and Anthropic through the reader and the bill: the cost must be what @pydantic/genai-prices makes
 * of the same body, or the difference is explained by name below.
 */
import { calcPrice, extractUsage, findProvider } from "@pydantic/genai-prices";
import { beforeAll, describe, expect, it } from "vitest";
import type { Bill, Call } from "../../src/call/call.ts";
import { loadPrices, type Prices } from "../../src/call/price.ts";
import { readCall } from "../../src/call/read.ts";
import { recogniser } from "../../src/call/recognise.ts";
import { bill } from "../../src/response/bill.ts";
import { createReader } from "../../src/response/reader.ts";
import { anIdentity } from "../call/builders.ts";
import { bodies, bytes, type Exchange, events, exchanges, folder, isPresent } from "./golden.ts";

type Json = Record<string, unknown>;

const NOW = new Date("2026-11-22T12:00:00Z");
let prices: Prices;
beforeAll(async () => {
  prices = await loadPrices({}, () => NOW.getTime());
});

const recognise = recogniser({ hosts: new Map() });

/** Reads a request as if it left now; null where it is no call to a provider. */
function callOf(exchange: Pick<Exchange, "method" | "url" | "request">): Call | null {
  const url = new URL(exchange.url);
  const recognised = recognise(url.hostname, 443, exchange.method, url.pathname + url.search);
  if (recognised === null) return null;
  const read = readCall({
    attempt: "a",
    recognised,
    host: url.hostname,
    port: 443,
    path: url.pathname,
    headers: {},
    body: bytes(exchange.request.body),
    identity: anIdentity(),
    prices,
  });
  return read?.call ?? null;
}

async function settle(call: Call, status: number, body: Buffer, piece: number): Promise<Bill> {
  const recognised = recognise(call.host, call.port, "POST", call.path);
  if (recognised === null) throw new Error("not recognised");
  const reader = createReader({
    provider: recognised.provider,
    operation: call.operation,
    path: call.path,
    status,
    headers: {},
  });
  for (let at = 0; at < body.length; at += piece) reader.push(body.subarray(at, at + piece));
  const kind = status < 400 ? "success" : "provider-error";
  return bill({ call, reading: await reader.finish(), outcome: { kind, status }, prices });
}

/** What the other library makes of the same body, in nano-dollars; null where it finds no usage or no price. */
function theirs(provider: string, operation: string, body: string, asked: string): number | null {
  const whole = body.trimStart().startsWith("{") ? (JSON.parse(body) as Json) : assembled(provider, events(body));
  const found = findProvider({ providerId: provider });
  if (whole === null || found === undefined || typeof whole.usage !== "object" || whole.usage === null) return null;
  const flavor = provider === "anthropic" ? "default" : operation;
  const { usage, model } = extractUsage(found, whole, flavor);
  const cost = (name: string) => calcPrice(usage, name, { providerId: provider, timestamp: NOW });
  const price = cost(model ?? asked) ?? cost(asked);
  return price === null ? null : Math.round(price.total_price * 1e9);
}

/** The body that a stream would have been: its last usage, over what its start said. */
function assembled(provider: string, all: readonly Json[]): Json | null {
  const told = all.map((event) => (event.message ?? event.response ?? event) as Json);
  const usages = told.flatMap(({ usage }) => (typeof usage === "object" && usage !== null ? [usage as Json] : []));
  const model = told.find((one) => typeof one.model === "string" && one.model !== "")?.model;
  if (usages.length === 0) return null;
  return { model, usage: provider === "anthropic" ? Object.assign({}, ...usages) : usages.at(-1) };
}

/**
 * Where we differ, by what is in the body, and by how much. The other library sees the token counts at the top of a
 * usage; the bill has more on it.
 */
const EXPLAINED: readonly {
  readonly why: string;
  readonly nano: (body: string, provider: string) => number;
}[] = [
  {
    why: "OpenAI bills each web search $0.01 and reports none of them in the usage",
    nano: (body, provider) =>
      provider === "openai" ? 10_000_000 * distinct(body, /"web_search_call"/, isSearch).size : 0,
  },
  {
    why: "OpenAI bills each file search $0.0025 and reports none of them in the usage",
    nano: (body, provider) =>
      provider === "openai" ? 2_500_000 * distinct(body, /"file_search_call"/, () => true).size : 0,
  },
];

const isSearch = (item: Json): boolean => {
  const action = item.action as Json | undefined;
  return action?.type === undefined || action.type === "search";
};

/** Ids of finished tool calls of a kind. */
function distinct(body: string, kind: RegExp, counts: (item: Json) => boolean): ReadonlySet<string> {
  const roots = body.trimStart().startsWith("{") ? [JSON.parse(body) as Json] : events(body);
  const items = roots.flatMap((root): Json[] => {
    const done = root.type === "response.output_item.done" ? [root.item as Json] : [];
    const output = ((root.response ?? root) as Json).output;
    return [...done, ...(Array.isArray(output) ? (output as Json[]) : [])];
  });
  return new Set(items.filter((i) => kind.test(`"${i.type}"`) && counts(i)).map((item) => String(item.id)));
}

/** Bodies whose usage holds more than its top level says, which has to be reckoned by hand: nano-dollars. */
const BY_HAND: Readonly<Record<string, { readonly why: string; readonly nano: number }>> = {
  "anthropic-advisor-20260301.1.json": {
    why: "the advisor's step at Opus 4.7 is billed beside the message at Sonnet 4.6",
    nano: 2414 * 3_000 + 3200 * 15_000 + 2728 * 5_000 + 874 * 25_000,
  },
  "anthropic-compaction.1.json": {
    why: "the compaction's step is billed beside the message",
    nano: (682 + 60_385) * 5_000 + (1320 + 592) * 25_000,
  },
  "anthropic-fallback.chunks.txt": {
    why: "the stream starts with the model that declined; the one that answered is billed",
    nano: 412 * 5_000 + 264 * 25_000,
  },
  "anthropic-tool-search-bm25.1.chunks.txt": {
    why: "two answers in one file: each is billed",
    nano: (1630 + 1040) * 3_000 + (158 + 41) * 15_000,
  },
  "anthropic-tool-search-deferred-regex.chunks.txt": {
    why: "three answers in one file: each is billed",
    nano: (904 + 1519 + 1758) * 3_000 + (175 + 211 + 118) * 15_000,
  },
  "spliced-message-start.chunks.txt": {
    why: "two messages spliced into one stream: each is billed",
    nano: (17 + 17) * 250 + (1 + 65) * 1_250,
  },
  "models/cassettes/test_anthropic/test_anthropic_advisor_tool_stream#0": {
    why: "the advisor's step at Opus 4.8 is billed beside the message at Sonnet 5",
    nano: 2411 * 2_000 + 145 * 10_000 + 2543 * 5_000 + 18 * 25_000,
  },
};

function expectCost(
  name: string,
  provider: string,
  operation: string,
  body: string,
  result: Bill,
  asked: string,
): void {
  const byHand = Object.entries(BY_HAND).find(([key]) => name.endsWith(key))?.[1];
  if (byHand !== undefined) {
    expect(result.cost.total, byHand.why).toBe(byHand.nano);
    return;
  }
  const other = theirs(provider, operation, body, asked);
  if (other === null) throw new Error(`${name}: the other library finds no usage`);
  const more = EXPLAINED.reduce((sum, { nano }) => sum + nano(body, provider), 0);
  // Parts are rounded to a nano-dollar each, theirs only as a whole.
  expect(Math.abs(result.cost.total - other - more), `${result.cost.total} - ${other} - ${more}`).toBeLessThan(3);
}

const describeGolden = isPresent ? describe : describe.skip;
if (!isPresent) process.stderr.write(`recorded provider traffic is not at ${folder}: its tests are skipped\n`);

describeGolden.each(["openai", "anthropic"])("recorded exchanges with %s", (provider) => {
  for (const exchange of exchanges(provider)) {
    const { pathname } = new URL(exchange.url);
    it(`${exchange.method} ${pathname} ${exchange.response.status}: ${exchange.name}`, async () => {
      const call = callOf(exchange);
      if (call === null) throw new Error("not recognised");
      const body = bytes(exchange.response.body);
      const result = await settle(call, exchange.response.status, body, 1000);
      if (call.spending !== "metered" || exchange.response.status >= 400) {
        expect(result.cost.total).toBe(0);
        return;
      }
      expect(await settle(call, exchange.response.status, body, 7)).toEqual(result);
      expect(result).toMatchObject({ source: "local", unpriced: false });
      expect(call.cost.total).toBeGreaterThan(0);
      if (!exchange.url.endsWith("/compact")) expect(call.fingerprint).not.toBeNull();
      // The estimate of the input must not be under the count, but for what the provider adds by itself.
      if (!addsInput(exchange)) expect(call.inputTokens).toBeGreaterThanOrEqual(result.usage.inputTokens);
      expectCost(exchange.name, provider, call.operation, body.toString(), result, call.modelAsSent);
    });
  }
});

/** Server tools, MCP servers and remembered conversations put text into the input that the request does not hold. */
function addsInput(exchange: Exchange): boolean {
  const request = JSON.parse(bytes(exchange.request.body).toString()) as Json;
  // A compaction is told how to go about it.
  if (exchange.url.endsWith("/compact")) return true;
  if (request.previous_response_id !== undefined || request.conversation !== undefined) return true;
  if (request.mcp_servers !== undefined || request.container !== undefined) return true;
  return (Array.isArray(request.tools) ? (request.tools as Json[]) : []).some(
    ({ type }) => type !== undefined && type !== "function" && type !== "custom",
  );
}

/** Bodies beside the exchanges, as answers to a request that names no more than a model. */
const ASKED: Readonly<Record<string, (name: string) => string>> = {
  openai: (name) => (name.startsWith("responses_") ? "/v1/responses" : "/v1/chat/completions"),
  anthropic: () => "/v1/messages",
};

describeGolden.each(["openai", "anthropic"])("recorded bodies of %s", (provider) => {
  for (const { name, body } of bodies(provider)) {
    it(name, async () => {
      const path = ASKED[provider]?.(name) ?? "/";
      const url = `https://api.${provider}.com${path}`;
      const model = provider === "openai" ? "gpt-4o" : "claude-sonnet-5";
      const request = {
        contentType: null,
        body: JSON.stringify({ model, messages: [{ role: "user", content: "hi" }] }),
      };
      const call = callOf({ method: "POST", url, request });
      if (call === null) throw new Error("not recognised");
      const isError = /^\s*\{\s*"error"/.test(body);
      const result = await settle(call, isError ? 400 : 200, Buffer.from(body), 500);
      if (isError) expect(result.cost.total).toBe(0);
      // No usage, so no call of this endpoint: charged at its estimate rather than nothing.
      else if (!/"usage"\s*:\s*\{/.test(body)) expect(result).toMatchObject({ source: "estimate", cost: call.cost });
      else expectCost(name, provider, call.operation, body, result, call.modelAsSent);
    });
  }
});
