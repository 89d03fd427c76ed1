/**
 * A provider on loopback: raw `node:http`, the real wire formats of OpenAI and Anthropic, and a journal of what reached it.
 * In: how to behave, for all requests or request by request. Out: answers, and the requests exactly as they arrived.
 * @module
 */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { Http2SecureServer } from "node:http2";
import type { Socket } from "node:net";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { type WireAnswer, type WireUsage, wires } from "./wire.ts";

export interface Behaviour {
  readonly usage?: WireUsage;
  /** Streams its usage in the last event, though nobody asked for it, as Mistral does. */
  readonly includeUsage?: "last";
  /** The answer's text in the pieces in which a stream sends it. */
  readonly pieces?: readonly string[];
  /** Wait before the head of the answer, ms. */
  readonly latencyMs?: number;
  /** Wait before each event of a stream, ms. */
  readonly chunkMs?: number;
  /** Awaited before each event of a stream: a test's own rhythm, without sleeping. */
  readonly beforeChunk?: (index: number) => Promise<void> | undefined;
  /** Awaited before the head of the answer. */
  readonly beforeHead?: () => Promise<void>;
  readonly encoding?: "gzip" | "br";
  /** An error answer in the provider's own form. */
  readonly error?: { readonly status: number; readonly message?: string; readonly headers?: Record<string, string> };
  /** Says nothing more: before the head, or after this many events of a stream. */
  readonly hang?: "head" | { readonly afterEvents: number };
  /** Cuts the connection: before the head, or after this many events of a stream. */
  readonly reset?: "head" | { readonly afterEvents: number };
  /** Takes the answer over whole. */
  readonly raw?: (request: Recorded, response: ServerResponse) => void;
}

/** A request exactly as it arrived. */
export interface Recorded {
  readonly index: number;
  readonly method: string;
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** Parsed body; null where it is no JSON object. */
  readonly json: Readonly<Record<string, unknown>> | null;
  /** ms since 1970. */
  readonly at: number;
  /** How the answer ended: `sent` whole, or `cut` by either side. */
  readonly over: Promise<"sent" | "cut">;
}

export interface FakeProvider {
  /** `http://127.0.0.1:PORT`, or `https:`, without `/v1`. */
  readonly url: string;
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly port: number;
  readonly requests: readonly Recorded[];
  /** From now on behaves like this. */
  behave(behaviour: Behaviour | ((request: Recorded) => Behaviour)): void;
  /** Resolves when this many requests have arrived since the start or the last `forget`. */
  arrived(count: number): Promise<void>;
  /** Empties the journal. */
  forget(): void;
  close(): Promise<void>;
}

const defaultUsage: WireUsage = { input: 12, output: 5 };
const defaultPieces = ["Hello", " from", " loopback", "."];

/** A server of its own: `https` and HTTP/2, whose compatibility layer speaks as that of HTTP/1.1 does. */
export interface Listening {
  readonly scheme: "http" | "https";
  readonly make: (listener: RequestListener) => Server | Http2SecureServer;
}

const plain: Listening = { scheme: "http", make: createServer };

/** Starts a provider on a free port of loopback. Paths may carry any prefix: `/v1/chat/completions`, `/messages`. */
export async function fakeProvider(
  initial: Behaviour | ((request: Recorded) => Behaviour) = {},
  { scheme, make }: Listening = plain,
): Promise<FakeProvider> {
  let behaviour = initial;
  const requests: Recorded[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  const sockets = new Set<Socket>();
  const server = make((message, response) => {
    void receive(message).then(async ({ body }) => {
      const recorded = record(message, body, response, requests.length);
      requests.push(recorded);
      for (const waiter of waiting) if (requests.length >= waiter.count) waiter.resolve();
      await answer(recorded, response, typeof behaviour === "function" ? behaviour(recorded) : behaviour);
    }, ignoreCut);
  });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the provider has no port");

  return {
    url: `${scheme}://127.0.0.1:${address.port}`,
    host: `127.0.0.1:${address.port}`,
    port: address.port,
    requests,
    behave(next) {
      behaviour = next;
    },
    arrived: (count) =>
      requests.length >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve })),
    forget() {
      requests.length = 0;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** A caller that went away while its request was read is no failure of the provider. */
function ignoreCut(): void {}

async function receive(message: IncomingMessage): Promise<{ readonly body: Buffer }> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part);
  return { body: Buffer.concat(parts) };
}

function record(message: IncomingMessage, body: Buffer, response: ServerResponse, index: number): Recorded {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headers)) headers[name] = String(value);
  return {
    index,
    method: message.method ?? "",
    path: message.url ?? "",
    headers,
    rawHeaders: message.rawHeaders,
    body,
    json: parsed(body),
    at: Date.now(),
    over: new Promise((resolve) => {
      response.once("close", () => resolve(response.writableFinished ? "sent" : "cut"));
    }),
  };
}

function parsed(body: Buffer): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}

async function answer(request: Recorded, response: ServerResponse, behaviour: Behaviour): Promise<void> {
  if (behaviour.raw !== undefined) return behaviour.raw(request, response);
  if (behaviour.latencyMs !== undefined) await after(behaviour.latencyMs, response);
  await behaviour.beforeHead?.();
  if (response.destroyed || behaviour.hang === "head") return;
  if (behaviour.reset === "head") return void response.destroy();

  const path = request.path.replace(/\?.*$/, "");
  const wire = wires[Object.keys(wires).find((name) => path.endsWith(`/${name}`)) ?? ""];
  if (wire === undefined) return send(response, 200, { object: "list", data: [] }, behaviour.encoding);
  const { error } = behaviour;
  if (error !== undefined) {
    const body = wire.error(error.status, error.message ?? "The provider could not answer.");
    return send(response, error.status, body, behaviour.encoding, error.headers);
  }
  const say = sayingOf(request, behaviour);
  if (request.json?.stream !== true || wire.events === null)
    return send(response, 200, wire.json(say), behaviour.encoding);
  await stream(response, wire.events(say), behaviour, wire.contentType);
}

function sayingOf(request: Recorded, behaviour: Behaviour): WireAnswer {
  const options = request.json?.stream_options;
  return {
    id: `loopback-${request.index}`,
    model: typeof request.json?.model === "string" ? request.json.model : "unnamed",
    pieces: behaviour.pieces ?? defaultPieces,
    usage: behaviour.usage ?? defaultUsage,
    includeUsage:
      behaviour.includeUsage ??
      (typeof options === "object" && options !== null && "include_usage" in options && options.include_usage === true),
    created: 1_790_000_000,
  };
}

function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  encoding: Behaviour["encoding"],
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = encoded(Buffer.from(JSON.stringify(body)), encoding);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": bytes.length,
    "x-request-id": "req_loopback",
    ...(encoding === undefined ? {} : { "content-encoding": encoding }),
    ...headers,
  });
  response.end(bytes);
}

async function stream(
  response: ServerResponse,
  events: readonly string[],
  behaviour: Behaviour,
  contentType = "text/event-stream; charset=utf-8",
): Promise<void> {
  response.writeHead(200, {
    "content-type": contentType,
    "cache-control": "no-cache",
    "x-request-id": "req_loopback",
    ...(behaviour.encoding === undefined ? {} : { "content-encoding": behaviour.encoding }),
  });
  response.flushHeaders();
  if (behaviour.encoding !== undefined) {
    response.end(encoded(Buffer.from(events.join("")), behaviour.encoding));
    return;
  }
  for (const [index, event] of events.entries()) {
    if (typeof behaviour.reset === "object" && index >= behaviour.reset.afterEvents) {
      // What was written must have left before the connection is cut.
      await new Promise((resolve) => response.socket?.write("", resolve));
      return void response.destroy();
    }
    if (typeof behaviour.hang === "object" && index >= behaviour.hang.afterEvents) return;
    if (behaviour.chunkMs !== undefined) await after(behaviour.chunkMs, response);
    await behaviour.beforeChunk?.(index);
    if (response.destroyed) return;
    response.write(event);
  }
  response.end();
}

function encoded(bytes: Buffer, encoding: Behaviour["encoding"]): Buffer {
  if (encoding === "gzip") return gzipSync(bytes);
  return encoding === "br" ? brotliCompressSync(bytes) : bytes;
}

/** Waits, or until the caller goes away. */
function after(ms: number, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    response.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
