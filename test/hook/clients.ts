/**
 * Every way a Node program makes an HTTP request, behind one small interface, so that one table of cases runs on all.
 * @module
 */
import http from "node:http";
import https from "node:https";
import { type Duplex, Readable, Writable } from "node:stream";
import axios from "axios";
import got from "got";
import nodeFetch from "node-fetch";
import * as undici5 from "undici5";
import * as undici6 from "undici6";
import * as undici7 from "undici7";

export interface Ask {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** A body made piece by piece; its length is not known before. */
  readonly pieces?: readonly Buffer[];
  readonly signal?: AbortSignal;
  /** Told of each part of the response body as the client hands it out. */
  readonly onChunk?: (chunk: Buffer) => void;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Session {
  send(ask: Ask): Promise<Reply>;
  close(): Promise<void>;
}

export interface Client {
  readonly name: string;
  readonly transport: "undici" | "http";
  /** `proxy` is the URL of a forward proxy for those that use one. */
  open(origin: string, proxy: string): Session;
  readonly viaProxy?: boolean;
  readonly followsRedirects: boolean;
  /** False where the client cannot send a body of unknown length. */
  readonly streamsBody: boolean;
  /** False where the answer is over before its connection is free, so that the next request's is a matter of luck. */
  readonly freesConnection: boolean;
  /** False where a signal that was aborted before makes the client itself throw past its caller. */
  readonly abortsBefore: boolean;
}

/** The parts of undici that all majors have; their types differ in ways that do not matter here. */
interface Undici {
  readonly fetch: (url: string, init: object) => Promise<Response>;
  readonly request: (url: string, options: object) => Promise<UndiciReply>;
  readonly stream: (url: string, options: object, factory: (head: UndiciHead) => Writable) => Promise<unknown>;
  readonly pipeline: (url: string, options: object, take: (head: UndiciReply) => unknown) => Duplex;
  readonly Agent: new (options?: object) => Dispatcher;
  readonly Client: new (origin: string, options?: object) => Dispatcher;
  readonly Pool: new (origin: string, options?: object) => Dispatcher;
  readonly ProxyAgent: new (options: unknown) => Dispatcher;
  readonly RetryAgent?: new (agent: Dispatcher) => Dispatcher;
  readonly EnvHttpProxyAgent?: new (options: object) => Dispatcher;
  readonly interceptors?: Readonly<Record<string, (options?: object) => unknown>>;
}

interface UndiciHead {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
}

interface UndiciReply extends UndiciHead {
  readonly body: AsyncIterable<Buffer>;
}

export interface Dispatcher {
  request(options: object): Promise<UndiciReply>;
  dispatch(options: object, handler: object): boolean;
  compose(...interceptors: unknown[]): Dispatcher;
  close(): Promise<void>;
  destroy(error?: Error): Promise<void>;
}

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
/** undici 8 wants Node 22.19. */
const undici8 = major > 22 || (major === 22 && minor >= 19) ? await import("undici8") : null;

export const undicis: ReadonlyMap<number, Undici> = new Map(
  Object.entries({ 5: undici5, 6: undici6, 7: undici7, 8: undici8 })
    .filter(([, module]) => module !== null)
    .map(([version, module]) => [Number(version), module as unknown as Undici]),
);

const plain = { followsRedirects: true, streamsBody: true, abortsBefore: true, freesConnection: true };

async function read(source: AsyncIterable<Uint8Array>, onChunk: Ask["onChunk"]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) {
    chunks.push(Buffer.from(chunk));
    onChunk?.(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

async function* each(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces;
}

const nothing = async (): Promise<void> => {};

/** Sockets that the shared agent keeps would meet the next server that happens to get the same port. */
const forgetSockets = async (): Promise<void> => http.globalAgent.destroy();

function fetchInit(ask: Ask): RequestInit & { duplex?: "half" } {
  const stream = ask.pieces && new ReadableStream({ pull: fill(ask.pieces) });
  return {
    method: ask.method ?? "GET",
    headers: { ...ask.headers },
    ...(ask.body !== undefined && { body: ask.body }),
    ...(stream && { body: stream, duplex: "half" }),
    ...(ask.signal && { signal: ask.signal }),
  } as RequestInit;
}

function fill(pieces: readonly Buffer[]): (controller: ReadableStreamDefaultController) => void {
  const left = [...pieces];
  return (controller) => {
    const piece = left.shift();
    if (piece === undefined) controller.close();
    else controller.enqueue(new Uint8Array(piece));
  };
}

async function fetchReply(response: Response, onChunk: Ask["onChunk"]): Promise<Reply> {
  const body = response.body === null ? Buffer.alloc(0) : await read(response.body as never, onChunk);
  return { status: response.status, headers: Object.fromEntries(response.headers), body };
}

/** Taken before any guard is installed, as an SDK may have done. */
const capturedFetch = globalThis.fetch;

function fetchClient(
  name: string,
  send: (ask: Ask, dispatcher: Dispatcher | null) => Promise<Response>,
  make?: () => Dispatcher,
): Client {
  return {
    ...plain,
    name,
    transport: "undici",
    open() {
      const dispatcher = make?.() ?? null;
      return {
        send: async (ask) => fetchReply(await send(ask, dispatcher), ask.onChunk),
        close: async () => dispatcher?.destroy(),
      };
    },
  };
}

function undiciOptions(ask: Ask): object {
  return {
    method: ask.method ?? "GET",
    headers: { ...ask.headers },
    ...(ask.body !== undefined && { body: ask.body }),
    ...(ask.pieces && { body: Readable.from(ask.pieces) }),
    ...(ask.signal && { signal: ask.signal }),
  };
}

async function undiciReply(answer: UndiciReply, onChunk: Ask["onChunk"]): Promise<Reply> {
  return { status: answer.statusCode, headers: answer.headers, body: await read(answer.body, onChunk) };
}

/** Requests through a dispatcher's own `request`, as a Client, Pool or Agent has it. */
function dispatcherClient(
  name: string,
  make: (origin: string, proxy: string) => Dispatcher,
  extra: Partial<Client> = {},
): Client {
  return {
    ...plain,
    followsRedirects: false,
    name,
    transport: "undici",
    ...extra,
    open(origin, proxy) {
      const dispatcher = make(origin, proxy);
      return {
        async send(ask) {
          const url = new URL(ask.url);
          const options = { ...undiciOptions(ask), origin: url.origin, path: url.pathname + url.search };
          return undiciReply(await dispatcher.request(options), ask.onChunk);
        },
        close: () => dispatcher.destroy(),
      };
    },
  };
}

function undiciClients(version: number, undici: Undici): Client[] {
  const name = (what: string): string => `undici ${version} ${what}`;
  const fetchWith = (ask: Ask, dispatcher: Dispatcher | null): Promise<Response> =>
    undici.fetch(ask.url, { ...fetchInit(ask), ...(dispatcher && { dispatcher }) });
  const clients: Client[] = [
    fetchClient(name("fetch"), fetchWith),
    fetchClient(name("fetch with an Agent"), fetchWith, () => new undici.Agent()),
    {
      ...plain,
      followsRedirects: false,
      name: name("request"),
      transport: "undici",
      open: () => ({
        send: async (ask) => undiciReply(await undici.request(ask.url, undiciOptions(ask)), ask.onChunk),
        close: nothing,
      }),
    },
    {
      ...plain,
      followsRedirects: false,
      name: name("stream"),
      transport: "undici",
      open: () => ({
        async send(ask) {
          const chunks: Buffer[] = [];
          let head: UndiciHead | null = null;
          await undici.stream(ask.url, undiciOptions(ask), (received) => {
            head = received;
            return new Writable({
              write(chunk, _encoding, done) {
                chunks.push(Buffer.from(chunk));
                ask.onChunk?.(Buffer.from(chunk));
                done();
              },
            });
          });
          const { statusCode, headers } = head ?? { statusCode: 0, headers: {} };
          return { status: statusCode, headers, body: Buffer.concat(chunks) };
        },
        close: nothing,
      }),
    },
    {
      ...plain,
      followsRedirects: false,
      freesConnection: false,
      name: name("pipeline"),
      transport: "undici",
      open: () => ({
        async send(ask) {
          let head: UndiciHead | null = null;
          const { body: _body, ...options } = undiciOptions(ask) as { readonly body?: unknown };
          const stream = undici.pipeline(ask.url, options, (received) => {
            head = received;
            return received.body;
          });
          for (const piece of ask.pieces ?? []) stream.write(piece);
          stream.end(ask.body);
          const body = await read(stream, ask.onChunk);
          const { statusCode, headers } = head ?? { statusCode: 0, headers: {} };
          return { status: statusCode, headers, body };
        },
        close: nothing,
      }),
    },
    dispatcherClient(name("Client"), (origin) => new undici.Client(origin)),
    dispatcherClient(name("Pool"), (origin) => new undici.Pool(origin, { connections: 2 })),
    dispatcherClient(name("Agent"), () => new undici.Agent()),
    dispatcherClient(name("ProxyAgent"), (_origin, proxy) => new undici.ProxyAgent(proxy), { viaProxy: true }),
  ];
  const { RetryAgent, EnvHttpProxyAgent, interceptors } = undici;
  if (RetryAgent !== undefined) {
    clients.push(dispatcherClient(name("RetryAgent"), () => new RetryAgent(new undici.Agent())));
  }
  if (EnvHttpProxyAgent !== undefined) {
    const make = (_origin: string, proxy: string): Dispatcher =>
      new EnvHttpProxyAgent({ httpProxy: proxy, noProxy: "" });
    clients.push(dispatcherClient(name("EnvHttpProxyAgent"), make, { viaProxy: true }));
  }
  if (version >= 7) {
    const make = (_origin: string, proxy: string): Dispatcher =>
      new undici.ProxyAgent({ uri: proxy, proxyTunnel: false });
    clients.push(dispatcherClient(name("ProxyAgent without tunnel"), make, { viaProxy: true }));
  }
  const redirect = interceptors?.redirect;
  if (redirect !== undefined) {
    const make = (): Dispatcher => new undici.Agent().compose(redirect({ maxRedirections: 3 }));
    clients.push(dispatcherClient(name("Agent with the redirect interceptor"), make, { followsRedirects: true }));
  }
  return clients;
}

type Module = Pick<typeof http, "request">;

function httpSend(module: Module, options: http.RequestOptions, ask: Ask): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = module.request(ask.url, {
      ...options,
      method: ask.method ?? "GET",
      headers: { ...ask.headers },
      ...(ask.signal && { signal: ask.signal }),
    });
    request.on("error", reject);
    request.on("response", (response) => {
      const headers = response.headers as Record<string, string>;
      read(response, ask.onChunk).then((body) => resolve({ status: response.statusCode ?? 0, headers, body }), reject);
    });
    if (ask.pieces) Readable.from(ask.pieces).pipe(request);
    else request.end(ask.body);
  });
}

function httpClient(name: string, module: Module, options: (() => https.RequestOptions) | null): Client {
  return {
    ...plain,
    followsRedirects: false,
    name,
    transport: "http",
    open() {
      const chosen = options?.() ?? {};
      return {
        send: (ask) => httpSend(module, chosen, ask),
        close: async () => (chosen.agent instanceof http.Agent ? chosen.agent.destroy() : forgetSockets()),
      };
    },
  };
}

const axiosClient: Client = {
  ...plain,
  name: "axios",
  transport: "http",
  open: () => ({
    async send(ask) {
      const answer = await axios.request({
        url: ask.url,
        method: ask.method ?? "GET",
        headers: { ...ask.headers },
        ...(ask.body !== undefined && { data: ask.body }),
        ...(ask.pieces && { data: Readable.from(ask.pieces) }),
        responseType: "stream",
        validateStatus: () => true,
        adapter: "http",
        ...(ask.signal && { signal: ask.signal }),
      });
      const headers = Object.fromEntries(Object.entries(answer.headers).map(([key, value]) => [key, String(value)]));
      return { status: answer.status, headers, body: await read(answer.data, ask.onChunk) };
    },
    close: forgetSockets,
  }),
};

const nodeFetchClient: Client = {
  ...plain,
  abortsBefore: false,
  name: "node-fetch",
  transport: "http",
  open: () => ({
    async send(ask) {
      const answer = await nodeFetch(ask.url, {
        method: ask.method ?? "GET",
        headers: { ...ask.headers },
        ...(ask.body !== undefined && { body: ask.body }),
        ...(ask.pieces && { body: Readable.from(ask.pieces) }),
        ...(ask.signal && { signal: ask.signal }),
      });
      const body = answer.body === null ? Buffer.alloc(0) : await read(answer.body as Readable, ask.onChunk);
      return { status: answer.status, headers: Object.fromEntries(answer.headers), body };
    },
    close: forgetSockets,
  }),
};

const gotClient: Client = {
  ...plain,
  name: "got",
  transport: "http",
  open: () => ({
    async send(ask) {
      const method = (ask.method ?? "GET") as "GET";
      const stream = got.stream(ask.url, {
        method,
        headers: { ...ask.headers },
        throwHttpErrors: false,
        retry: { limit: 0 },
        ...(ask.body !== undefined && { body: ask.body }),
        ...(ask.pieces && { body: each(ask.pieces) }),
        ...(ask.signal && { signal: ask.signal }),
      });
      if (["POST", "PATCH"].includes(method) && ask.body === undefined && ask.pieces === undefined) stream.end();
      let status = 0;
      let headers: Record<string, string> = {};
      stream.on("response", (response: http.IncomingMessage) => {
        status = response.statusCode ?? 0;
        headers = response.headers as Record<string, string>;
      });
      const body = await read(stream, ask.onChunk);
      return { status, headers, body };
    },
    close: forgetSockets,
  }),
};

/** The built-in fetch takes dispatchers of the undici that the same Node has inside, or of its neighbours. */
const matching = undicis.get(major >= 26 ? 8 : major >= 24 ? 7 : 6);

export const clients: readonly Client[] = [
  fetchClient("fetch", (ask) => globalThis.fetch(ask.url, fetchInit(ask))),
  fetchClient("fetch captured before the guard", (ask) => capturedFetch(ask.url, fetchInit(ask))),
  fetchClient("fetch of a Request", (ask) => globalThis.fetch(new Request(ask.url, fetchInit(ask)))),
  fetchClient(
    "fetch with an npm Agent",
    (ask, dispatcher) => globalThis.fetch(ask.url, { ...fetchInit(ask), dispatcher } as RequestInit),
    () => new (matching ?? (undici6 as unknown as Undici)).Agent(),
  ),
  ...[...undicis].flatMap(([version, undici]) => undiciClients(version, undici)),
  httpClient("http.request", http, null),
  httpClient("http.request with agent: false", http, () => ({ agent: false })),
  httpClient("http.request with a keep-alive agent", http, () => ({
    agent: new http.Agent({ keepAlive: true, maxSockets: 1 }),
  })),
  axiosClient,
  nodeFetchClient,
  gotClient,
];

/** The same over TLS, for a server with a certificate that only these trust. */
export const secureClients = (certificate: string): readonly Client[] => [
  httpClient("https.request", https, () => ({ ca: certificate })),
  httpClient("https.request with a keep-alive agent", https, () => ({
    agent: new https.Agent({ keepAlive: true, maxSockets: 1, ca: certificate }),
  })),
  ...[...undicis].map(([version, undici]) =>
    dispatcherClient(`undici ${version} Agent over TLS`, () => new undici.Agent({ connect: { ca: certificate } })),
  ),
];
