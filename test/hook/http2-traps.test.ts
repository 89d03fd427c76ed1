import { once } from "node:events";
import http2, { connect } from "node:http2";
import { afterEach, describe, expect, it } from "vitest";
import { exempt } from "../../src/hook/exempt.ts";
import { install } from "../../src/hook/install.ts";
import { LIMITS } from "../../src/hook/limits.ts";
import { ANSWER, FakeGatekeeper, refuse } from "./fake-gatekeeper.ts";
import { connected, follow, type StreamServer, streamServer } from "./streams.ts";

const installed: { dispose(): void }[] = [];
afterEach(() => {
  for (const { dispose } of installed.splice(0)) dispose();
});

function guard(server: StreamServer, limits = LIMITS): FakeGatekeeper {
  const gatekeeper = new FakeGatekeeper();
  gatekeeper.ports.add(server.port);
  installed.push(install(gatekeeper, limits));
  return gatekeeper;
}

const POST = { ":method": "POST", ":path": "/v1/chat", "content-type": "application/json" };

describe("the hook of node:http2", () => {
  it("leaves everything as it was when it is disposed of", async () => {
    await using server = await streamServer();
    const first = await connected(server.url);
    const prototype: object = Object.getPrototypeOf(first);
    const before = Object.getOwnPropertyDescriptors(prototype);
    guard(server);
    const session = await connected(server.url);
    expect(Object.getOwnPropertyDescriptors(prototype)).not.toEqual(before);
    for (const { dispose } of installed.splice(0)) dispose();
    expect(Object.getOwnPropertyDescriptors(prototype)).toEqual(before);
    for (const one of [first, session]) one.destroy();
  });

  it("leaves nothing of its own on a session, nor on the ways to write to a stream, once that is sent", async () => {
    await using server = await streamServer();
    guard(server);
    const session = await connected(server.url);
    const names = Object.getOwnPropertyNames(session);
    const stream = session.request(POST);
    const story = follow(stream);
    stream.end("ask");
    session.close();
    await story;
    expect(Object.getOwnPropertyNames(session).filter((name) => !names.includes(name) && name !== "closed")).toEqual(
      [],
    );
    for (const name of ["write", "end", "_write", "_writev", "_final"]) expect(Object.hasOwn(stream, name)).toBe(false);
  });

  it("meets a session that is older than the guard with the next that is made", async () => {
    await using server = await streamServer();
    const old = await connected(server.url);
    const gatekeeper = guard(server);
    gatekeeper.decision = refuse;
    const young = connect(server.url);
    const story = follow(old.request(POST).end("ask"));
    expect((await story).status).toBe(402);
    for (const one of [old, young]) one.destroy();
  });

  it("lets its own traffic pass unseen", async () => {
    await using server = await streamServer();
    const gatekeeper = guard(server);
    const session = await connected(server.url);
    const story = exempt(() => follow(session.request(POST).end("ask")));
    expect([(await story).status, gatekeeper.departures.length]).toEqual([200, 0]);
    session.destroy();
  });

  it("lets a request go whose gatekeeper fails, and throws the error of one that throws", async () => {
    await using server = await streamServer();
    const gatekeeper = guard(server);
    const session = await connected(server.url);
    gatekeeper.decision = () => {
      throw new Error("a fault of ours");
    };
    expect(await follow(session.request(POST).end("ask"))).toMatchObject({ status: 200, error: null });
    gatekeeper.decision = () => ({ kind: "throw", error: new RangeError("over budget") });
    const { status, error, events } = await follow(session.request(POST).end("ask"));
    expect([status, error?.name, error?.message, events]).toEqual([
      null,
      "RangeError",
      "over budget",
      ["error", "close"],
    ]);
    gatekeeper.decision = () => gatekeeper.go();
    expect((await follow(session.request(POST).end("ask"))).status).toBe(200);
    expect(server.hits).toHaveLength(2);
    session.close();
    await once(session, "close");
  });

  it("sends the request once where `run` fails, or never runs it", async () => {
    await using server = await streamServer();
    const gatekeeper = guard(server);
    const session = await connected(server.url);
    gatekeeper.decision = () => gatekeeper.go({ run: () => undefined as never });
    expect((await follow(session.request(POST).end("ask"))).status).toBe(200);
    gatekeeper.decision = () =>
      gatekeeper.go({
        run: (fn) => {
          fn();
          throw new Error("a fault of the telemetry");
        },
      });
    expect((await follow(session.request(POST).end("ask"))).status).toBe(200);
    expect(server.hits).toHaveLength(2);
    session.destroy();
  });

  it("decides on a body past the limit by its start, and keeps no more than that waiting", async () => {
    await using server = await streamServer();
    const gatekeeper = guard(server, { bodyBytes: 100_000, bodyMs: 3000 });
    let decide = (): void => {};
    gatekeeper.decision = async () => {
      await new Promise<void>((resolve) => {
        decide = resolve;
      });
      return gatekeeper.go();
    };
    const session = await connected(server.url);
    const stream = session.request(POST);
    const story = follow(stream);
    const piece = Buffer.alloc(10_000, "x");
    let written = 0;
    const fill = (): void => {
      while (written < 1_000_000) {
        written += piece.length;
        if (!stream.write(piece)) return;
      }
      stream.end();
    };
    stream.on("drain", fill);
    fill();
    while (gatekeeper.departures.length === 0) await new Promise((resolve) => setImmediate(resolve));
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(written).toBeLessThan(250_000);
    expect(gatekeeper.departures[0]?.body).toBeNull();
    expect(gatekeeper.departures[0]?.bodyStart).toEqual(Buffer.alloc(100_000, "x"));
    decide();
    expect((await story).status).toBe(200);
    expect(server.hits[0]?.body.length).toBe(1_000_000);
    session.destroy();
  });

  it("does not wait for the end of a body that waits for the answer", async () => {
    await using server = await streamServer({
      begin(stream) {
        stream.respond({ ":status": 200 });
        stream.write("go on");
      },
      respond: (stream) => void stream.end("done"),
    });
    const gatekeeper = guard(server, { bodyBytes: 100_000, bodyMs: 20 });
    const session = await connected(server.url);
    const stream = session.request(POST);
    const story = follow(stream, () => stream.end("rest"));
    stream.write("begin");
    expect(String((await story).body)).toBe("go ondone");
    expect(String(server.hits[0]?.body)).toBe("beginrest");
    expect([gatekeeper.departures[0]?.body, String(gatekeeper.departures[0]?.bodyStart)]).toEqual([null, "begin"]);
    session.destroy();
  });

  it("tells a stream's time limit while it is held", async () => {
    await using server = await streamServer();
    const gatekeeper = guard(server);
    gatekeeper.decision = () => new Promise(() => {});
    const session = await connected(server.url);
    const stream = session.request(POST).end("ask");
    stream.setTimeout(20);
    await once(stream, "timeout");
    const story = follow(stream);
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await story;
    expect([server.hits.length, gatekeeper.signals[0]?.aborted]).toEqual([0, true]);
    session.close();
    await once(session, "close");
  });

  it("answers HEAD without a body, and one that nobody reads until it is cancelled", async () => {
    await using server = await streamServer();
    const gatekeeper = guard(server);
    gatekeeper.decision = refuse;
    const session = await connected(server.url);
    const head = await follow(session.request({ ...POST, ":method": "HEAD" }));
    expect([head.status, head.body.length, head.events]).toEqual([402, 0, ["response", "end", "close"]]);
    const unread = session.request(POST).end("ask");
    const [headers, flags, raw] = await once(unread, "response");
    expect([headers[":status"], flags, raw.slice(0, 2)]).toEqual([402, 4, [":status", "402"]]);
    const closed = once(unread, "close");
    unread.close(http2.constants.NGHTTP2_CANCEL);
    await closed;
    session.close();
    await once(session, "close");
    expect(server.hits).toEqual([]);
  });

  it("keeps refused, held and allowed streams of one session apart", async () => {
    await using server = await streamServer();
    const gatekeeper = guard(server);
    gatekeeper.decision = async ({ path }) => {
      await new Promise((resolve) => setImmediate(resolve));
      return path.endsWith("0") ? refuse() : gatekeeper.go();
    };
    const session = http2.connect(server.url);
    const stories = Array.from({ length: 30 }, (_, at) =>
      follow(session.request({ ...POST, ":path": `/v1/${at % 3}` }).end(`${at}`)),
    );
    const told = await Promise.all(stories);
    expect(told.map(({ status }) => status)).toEqual(told.map((_, at) => (at % 3 === 0 ? 402 : 200)));
    expect(told.filter(({ status, body }) => status === 402 && !body.equals(ANSWER.body))).toEqual([]);
    expect(server.hits.map(({ headers }) => headers[":path"]).filter((path) => String(path).endsWith("0"))).toEqual([]);
    expect([server.hits.length, server.sessions().length]).toEqual([20, 1]);
    session.close();
    await once(session, "close");
  });

  it("is asked about the host that is named, and about the one that is connected to", async () => {
    await using server = await streamServer();
    const gatekeeper = guard(server);
    gatekeeper.ports.clear();
    gatekeeper.hosts = new Set(["api.openai.com"]);
    gatekeeper.decision = refuse;
    const session = await connected(server.url);
    const ask = async (headers: object): Promise<unknown> =>
      (await follow(session.request({ ...POST, ...headers }).end("ask"))).status;
    expect(await ask({})).toBe(200);
    expect(await ask({ ":authority": "api.openai.com" })).toBe(402);
    expect(await ask({ host: "API.OpenAI.com:443" })).toBe(402);
    gatekeeper.hosts = new Set(["localhost"]);
    expect(await ask({ ":authority": "gateway.test" })).toBe(402);
    expect(gatekeeper.departures.map(({ hostname }) => hostname)).toEqual([
      "api.openai.com",
      "api.openai.com",
      "localhost",
    ]);
    session.destroy();
  });

  it("keeps apart what it holds and what is none of its business while a session connects", async () => {
    await using server = await streamServer();
    const gatekeeper = guard(server);
    gatekeeper.ports.clear();
    gatekeeper.hosts = new Set(["api.openai.com"]);
    const session = http2.connect(server.url);
    const stories = ["api.openai.com", "other.test", "api.openai.com", "other.test"].map((authority) =>
      follow(session.request({ ...POST, ":authority": authority }).end("ask")),
    );
    expect((await Promise.all(stories)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(gatekeeper.departures).toHaveLength(2);
    session.destroy();
  });

  it("tells the tap how a response failed", async () => {
    let act: (stream: http2.ServerHttp2Stream) => void = () => {};
    await using server = await streamServer({
      respond(stream) {
        act(stream);
      },
    });
    const gatekeeper = guard(server);
    const half = (then: (stream: http2.ServerHttp2Stream) => void) => (stream: http2.ServerHttp2Stream) => {
      stream.respond({ ":status": 200 });
      stream.write("half", () => then(stream));
    };
    const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM } = http2.constants;
    const ways: Readonly<Record<string, readonly [typeof act, (stream: http2.ClientHttp2Stream) => void, object]>> = {
      "the server resets": [
        half((stream) => void stream.destroy(new Error("broken"))),
        () => {},
        { kind: "network", code: "ERR_HTTP2_STREAM_ERROR" },
      ],
      "the server cancels": [
        half((stream) => stream.close(NGHTTP2_CANCEL)),
        () => {},
        { kind: "network", code: "ERR_HTTP2_STREAM_ERROR" },
      ],
      "the server refuses": [
        (stream) => stream.close(NGHTTP2_REFUSED_STREAM),
        () => {},
        { kind: "network", code: "ERR_HTTP2_STREAM_ERROR", unsent: true },
      ],
      "the connection breaks": [
        half((stream) => stream.session?.destroy()),
        () => {},
        { kind: "network", code: "ERR_HTTP2_STREAM_ERROR" },
      ],
      "the caller closes": [half(() => {}), (stream) => stream.close(NGHTTP2_CANCEL), { kind: "abort" }],
      "the caller destroys": [half(() => {}), (stream) => void stream.destroy(), { kind: "abort" }],
      "the caller has no more time": [
        half(() => {}),
        (stream) => void stream.setTimeout(10, () => stream.close(NGHTTP2_CANCEL)),
        { kind: "timeout" },
      ],
    };
    for (const [name, [serve, leave, failure]] of Object.entries(ways)) {
      act = serve;
      const session = await connected(server.url);
      session.on("error", () => {});
      const stream = session.request(POST).end("ask");
      let left = false;
      const story = follow(stream, () => {
        if (!left) leave(stream);
        left = true;
      });
      await story;
      const told = gatekeeper.told.at(-1);
      expect([name, told?.ends, told?.failures.length]).toEqual([name, 0, 1]);
      expect(told?.failures[0], name).toMatchObject(failure);
      expect("unsent" in (told?.failures[0] ?? {}), name).toBe("unsent" in failure);
      session.destroy();
    }
  });
});
