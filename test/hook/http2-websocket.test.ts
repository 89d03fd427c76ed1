import { once } from "node:events";
import type { ClientHttp2Stream, ServerHttp2Stream } from "node:http2";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Failure, Line, Session } from "../../src/hook/exchange.ts";
import { install } from "../../src/hook/install.ts";
import { serverFrame } from "../../src/hook/websocket-frames.ts";
import { FakeGatekeeper, refuse } from "./fake-gatekeeper.ts";
import { connected, follow, type StreamServer, streamServer } from "./streams.ts";

// A WebSocket over HTTP/2 is an "extended CONNECT" (RFC 8441): a stream, answered with 200, that carries the same frames.

const TEXT = 1;
const PATH = "/v1/realtime?model=m";
const OPENING = { ":method": "CONNECT", ":protocol": "websocket", ":path": PATH, "sec-websocket-version": "13" };

/** A client's frame, masked with nothing. */
function clientFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x80 | TEXT, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

/** A server that greets each WebSocket and answers whatever comes, and then with its end. */
const server = (): Promise<StreamServer> =>
  streamServer({
    settings: { enableConnectProtocol: true },
    begin(stream: ServerHttp2Stream) {
      stream.respond({ ":status": 200 });
      stream.write(serverFrame(TEXT, Buffer.from('{"type":"session.created"}')));
      stream.once("data", () => stream.write(serverFrame(TEXT, Buffer.from('{"type":"response.done"}'))));
    },
    respond: (stream) => void stream.end(),
  });

let gatekeeper: FakeGatekeeper;
let line: Line | null;
let heard: string[];
let ends: (Failure | null)[];
let wake: () => void;

beforeEach(() => {
  gatekeeper = new FakeGatekeeper();
  [line, heard, ends, wake] = [null, [], [], () => {}];
  onTestFinished(install(gatekeeper).dispose);
});

/** Has the gatekeeper follow every session. */
function following(): void {
  const session: Session = {
    wants: () => true,
    message(from, bytes) {
      heard.push(`${from} ${bytes}`);
      wake();
    },
    unreadable() {},
    end(failure) {
      ends.push(failure);
      wake();
    },
  };
  gatekeeper.decision = () => {
    const go = gatekeeper.go();
    const upgrade = (_: unknown, given: Line): Session => {
      line = given;
      return session;
    };
    return { ...go, tap: { ...go.tap, upgrade } };
  };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

/** What the caller was sent, frame by frame as text. */
function received(stream: ClientHttp2Stream): () => string {
  let text = "";
  stream.on("data", (bytes: Buffer) => {
    text += bytes.toString("latin1");
  });
  return () => text;
}

describe("a WebSocket over HTTP/2", () => {
  it("is judged as the GET that it would be over HTTP/1.1, and leaves as it is", async () => {
    await using h2 = await server();
    gatekeeper.ports.add(h2.port);
    following();
    const session = await connected(h2.url);
    const stream = session.request({ ...OPENING, "x-app": "mine" });
    const [headers] = await once(stream, "response");
    expect(headers[":status"]).toBe(200);
    expect(gatekeeper.departures).toMatchObject([
      { transport: "http2", method: "GET", path: PATH, body: null, headers: { upgrade: "websocket", "x-app": "mine" } },
    ]);
    expect(h2.hits[0]?.headers).toMatchObject({ ...OPENING, "x-app": "mine" });
    session.destroy();
  });

  it("that is refused reaches nobody", async () => {
    await using h2 = await server();
    gatekeeper.ports.add(h2.port);
    gatekeeper.decision = refuse;
    const session = await connected(h2.url);
    const { status, error } = await follow(session.request(OPENING));
    expect([status, error, h2.hits.length]).toEqual([402, null, 0]);
    session.destroy();
  });

  it("is followed message by message, and heard of to its end", async () => {
    await using h2 = await server();
    gatekeeper.ports.add(h2.port);
    following();
    const session = await connected(h2.url);
    const stream = session.request(OPENING);
    const text = received(stream);
    await once(stream, "response");
    stream.write(clientFrame('{"type":"response.create"}'));
    await until(() => heard.length === 3);
    expect(heard.toSorted()).toEqual([
      'client {"type":"response.create"}',
      'server {"type":"response.done"}',
      'server {"type":"session.created"}',
    ]);
    expect(text()).toContain('{"type":"response.done"}');
    stream.close();
    await until(() => ends.length === 1);
    session.destroy();
  });

  it("is closed as the server would, with the code that says why", async () => {
    await using h2 = await server();
    gatekeeper.ports.add(h2.port);
    following();
    const session = await connected(h2.url);
    const stream = session.request(OPENING);
    const text = received(stream);
    await once(stream, "response");
    await until(() => heard.length === 1);
    line?.close(1008, "over budget", null);
    expect(text().slice(-15)).toBe("\x88\x0d\x03\xf0over budget");
    stream.write(clientFrame('{"type":"response.create"}'));
    stream.destroy();
    await until(() => ends.length === 1);
    expect([ends, String(h2.hits[0]?.body)]).toEqual([[null], ""]);
    session.destroy();
  });

  it("that nobody follows has its tap told of its end", async () => {
    await using h2 = await server();
    gatekeeper.ports.add(h2.port);
    const session = await connected(h2.url);
    const stream = session.request(OPENING).resume();
    await once(stream, "response");
    stream.end();
    expect(await gatekeeper.ended()).toMatchObject([{ status: 200, heads: 1, ends: 1 }]);
    session.destroy();
  });

  it("is not what a tunnel is: that spends nothing, and is let alone", async () => {
    await using h2 = await server();
    gatekeeper.ports.add(h2.port);
    const session = await connected(h2.url);
    const stream = session.request({ ":method": "CONNECT", ":authority": `localhost:${h2.port}` });
    await once(stream, "response");
    expect(gatekeeper.departures).toEqual([]);
    session.destroy();
  });
});
