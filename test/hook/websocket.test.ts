import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { constants, deflateRawSync } from "node:zlib";
import { Agent as Undici7, WebSocket as Undici7Socket } from "undici7";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket as Client, type ServerOptions, type WebSocket as Socket, WebSocketServer } from "ws";
import type { Failure, Line, Session } from "../../src/hook/exchange.ts";
import { install } from "../../src/hook/install.ts";
import { LIMITS } from "../../src/hook/limits.ts";
import { serverFrame } from "../../src/hook/websocket-frames.ts";
import { selfSigned } from "../support/certificate.ts";
import { FakeGatekeeper, refuse } from "./fake-gatekeeper.ts";

/** A follower that keeps what it is told. */
class Follower implements Session {
  readonly heard: { readonly from: string; readonly text: string }[] = [];
  unread = 0;
  line: Line | null = null;
  ends: (Failure | null)[] = [];
  #waiting: (() => void)[] = [];

  wants(): boolean {
    return true;
  }
  message(from: "client" | "server", bytes: Buffer): void {
    this.heard.push({ from, text: String(bytes) });
    this.#wake();
  }
  unreadable(): void {
    this.unread += 1;
    this.#wake();
  }
  end(failure: Failure | null): void {
    this.ends.push(failure);
    this.#wake();
  }
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
  said(from: string): string[] {
    return this.heard.filter((one) => one.from === from).map(({ text }) => text);
  }
  #wake(): void {
    for (const go of this.#waiting.splice(0)) go();
  }
}

let gatekeeper: FakeGatekeeper;
let follower: Follower;
let http: Server;
let wss: WebSocketServer;
let dispose = (): void => {};
const clients: Client[] = [];
const connections: Duplex[] = [];

beforeEach(() => {
  gatekeeper = new FakeGatekeeper();
  follower = new Follower();
  gatekeeper.decision = () => {
    const go = gatekeeper.go();
    const upgrade = (_headers: unknown, line: Line): Session => {
      follower.line = line;
      return follower;
    };
    return { ...go, tap: { ...go.tap, upgrade } };
  };
  dispose = install(gatekeeper, LIMITS).dispose;
});

afterEach(async () => {
  dispose();
  for (const client of clients.splice(0)) client.terminate();
  for (const socket of wss?.clients ?? []) socket.terminate();
  for (const connection of connections.splice(0)) connection.destroy();
  await new Promise((resolve) => http.close(resolve));
});

/** A server that does with each connection as told; resolves to its address. */
async function serve(connected: (socket: Socket) => void, options: ServerOptions = {}): Promise<string> {
  http = createServer((_, response) => response.end());
  wss = new WebSocketServer({ server: http, ...options });
  wss.on("connection", (socket) => {
    socket.on("error", () => {});
    connected(socket);
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  gatekeeper.ports.add(port);
  return `ws://127.0.0.1:${port}/v1/realtime?model=m`;
}

function connect(url: string, options: object = {}): Client {
  const client = new Client(url, options);
  client.on("error", () => {});
  clients.push(client);
  return client;
}

const json = (fields: object): string => JSON.stringify(fields);

describe("a handshake", () => {
  it("that is refused is one attempt, reaches nobody, and shows its status", async () => {
    let hits = 0;
    const url = await serve(() => (hits += 1));
    gatekeeper.decision = () => refuse();
    const client = new Client(url);
    clients.push(client);
    const [error] = await once(client, "error");
    expect(String(error)).toContain("402");
    expect([hits, gatekeeper.departures.length]).toEqual([0, 1]);
    expect(gatekeeper.departures[0]).toMatchObject({ method: "GET", path: "/v1/realtime?model=m", body: null });
  });

  it("that nobody follows is told as a response that has ended", async () => {
    const url = await serve((socket) => socket.send("hello"));
    gatekeeper.decision = () => gatekeeper.go();
    const client = connect(url);
    const [message] = await once(client, "message");
    expect(String(message)).toBe("hello");
    const [told] = await gatekeeper.ended();
    expect(told).toMatchObject({ status: 101, heads: 1, ends: 1, failures: [] });
  });
});

describe.each([
  ["plain", { perMessageDeflate: false }],
  ["compressed", { perMessageDeflate: { threshold: 0 } }],
  ["compressed where it is long", { perMessageDeflate: { threshold: 1_024, serverNoContextTakeover: true } }],
])("messages, %s", (_name, deflate) => {
  it("are read both ways, and come and go as they are", async () => {
    const got: string[] = [];
    const url = await serve(
      (socket) =>
        socket.on("message", (data, binary) => {
          got.push(String(data));
          socket.send(data, { binary });
        }),
      deflate,
    );
    const client = connect(url, deflate);
    const sent = Array.from({ length: 40 }, (_, at) => json({ at, pad: "x".repeat((at * 997) % 9_000) }));
    sent.push(json({ long: "äöü🙂".repeat(40_000) }));
    const back: string[] = [];
    client.on("open", () => {
      for (const text of sent) client.send(text);
    });
    const all = new Promise<void>((resolve) => {
      client.on("message", (data) => {
        back.push(String(data));
        if (back.length === sent.length) resolve();
      });
    });
    await follower.until(() => follower.heard.length === 2 * sent.length);
    await all;
    expect(got).toEqual(sent);
    expect(back).toEqual(sent);
    expect(follower.said("client")).toEqual(sent);
    expect(follower.said("server")).toEqual(sent);
  });

  it("in fragments with a ping between them are one message", async () => {
    const url = await serve((socket) => {
      socket.send('{"a":', { fin: false });
      socket.ping("are you there");
      socket.send('"b', { fin: false });
      socket.send('"}', { fin: true });
    }, deflate);
    const client = connect(url, deflate);
    const pinged = once(client, "ping");
    const [message] = await once(client, "message");
    expect(String((await pinged)[0])).toBe("are you there");
    expect(String(message)).toBe('{"a":"b"}');
    await follower.until(() => follower.heard.length === 1);
    expect(follower.heard).toEqual([{ from: "server", text: '{"a":"b"}' }]);
  });

  it("that are no JSON are passed over, in binary frames or text; JSON in binary frames is read", async () => {
    const url = await serve((socket) => {
      socket.send(Buffer.alloc(100_000, 7));
      socket.send("plain words");
      socket.send(Buffer.from('{"gemini":1}'));
    }, deflate);
    const client = connect(url, deflate);
    let seen = 0;
    const all = new Promise<void>((resolve) => {
      client.on("message", () => {
        seen += 1;
        if (seen === 3) resolve();
      });
    });
    await follower.until(() => follower.heard.length === 1);
    await all;
    expect(follower.heard).toEqual([{ from: "server", text: '{"gemini":1}' }]);
  });
});

const builtIn = "WebSocket" in globalThis ? [true] : [];

describe.each(builtIn)("the built-in client", () => {
  it("is followed like any other, and hears a close with its reason", async () => {
    const url = await serve((socket) => socket.on("message", (data) => socket.send(String(data))));
    const client = new globalThis.WebSocket(url);
    const closed = once(client, "close");
    client.addEventListener("open", () => client.send('{"a":1}'));
    const [message] = await once(client, "message");
    await follower.until(() => follower.heard.length === 2);
    const spoken = once(client, "message");
    follower.line?.close(1008, "no more", '{"last":"words"}');
    const [last] = await spoken;
    const [event] = await closed;
    expect([message.data, last.data]).toEqual(['{"a":1}', '{"last":"words"}']);
    expect([event.code, event.reason, event.wasClean]).toEqual([1008, "no more", true]);
    await follower.until(() => follower.ends.length === 1);
    expect(follower.ends).toEqual([null]);
  });
});

const ACCEPTED = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n";

/** A server that writes its bytes by hand; resolves to its address and to the connection of its first client. */
async function byHand(
  head = "",
  first: Uint8Array = Buffer.alloc(0),
): Promise<readonly [url: string, socket: Promise<Duplex>]> {
  http = createServer();
  const socket = new Promise<Duplex>((resolve) => {
    http.on("upgrade", (asked, connection) => {
      connection.on("error", () => {});
      connections.push(connection);
      const accept = acceptOf(asked.headers["sec-websocket-key"]);
      connection.cork();
      connection.write(`${ACCEPTED}sec-websocket-accept: ${accept}\r\n${head}\r\n`);
      connection.write(first);
      connection.uncork();
      resolve(connection);
    });
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  gatekeeper.ports.add(port);
  return [`ws://127.0.0.1:${port}/v1/realtime`, socket];
}

/** RFC 6455, section 1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const acceptOf = (key: unknown): string => createHash("sha1").update(`${key}${GUID}`).digest("base64");
const text = (words: string): Buffer => serverFrame(1, Buffer.from(words));

describe("a session that is closed from this side", () => {
  it("ends after the frame under way, with nothing of what the server says next", async () => {
    const frame = text('{"whole":1}');
    const [url, connection] = await byHand("", frame.subarray(0, 5));
    const client = connect(url);
    const seen: string[] = [];
    client.on("message", (data) => seen.push(String(data)));
    await once(client, "open");
    const server = await connection;
    await new Promise((resolve) => setImmediate(resolve));
    follower.line?.close(1008, "over", '{"last":1}');
    const closed = once(client, "close");
    server.write(Buffer.concat([frame.subarray(5), text('{"more":1}')]));
    server.write(text('{"and":"more"}'));
    const [code, reason] = await closed;
    expect([code, String(reason), seen]).toEqual([1008, "over", ['{"whole":1}', '{"last":1}']]);
    expect(follower.said("server")).toEqual(['{"whole":1}']);
  });

  it("has no last words inside a message of several frames, which nothing may stand in", async () => {
    const [url, connection] = await byHand("", Buffer.from([0x01, 0x02, 0x7b, 0x7d]));
    const client = connect(url);
    const seen: string[] = [];
    client.on("message", (data) => seen.push(String(data)));
    await once(client, "open");
    await connection;
    await new Promise((resolve) => setTimeout(resolve, 20));
    const closed = once(client, "close");
    follower.line?.close(1008, "over", '{"last":1}');
    const [code] = await closed;
    expect([code, seen]).toEqual([1008, []]);
  });

  it("is broken off where the server stops inside a frame", async () => {
    const [url] = await byHand("", text('{"whole":1}').subarray(0, 5));
    const client = connect(url);
    await once(client, "open");
    await new Promise((resolve) => setImmediate(resolve));
    follower.line?.close(1008, "over", null);
    const [code] = await once(client, "close");
    expect(code).toBe(1006);
  });

  it("sends nothing more that asks for work, whatever its client writes", async () => {
    const [url, connection] = await byHand();
    const asking = request(url.replace("ws:", "http:"), {
      headers: { connection: "Upgrade", upgrade: "websocket", "sec-websocket-key": "k", "sec-websocket-version": "13" },
    });
    asking.end();
    const [, socket] = await once(asking, "upgrade");
    const got: Buffer[] = [];
    (await connection).on("data", (bytes) => got.push(bytes));
    const frame = (opcode: number, words: string): Buffer =>
      Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | words.length, 0, 0, 0, 0]), Buffer.from(words)]);
    const before = frame(1, '{"a":1}');
    socket.write(before);
    follower.line?.close(1008, "over", null);
    const written = new Promise((resolve) => socket.write(frame(1, '{"b":2}'), resolve));
    await written;
    const pong = frame(10, "");
    socket.write(pong);
    socket.end();
    await once(await connection, "end");
    expect(Buffer.concat(got)).toEqual(Buffer.concat([before, pong]));
    socket.destroy();
  });

  it("has a reason of 123 bytes at most, cut between characters", async () => {
    const url = await serve(() => {});
    const client = connect(url);
    await once(client, "open");
    const closed = once(client, "close");
    follower.line?.close(1008, "ä".repeat(100), null);
    const [, reason] = await closed;
    expect(String(reason)).toBe(`${"ä".repeat(60)}…`);
  });
});

describe("what cannot be read", () => {
  it.each([
    ["an extension that nobody has", "sec-websocket-extensions: x-zip\r\n", text('{"a":1}')],
    ["a reserved bit", "", Buffer.from([0x91, 0x02, 0x7b, 0x7d])],
    ["a compressed frame that nobody agreed on", "", Buffer.from([0xc1, 0x02, 0x7b, 0x7d])],
    ["damaged compression", "sec-websocket-extensions: permessage-deflate\r\n", Buffer.from([0xc1, 0x03, 6, 6, 6])],
  ])("is told once, and passes all the same: %s", async (_name, head, first) => {
    const [url] = await byHand(head, first);
    const asking = request(url.replace("ws:", "http:"), {
      headers: { connection: "Upgrade", upgrade: "websocket", "sec-websocket-key": "k", "sec-websocket-version": "13" },
    });
    asking.end();
    const [, socket, came] = await once(asking, "upgrade");
    await follower.until(() => follower.unread > 0);
    const [rest] = came.length === 0 ? await once(socket, "data") : [came];
    expect(rest).toEqual(first);
    expect(follower.unread).toBe(1);
    socket.destroy();
    await follower.until(() => follower.ends.length === 1);
    expect(follower.ends[0]).toMatchObject({ kind: "abort" });
  });

  it("is not what comes with the answer's head, whether its client puts it back or not", async () => {
    const [url, connection] = await byHand("", Buffer.concat([text('{"a":1}'), text('{"b":2}').subarray(0, 4)]));
    const asking = request(url.replace("ws:", "http:"), {
      headers: { connection: "Upgrade", upgrade: "websocket", "sec-websocket-key": "k", "sec-websocket-version": "13" },
    });
    asking.end();
    const [, socket] = await once(asking, "upgrade");
    socket.resume();
    (await connection).write(text('{"b":2}').subarray(4));
    await follower.until(() => follower.heard.length === 2);
    expect(follower.said("server")).toEqual(['{"a":1}', '{"b":2}']);
    socket.destroy();
  });
});

describe("a session that its network ends", () => {
  it("is told as broken by the server, or left by its caller", async () => {
    const url = await serve((socket) => socket.on("message", () => socket.terminate()));
    const client = connect(url);
    await once(client, "open");
    client.send("{}");
    await follower.until(() => follower.ends.length === 1);
    const other = connect(url);
    await once(other, "open");
    other.terminate();
    await follower.until(() => follower.ends.length === 2);
    expect(follower.ends).toMatchObject([{ kind: "network" }, { kind: "abort" }]);
  });

  it("keeps the codes and reasons of either side's close", async () => {
    const url = await serve((socket) => socket.on("message", () => socket.close(4_321, "the server's own")));
    const client = connect(url);
    await once(client, "open");
    client.send("{}");
    const [code, reason] = await once(client, "close");
    expect([code, String(reason)]).toEqual([4_321, "the server's own"]);
    await follower.until(() => follower.ends.length === 1);
    expect(follower.ends).toEqual([null]);
  });
});

describe("the last messages of a session", () => {
  it("are told before its end, compressed as they are", async () => {
    const said = json({ type: "response.done", usage: { output_tokens: 50 } });
    const compressed = deflateRawSync(said, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
    const [url, connection] = await byHand("sec-websocket-extensions: permessage-deflate\r\n");
    const asking = request(url.replace("ws:", "http:"), {
      headers: { connection: "Upgrade", upgrade: "websocket", "sec-websocket-key": "k", "sec-websocket-version": "13" },
    });
    asking.end();
    const [, socket] = await once(asking, "upgrade");
    // It leaves at once with what it came for, before anything can have been inflated.
    socket.on("data", () => socket.destroy());
    (await connection).write(Buffer.concat([Buffer.from([0xc1, compressed.length]), compressed]));
    await follower.until(() => follower.ends.length === 1);
    expect(follower.said("server")).toEqual([said]);
    expect(follower.ends).toMatchObject([{ kind: "abort" }]);
  });
});

describe("a client that reads slowly", () => {
  it("holds its server back as ever, and gets every byte in the end", async () => {
    const sound = Array.from({ length: 800 }, (_, at) => json({ type: "audio.delta", at, delta: "A".repeat(65_000) }));
    let server: Socket | null = null;
    const url = await serve(
      (socket) => {
        server = socket;
        for (const message of sound) socket.send(message);
      },
      { perMessageDeflate: false },
    );
    const client = connect(url);
    const got = createHash("sha256");
    let count = 0;
    const resting = new Promise<void>((resolve) => {
      client.on("message", (data) => {
        got.update(String(data));
        count += 1;
        if (count === 10) {
          client.pause();
          resolve();
        }
      });
    });
    await resting;
    await new Promise((resolve) => setTimeout(resolve, 200));
    // 52 MB were sent; what the sockets of both sides hold is a few.
    const waiting = (): number => (server as Socket | null)?.bufferedAmount ?? 0;
    expect(waiting()).toBeGreaterThan(30_000_000);
    const heard = follower.heard.length;
    expect(heard).toBeLessThan(200);
    client.resume();
    await follower.until(() => follower.heard.length === sound.length);
    await new Promise((resolve) => setImmediate(resolve));
    expect(waiting()).toBe(0);
    expect(count).toBe(sound.length);
    expect(got.digest("hex")).toBe(createHash("sha256").update(sound.join("")).digest("hex"));
  });
});

describe("a WebSocket over HTTP/2", () => {
  it("is followed and closed as one over HTTP/1.1", async () => {
    const certificate = selfSigned();
    if (certificate === null) throw new Error("openssl is needed");
    const secure = createSecureServer({ ...certificate, settings: { enableConnectProtocol: true } });
    const methods: unknown[] = [];
    secure.on("stream", (stream, headers) => {
      methods.push(headers[":protocol"]);
      stream.on("error", () => {});
      // RFC 8441 does without, and undici does not.
      stream.respond({ ":status": 200, "sec-websocket-accept": acceptOf(headers["sec-websocket-key"]) });
      stream.write(text('{"a":1}'));
      stream.on("data", (bytes: Buffer) => {
        if ((bytes.readUInt8(0) & 0x0f) === 8) stream.end();
      });
    });
    http = createServer();
    secure.listen(0, "127.0.0.1");
    await once(secure, "listening");
    const { port } = secure.address() as AddressInfo;
    gatekeeper.ports.add(port);
    const dispatcher = new Undici7({ allowH2: true, connect: { rejectUnauthorized: false } });
    const client = new Undici7Socket(`wss://127.0.0.1:${port}/v1/realtime`, { dispatcher });
    const closed = once(client, "close");
    const [message] = await once(client, "message");
    const spoken = once(client, "message");
    follower.line?.close(1008, "no more", '{"last":1}');
    const [last] = await spoken;
    const [event] = await closed;
    expect([message.data, last.data, event.code, event.reason]).toEqual(['{"a":1}', '{"last":1}', 1008, "no more"]);
    expect(follower.said("server")).toEqual(['{"a":1}']);
    expect([methods, gatekeeper.departures.length]).toEqual([["websocket"], 1]);
    await dispatcher.destroy();
    await new Promise((resolve) => secure.close(resolve));
  });
});
