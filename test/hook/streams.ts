/**
 * HTTP/2 on the loopback interface: a server that keeps what it was sent, and a client that keeps what it was told.
 * @module
 */
import { once } from "node:events";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import type { Certificate } from "../support/certificate.ts";

export interface StreamHit {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly raw: readonly string[];
  body: Buffer;
  whole: boolean;
  readonly session: number;
}

type Respond = (stream: http2.ServerHttp2Stream, hit: StreamHit) => void;

export interface StreamServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly hits: StreamHit[];
  readonly sessions: () => readonly http2.ServerHttp2Session[];
  /** Resolves when so many requests have arrived, whole or not. */
  arrived(count: number): Promise<void>;
}

const echo: Respond = (stream, hit) => {
  stream.respond({ ":status": 200, "content-type": "application/json", "x-server": "loopback" });
  stream.end(JSON.stringify({ path: hit.headers[":path"], length: hit.body.length }));
};

export interface ServerOptions {
  readonly certificate?: Certificate | null;
  /** Called when a request has arrived whole. */
  readonly respond?: Respond;
  /** Called when its headers have arrived. */
  readonly begin?: Respond;
  readonly settings?: http2.Settings;
}

/** A real HTTP/2 server on a free port, with TLS where it is given a certificate, else with prior knowledge (h2c). */
export async function streamServer(options: ServerOptions = {}): Promise<StreamServer> {
  const { certificate, respond = options.begin === undefined ? echo : () => {}, begin, settings } = options;
  const hits: StreamHit[] = [];
  const sessions: http2.ServerHttp2Session[] = [];
  let waiting: (() => void)[] = [];
  const server =
    certificate === undefined || certificate === null
      ? http2.createServer({ ...(settings && { settings }) })
      : http2.createSecureServer({ ...certificate, ...(settings && { settings }) });
  server.on("session", (session) => {
    sessions.push(session);
    session.on("error", () => {});
  });
  server.on("stream", async (stream, headers, _flags, ...rest) => {
    const raw = (rest as unknown as (readonly string[])[])[0] ?? [];
    const session = sessions.indexOf(stream.session as http2.ServerHttp2Session);
    const hit: StreamHit = { headers: { ...headers }, raw, body: Buffer.alloc(0), whole: false, session };
    hits.push(hit);
    stream.on("error", () => {});
    for (const go of waiting.splice(0)) go();
    begin?.(stream, hit);
    const pieces: Buffer[] = [];
    stream.on("data", (piece) => {
      pieces.push(Buffer.from(piece));
      hit.body = Buffer.concat(pieces);
    });
    stream.on("end", () => {
      hit.whole = true;
      respond(stream, hit);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${certificate ? "https" : "http"}://localhost:${port}`,
    hits,
    sessions: () => sessions,
    async arrived(count) {
      while (hits.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    async [Symbol.asyncDispose]() {
      waiting = [];
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** What a caller was told of one stream. */
export interface Story {
  /** Names of events as they came. */
  readonly events: string[];
  status: unknown;
  headers: Readonly<Record<string, unknown>>;
  body: Buffer;
  readonly trailers: unknown[];
  error: {
    readonly class: string;
    readonly name: string;
    readonly code: string | undefined;
    readonly message: string;
  } | null;
  rstCode: number;
  aborted: boolean;
  finished: boolean;
}

const TOLD = ["response", "headers", "trailers", "push", "end", "aborted", "error", "close", "timeout", "frameError"];

/** Reads a stream to its close and tells how it went. */
export function follow(stream: http2.ClientHttp2Stream, onData: (piece: Buffer) => void = () => {}): Promise<Story> {
  const story: Story = {
    events: [],
    status: null,
    headers: {},
    body: Buffer.alloc(0),
    trailers: [],
    error: null,
    rstCode: -1,
    aborted: false,
    finished: false,
  };
  for (const name of TOLD) stream.on(name, () => story.events.push(name));
  stream.on("response", (headers) => {
    story.status = headers[":status"];
    story.headers = { ...headers };
  });
  stream.on("trailers", (headers) => story.trailers.push({ ...headers }));
  stream.on("finish", () => {
    story.finished = true;
  });
  stream.on("data", (piece: Buffer) => {
    story.body = Buffer.concat([story.body, piece]);
    onData(piece);
  });
  stream.on("error", (error: NodeJS.ErrnoException) => {
    story.error = { class: error.constructor.name, name: error.name, code: error.code, message: error.message };
  });
  return new Promise((resolve) => {
    stream.on("close", () => {
      story.rstCode = stream.rstCode;
      story.aborted = stream.aborted;
      resolve(story);
    });
  });
}

/** Opens a session and resolves when both sides have it. */
export async function connected(
  url: string,
  options: http2.SecureClientSessionOptions = {},
): Promise<http2.ClientHttp2Session> {
  const session = http2.connect(url, options);
  await once(session, "connect");
  await new Promise((resolve) => session.ping(resolve));
  return session;
}
