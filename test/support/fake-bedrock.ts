/**
 * Amazon Bedrock's runtime on loopback, over HTTP/1.1 or HTTP/2: the wire formats of Converse and InvokeModel, whole and as
 * event streams with their checksums, and a journal of what reached it.
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttp2Server, type Http2Server, type Http2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { awsChunk, awsEvent } from "../response/aws-events.ts";

/** What a client asked, as it arrived. */
export interface Asked {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface FakeBedrock {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly requests: readonly Asked[];
  forget(): void;
  close(): Promise<void>;
}

/** 1,400 tokens of input, 400 of them read from the cache, and 200 of output. */
export const converseUsage = {
  inputTokens: 1_000,
  outputTokens: 200,
  totalTokens: 1_600,
  cacheReadInputTokens: 400,
  cacheWriteInputTokens: 0,
};

/** 30 tokens of input and 40 of output. */
const claudeUsage = { input_tokens: 30, output_tokens: 40 };
const claude = { id: "msg_1", type: "message", role: "assistant", model: "claude-sonnet-4-5-20250929" };

const delta = (text: string): Buffer => awsEvent("contentBlockDelta", { contentBlockIndex: 0, delta: { text } });

/** The pieces of a stream that never ends by itself. */
const endless = [awsEvent("messageStart", { role: "assistant" }), delta("a".repeat(60)), delta("stop here")];

const streams: Readonly<Record<string, readonly Buffer[]>> = {
  "converse-stream": [
    awsEvent("messageStart", { role: "assistant" }),
    delta("Grüße"),
    delta(" from loopback."),
    awsEvent("contentBlockStop", { contentBlockIndex: 0 }),
    awsEvent("messageStop", { stopReason: "end_turn" }),
    awsEvent("metadata", { usage: converseUsage, metrics: { latencyMs: 9 } }),
  ],
  "invoke-with-response-stream": [
    awsChunk({ type: "message_start", message: { ...claude, usage: { ...claudeUsage, output_tokens: 1 } } }),
    awsChunk({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hello" } }),
    awsChunk({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 40 } }),
    awsChunk({
      type: "message_stop",
      "amazon-bedrock-invocationMetrics": { inputTokenCount: 30, outputTokenCount: 40, invocationLatency: 9 },
    }),
  ],
};

const bodies: Readonly<Record<string, unknown>> = {
  converse: {
    output: { message: { role: "assistant", content: [{ text: "Hello from loopback." }] } },
    stopReason: "end_turn",
    usage: converseUsage,
    metrics: { latencyMs: 9 },
  },
  invoke: { ...claude, content: [{ type: "text", text: "Hello" }], stop_reason: "end_turn", usage: claudeUsage },
  "count-tokens": { inputTokens: 7 },
};

/** Starts it on a free port. `endless`: streams stop after a few words and stay open until the caller leaves. */
export async function fakeBedrock(
  protocol: "h1" | "h2",
  wishes: { readonly endless?: boolean } = {},
): Promise<FakeBedrock> {
  const requests: Asked[] = [];
  const sessions = new Set<Http2Session>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const path = request.url ?? "";
    requests.push({ path, headers: namesOf(request), body: Buffer.concat(parts).toString() });
    const verb = path.slice(path.lastIndexOf("/") + 1);
    const events = streams[verb];
    if (events === undefined) {
      response.writeHead(200, { "content-type": "application/json", "x-amzn-requestid": "request-1" });
      response.end(JSON.stringify(bodies[verb]));
      return;
    }
    response.writeHead(200, { "content-type": "application/vnd.amazon.eventstream" });
    for (const event of wishes.endless === true ? endless : events) response.write(event);
    if (wishes.endless !== true) response.end();
  };
  const listener = (request: unknown, response: unknown): void => {
    // The compatibility layer of HTTP/2 speaks as that of HTTP/1.1 does, as far as this server goes.
    answer(request as IncomingMessage, response as ServerResponse).catch(() => {});
  };
  const server: Server | Http2Server = protocol === "h1" ? createServer(listener) : createHttp2Server(listener);
  server.on("session", (session: Http2Session) => sessions.add(session));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    forget() {
      requests.length = 0;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const session of sessions) session.destroy();
        if ("closeAllConnections" in server) server.closeAllConnections();
      }),
  };
}

function namesOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
