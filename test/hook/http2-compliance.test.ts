import http2 from "node:http2";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { install } from "../../src/hook/install.ts";
import { selfSigned } from "../support/certificate.ts";
import { FakeGatekeeper } from "./fake-gatekeeper.ts";
import { connected, follow, type ServerOptions, type Story, type StreamServer, streamServer } from "./streams.ts";

type Session = http2.ClientHttp2Session;
type Outcome = Promise<unknown>;

interface Case {
  readonly name: string;
  readonly server?: Omit<ServerOptions, "certificate">;
  readonly play: (session: Session, server: StreamServer) => Outcome;
  /** False where the request never comes to a decision. */
  readonly decided?: false;
}

const CHAT = JSON.stringify({ model: "gpt-5", messages: [{ role: "user", content: "¿qué tal?" }], max_tokens: 5 });
const POST = { ":method": "POST", ":path": "/v1/chat", "content-type": "application/json", "X-Custom-Case": "Kept" };
const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_REFUSED_STREAM, NGHTTP2_NO_ERROR } = http2.constants;

const shown = ({ body, headers, ...story }: Story): object => {
  const { date: _date, ...rest } = headers;
  return { ...story, headers: rest, body: body.toString("base64") };
};

const send = async (session: Session, body: string | Buffer = CHAT, headers: object = POST): Promise<object> => {
  const stream = session.request({ ...headers });
  const story = follow(stream);
  stream.end(body);
  return shown(await story);
};

/** What a call throws, or what becomes of its stream. */
const attempt = async (make: () => http2.ClientHttp2Stream): Promise<object> => {
  let stream: http2.ClientHttp2Stream;
  try {
    stream = make();
  } catch (error) {
    return error instanceof Error ? { thrown: error.message, code: Reflect.get(error, "code") } : { thrown: error };
  }
  return shown(await follow(stream));
};

let acknowledged: () => void = () => {};

const cases: readonly Case[] = [
  { name: "a POST of a text", play: (session) => send(session) },
  { name: "a POST of a buffer of 300 KB", play: (session) => send(session, Buffer.alloc(300_000, "x")) },
  { name: "a POST with a content-length", play: (session) => send(session, "four", { ...POST, "content-length": 4 }) },
  { name: "a POST of nothing", play: (session) => send(session, "") },
  { name: "a GET", play: async (session) => shown(await follow(session.request({ ":path": "/v1/models?limit=2" }))) },
  { name: "a GET without headers", play: async (session) => shown(await follow(session.request())) },
  {
    name: "a HEAD",
    play: async (session) => shown(await follow(session.request({ ":method": "HEAD", ":path": "/v1/models" }))),
  },
  {
    name: "a POST that ends with its headers",
    play: async (session) => shown(await follow(session.request(POST, { endStream: true }))),
  },
  {
    name: "sensitive headers, repeated ones and cookies",
    play: (session) =>
      send(session, CHAT, {
        ...POST,
        authorization: "Bearer test",
        "x-many": ["a", "b"],
        cookie: ["c=1", "d=2"],
        [http2.sensitiveHeaders]: ["authorization"],
      }),
  },
  {
    name: "an authority of its own",
    play: (session) => send(session, CHAT, { ...POST, ":authority": "elsewhere.test" }),
  },
  {
    name: "a body in 60 pieces that waits for room",
    async play(session) {
      const stream = session.request(POST);
      const story = follow(stream);
      Readable.from(Array.from({ length: 60 }, (_, at) => Buffer.alloc(4096, at))).pipe(stream);
      return shown(await story);
    },
  },
  {
    name: "writes whose callbacks are waited for",
    async play(session) {
      const stream = session.request(POST);
      const story = follow(stream);
      for (const piece of ["one", "two", "three"]) {
        await new Promise<void>((resolve, reject) => {
          stream.write(piece, "utf8", (error) => (error ? reject(error) : resolve()));
        });
      }
      await new Promise<void>((resolve) => stream.end("end", () => resolve()));
      return shown(await story);
    },
  },
  {
    name: "writes between cork and uncork",
    async play(session) {
      const stream = session.request(POST);
      const story = follow(stream);
      stream.cork();
      stream.write("one");
      stream.write("two");
      process.nextTick(() => {
        stream.uncork();
        stream.uncork();
        stream.write("three");
        stream.end();
      });
      return shown(await story);
    },
  },
  {
    name: "trailers both ways",
    server: {
      respond(stream) {
        stream.respond({ ":status": 200 }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "x-checksum": "1" }));
        stream.end("answer");
      },
    },
    async play(session) {
      const stream = session.request(POST, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-sent": "2" }));
      const story = follow(stream);
      stream.end(CHAT);
      return shown(await story);
    },
  },
  {
    name: "early hints and 100 Continue",
    server: {
      respond(stream) {
        stream.additionalHeaders({ ":status": 103, link: "</a>" });
        stream.respond({ ":status": 200 });
        stream.end("answer");
      },
    },
    play: (session) => send(session),
  },
  {
    name: "an expectation that is waited for",
    server: {
      begin: (stream) => {
        stream.additionalHeaders({ ":status": 100 });
      },
      respond(stream, hit) {
        stream.respond({ ":status": 200 });
        stream.end(hit.body);
      },
    },
    async play(session) {
      const stream = session.request({ ...POST, expect: "100-continue" });
      const story = follow(stream);
      stream.on("continue", () => stream.end("after"));
      return shown(await story);
    },
  },
  {
    name: "an answer that comes before the request has ended",
    server: {
      begin(stream) {
        stream.respond({ ":status": 413 });
        stream.end("too large");
      },
    },
    async play(session) {
      const stream = session.request({ ...POST, expect: "100-continue" });
      stream.write("begin");
      stream.on("response", () => stream.end());
      return shown(await follow(stream));
    },
  },
  {
    name: "an answer without a body",
    server: { respond: (stream) => stream.respond({ ":status": 204 }, { endStream: true }) },
    play: (session) => send(session),
  },
  {
    name: "a compressed answer",
    server: {
      respond(stream) {
        stream.respond({ ":status": 200, "content-encoding": "gzip" });
        stream.end(gzipSync(CHAT.repeat(20)));
      },
    },
    play: (session) => send(session),
  },
  {
    name: "an answer of 2 MB",
    server: {
      respond(stream) {
        stream.respond({ ":status": 200 });
        stream.end(Buffer.alloc(2_000_000, "y"));
      },
    },
    play: (session) => send(session),
  },
  {
    name: "a stream whose next event waits until the caller has had the one before",
    server: {
      async respond(stream) {
        stream.respond({ ":status": 200, "content-type": "text/event-stream" });
        for (const event of ["one", "two", "three"]) {
          const seen = new Promise<void>((resolve) => {
            acknowledged = resolve;
          });
          stream.write(`data: ${event}\n\n`);
          await seen;
        }
        stream.end();
      },
    },
    async play(session) {
      const chunks: string[] = [];
      const stream = session.request(POST);
      const story = follow(stream, (piece) => {
        chunks.push(String(piece));
        acknowledged();
      });
      stream.end(CHAT);
      return { chunks, story: shown(await story) };
    },
  },
  {
    name: "a push",
    server: {
      respond(stream) {
        stream.pushStream({ ":path": "/pushed" }, (error, pushed) => {
          if (error !== null) throw error;
          pushed.respond({ ":status": 200 });
          pushed.end("pushed");
          stream.respond({ ":status": 200 });
          stream.end("answer");
        });
      },
    },
    async play(session) {
      const pushes: Promise<Story>[] = [];
      session.on("stream", (pushed, headers) => {
        expect(headers[":path"]).toBe("/pushed");
        pushes.push(follow(pushed));
      });
      const answer = await send(session);
      return { answer, pushed: String((await Promise.all(pushes))[0]?.body) };
    },
  },
  {
    name: "30 streams at once on one session",
    async play(session) {
      const stories = Array.from({ length: 30 }, (_, at) => send(session, `${at}`, { ...POST, ":path": `/v1/${at}` }));
      return Promise.all(stories);
    },
  },
  {
    name: "more streams than the server takes at once",
    server: { settings: { maxConcurrentStreams: 2 } },
    async play(session) {
      const stories = Array.from({ length: 9 }, (_, at) => send(session, `${at}`, { ...POST, ":path": `/v1/${at}` }));
      return Promise.all(stories);
    },
  },
  ...[NGHTTP2_NO_ERROR, NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_REFUSED_STREAM].map(
    (code): Case => ({
      name: `a server that resets with code ${code}`,
      server: { respond: (stream) => stream.close(code) },
      play: (session) => send(session),
    }),
  ),
  {
    name: "a server that resets inside the answer",
    server: {
      respond(stream) {
        stream.respond({ ":status": 200 });
        acknowledged = () => stream.close(NGHTTP2_INTERNAL_ERROR);
        stream.write("half");
      },
    },
    async play(session) {
      const stream = session.request(POST);
      const story = follow(stream, () => acknowledged());
      stream.end(CHAT);
      return shown(await story);
    },
  },
  {
    name: "a connection that breaks inside the answer",
    server: {
      respond(stream) {
        stream.respond({ ":status": 200 });
        acknowledged = () => stream.session?.destroy();
        stream.write("half");
      },
    },
    async play(session) {
      const stream = session.request(POST);
      const story = follow(stream, () => acknowledged());
      stream.end(CHAT);
      return shown(await story);
    },
  },
  {
    name: "an abort inside the answer",
    server: {
      respond(stream) {
        stream.respond({ ":status": 200 });
        stream.write("half");
      },
    },
    async play(session) {
      const controller = new AbortController();
      const stream = session.request(POST, { signal: controller.signal });
      const story = follow(stream, () => controller.abort());
      stream.end(CHAT);
      return shown(await story);
    },
  },
  {
    name: "a close inside the answer",
    server: {
      respond(stream) {
        stream.respond({ ":status": 200 });
        stream.write("half");
      },
    },
    async play(session) {
      const stream = session.request(POST);
      const story = follow(stream, () => stream.close(NGHTTP2_CANCEL));
      stream.end(CHAT);
      return shown(await story);
    },
  },
  {
    name: "a signal that was aborted before",
    decided: false,
    play: (session) => attempt(() => session.request(POST, { signal: AbortSignal.abort() })),
  },
  {
    name: "a time limit of the stream",
    server: { respond: () => {} },
    async play(session) {
      const stream = session.request(POST);
      stream.setTimeout(30, () => stream.close(NGHTTP2_CANCEL));
      const story = follow(stream);
      stream.end(CHAT);
      return shown(await story);
    },
  },
  {
    name: "a header that is none",
    decided: false,
    play: (session) => attempt(() => session.request({ ":method": "POST", ":nonsense": "1" })),
  },
  { name: "headers that are none", decided: false, play: (session) => attempt(() => session.request(5 as never)) },
  {
    name: "options that are wrong",
    decided: false,
    play: (session) => attempt(() => session.request(POST, { endStream: "yes" } as never)),
  },
  {
    name: "a session that is closed after its request",
    async play(session, server) {
      const stream = session.request(POST);
      const story = follow(stream);
      stream.end(CHAT);
      await server.arrived(1);
      const closed = new Promise<void>((resolve) => session.close(resolve));
      const told = shown(await story);
      await closed;
      return told;
    },
  },
  {
    name: "a request on a session that is closed",
    decided: false,
    async play(session) {
      session.close();
      return attempt(() => session.request(POST));
    },
  },
];

async function observe(
  one: Case,
  certificate: ReturnType<typeof selfSigned>,
  guard: (port: number) => () => Promise<void>,
): Promise<object> {
  await using server = await streamServer({ ...one.server, certificate });
  const dispose = guard(server.port);
  const session = await connected(server.url, certificate ? { ca: certificate.cert } : {});
  session.on("error", () => {});
  try {
    const seen = await one.play(session, server);
    const byPath = (a: string, b: string): number => a.localeCompare(b);
    const hits = server.hits.map(({ raw, body, whole, session: number }) =>
      JSON.stringify({ raw, body: body.toString("base64"), whole, number }).replaceAll(String(server.port), "PORT"),
    );
    return { seen, hits: hits.sort(byPath) };
  } finally {
    await dispose();
    session.destroy();
  }
}

const certificate = selfSigned();
const roads = [
  { road: "h2c", secure: null },
  ...(certificate === null ? [] : [{ road: "HTTP/2 over TLS", secure: certificate }]),
];

describe.each(roads)("$road is as without the guard", ({ secure }) => {
  it.each(cases)("in $name", async (one) => {
    const without = await observe(one, secure, () => async () => {});
    const stranger = new FakeGatekeeper();
    const passed = await observe(one, secure, () => {
      const { dispose } = install(stranger);
      return async () => dispose();
    });
    expect(passed).toEqual(without);
    const gatekeeper = new FakeGatekeeper();
    const withGuard = await observe(one, secure, (port) => {
      gatekeeper.ports.add(port);
      const { dispose } = install(gatekeeper);
      return async () => {
        await gatekeeper.ended(gatekeeper.told.length);
        dispose();
      };
    });
    expect(withGuard).toEqual(without);
    expect(gatekeeper.told.map(({ ends, failures }) => ends + failures.length)).toEqual(gatekeeper.told.map(() => 1));
    if (one.decided !== false) expect(gatekeeper.departures.length).toBeGreaterThan(0);
    else expect(gatekeeper.departures).toEqual([]);
  });
});
