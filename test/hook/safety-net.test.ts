import { channel } from "node:diagnostics_channel";
import { EventEmitter, once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import tls from "node:tls";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { exempt } from "../../src/hook/exempt.ts";
import { install } from "../../src/hook/install.ts";
import { selfSigned } from "../support/certificate.ts";
import { type Loopback, loopback } from "../support/loopback.ts";
import { undicis } from "./clients.ts";
import { FakeGatekeeper } from "./fake-gatekeeper.ts";
import { streamServer } from "./streams.ts";

type Init = (options?: object) => void;

const emitter = EventEmitter as unknown as { init: Init };
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const versions = [...undicis.keys()];
const PATH = "/v1/chat/completions";

let server: Loopback;
let gatekeeper: FakeGatekeeper;

beforeEach(async () => {
  server = await loopback();
  gatekeeper = new FakeGatekeeper();
  gatekeeper.ports.add(server.port);
});
afterEach(() => server[Symbol.asyncDispose]());

const sockets = net.Socket.prototype;

/** Stands guard; with `blind`, as if somebody had taken away the hooks' seam, and what notices that it is gone. */
function guard(wishes: { readonly blind?: boolean } = {}): void {
  const { init } = emitter;
  const { connect } = sockets;
  const { dispose } = install(gatekeeper);
  if (wishes.blind === true) {
    emitter.init = init;
    sockets.connect = connect;
  }
  onTestFinished(() => {
    dispose();
    emitter.init = init;
  });
}

/** The method of a copy of undici as it was before anyone patched it, put in its place for as long as the test runs. */
function unhook(version: number): void {
  const { Agent } = copy(version);
  let owner: object = Agent.prototype;
  while (!Object.hasOwn(owner, "dispatch") || !Object.hasOwn(owner, "closed")) owner = Object.getPrototypeOf(owner);
  const before = Object.getOwnPropertyDescriptor(owner, "dispatch");
  guard();
  new Agent();
  if (before === undefined) throw new Error("no dispatch");
  Object.defineProperty(owner, "dispatch", before);
}

function copy(version: number) {
  const found = undicis.get(version);
  if (found === undefined) throw new Error(`no undici ${version}`);
  return found;
}

const post = { path: PATH, method: "POST", body: "hello" } as const;
const refusal = new Error("refused by the safety net");

/** Writes to a raw connection and waits until the server has closed it. */
async function speak(socket: net.Socket): Promise<string> {
  let text = "";
  socket.setEncoding("utf8").on("data", (part) => {
    text += part;
  });
  socket.end(`POST ${PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello`);
  await once(socket, "close");
  return text;
}

describe.each(versions)("a request of undici %i past the hook", (version) => {
  it("is told of once and let go", async () => {
    unhook(version);
    const agent = new (copy(version).Agent)();
    const { statusCode } = await agent.request({ origin: server.url, ...post });
    await agent.destroy();
    expect(statusCode).toBe(200);
    expect(gatekeeper.departures).toEqual([]);
    expect(gatekeeper.sightings).toEqual([
      { transport: "undici", hostname: "127.0.0.1", port: server.port, method: "POST", path: PATH, sent: false },
    ]);
  });

  it("is broken off before a byte or a connection, where that is wanted", async () => {
    unhook(version);
    gatekeeper.unseenError = refusal;
    const agent = new (copy(version).Agent)();
    await expect(agent.request({ origin: server.url, ...post })).rejects.toBe(refusal);
    await expect(
      copy(version).fetch(server.url + PATH, { method: "POST", body: "x", dispatcher: agent }),
    ).rejects.toMatchObject({ cause: refusal });
    await agent.destroy();
    expect([server.hits.length, server.connections()]).toEqual([0, 0]);
  });

  it("that is the guard's own is nobody's business either", async () => {
    unhook(version);
    gatekeeper.unseenError = refusal;
    const agent = new (copy(version).Agent)();
    const { statusCode } = await exempt(() => agent.request({ origin: server.url, ...post }));
    await agent.destroy();
    expect([statusCode, gatekeeper.sightings]).toEqual([200, []]);
  });

  it("to any other host is nobody's business", async () => {
    unhook(version);
    gatekeeper.ports.clear();
    const agent = new (copy(version).Agent)();
    await agent.request({ origin: server.url, ...post });
    await agent.destroy();
    expect(gatekeeper.sightings).toEqual([]);
  });

  it("goes on when the guard fails", async () => {
    unhook(version);
    gatekeeper.unseen = () => {
      throw new Error("a defect");
    };
    const agent = new (copy(version).Agent)();
    expect((await agent.request({ origin: server.url, ...post })).statusCode).toBe(200);
    await agent.destroy();
  });
});

describe.each(versions)("a request of undici %i that the hook saw is not told of again", (version) => {
  const { Agent, Client, Pool, RetryAgent, fetch: own } = copy(version);

  it("from a queue of a pool", async () => {
    guard();
    const pool = new Pool(server.url, { connections: 1, pipelining: 1 });
    await Promise.all(
      Array.from({ length: 6 }, async () => {
        for await (const _ of (await pool.request(post)).body);
      }),
    );
    await pool.close();
    expect(gatekeeper.departures).toHaveLength(6);
    expect(gatekeeper.sightings).toEqual([]);
  });

  it("by a client of its own", async () => {
    guard();
    const client = new Client(server.url);
    expect((await client.request(post)).statusCode).toBe(200);
    await client.destroy();
    expect(gatekeeper.departures).toHaveLength(1);
    expect(gatekeeper.sightings).toEqual([]);
  });

  it("by its fetch, and where its caller aborted it before it began", async () => {
    guard();
    const agent = new Agent();
    await (await own(server.url + PATH, { method: "POST", body: "x", dispatcher: agent })).text();
    const signal = AbortSignal.abort();
    await expect(agent.request({ origin: server.url, ...post, signal })).rejects.toThrow();
    await agent.destroy();
    expect(gatekeeper.departures).toHaveLength(1);
    expect(gatekeeper.sightings).toEqual([]);
  });

  it.skipIf(RetryAgent === undefined)("when a RetryAgent makes it again", async () => {
    let asked = 0;
    await using flaky = await loopback((response) => {
      asked += 1;
      response.writeHead(asked < 3 ? 503 : 200).end();
    });
    gatekeeper.ports.add(flaky.port);
    guard();
    const agent = new Agent();
    const retrying = new (RetryAgent ?? Agent)(agent as never);
    const options = { origin: flaky.url, path: PATH, method: "GET" };
    expect((await retrying.request(options)).statusCode).toBe(200);
    await agent.destroy();
    expect(gatekeeper.departures).toHaveLength(3);
    expect(gatekeeper.sightings).toEqual([]);
  });
});

describe("a request of node:http past the hook", () => {
  const ask = (): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const request = http.request(server.url + PATH, { method: "POST", agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on("error", reject);
      request.end("hello");
    });

  /** `http.client.request.created` is published by Node 22.12 and 23.2 on. */
  const created = major > 22 || (major === 22 && minor >= 12);

  it.runIf(created)("is met by the net before it begins, and judged", async () => {
    guard({ blind: true });
    expect(await ask()).toBe(200);
    expect(gatekeeper.departures).toHaveLength(1);
    expect(gatekeeper.sightings).toEqual([]);
  });

  it.skipIf(created)("is told of once, its bytes gone", async () => {
    guard({ blind: true });
    expect(await ask()).toBe(200);
    expect(gatekeeper.departures).toEqual([]);
    expect(gatekeeper.sightings).toEqual([
      { transport: "http", hostname: "127.0.0.1", port: server.port, method: "POST", path: PATH, sent: true },
    ]);
  });

  it("whose hook somebody took away is broken off where that is wanted", async () => {
    const { onSocket } = http.ClientRequest.prototype;
    guard();
    expect(await ask()).toBe(200);
    const patched = http.ClientRequest.prototype.onSocket;
    const others = ["write", "end"] as const;
    const hooked = others.map((name) => http.ClientRequest.prototype[name]);
    const bare = http.OutgoingMessage.prototype;
    http.ClientRequest.prototype.onSocket = onSocket;
    for (const name of others) http.ClientRequest.prototype[name] = bare[name] as never;
    try {
      gatekeeper.unseenError = refusal;
      await expect(ask()).rejects.toBe(refusal);
    } finally {
      http.ClientRequest.prototype.onSocket = patched;
      for (const [at, name] of others.entries()) http.ClientRequest.prototype[name] = hooked[at] as never;
    }
    expect(gatekeeper.departures).toHaveLength(1);
    expect(gatekeeper.sightings).toHaveLength(1);
  });

  it("and one that the hook saw, refused or not, with an upgrade or without, is not told of again", async () => {
    guard();
    await ask();
    gatekeeper.decision = () => ({ kind: "throw", error: refusal });
    await expect(ask()).rejects.toBe(refusal);
    const upgrade = http.request(server.url + PATH, { headers: { connection: "Upgrade", upgrade: "websocket" } }).end();
    const [error] = await once(upgrade, "error");
    expect(error).toBe(refusal);
    expect(gatekeeper.departures).toHaveLength(3);
    expect(gatekeeper.sightings).toEqual([]);
  });
});

describe("a request of node:http2", () => {
  const ask = async (session: http2.ClientHttp2Session): Promise<unknown> => {
    const stream = session.request({ ":method": "POST", ":path": PATH });
    stream.end("hello");
    const [headers] = await once(stream, "response");
    stream.resume();
    await once(stream, "close");
    return headers[":status"];
  };

  it("that the hook saw is not told of again", async () => {
    await using h2 = await streamServer();
    gatekeeper.ports.add(h2.port);
    guard();
    const session = http2.connect(h2.url);
    expect(await ask(session)).toBe(200);
    session.close();
    expect(gatekeeper.departures).toHaveLength(1);
    expect(gatekeeper.sightings).toEqual([]);
  });

  /** `http2.client.stream.created` is published by Node 24.2 on. */
  it.runIf(major >= 24)("past the hook is told of, and the next one is judged", async () => {
    await using h2 = await streamServer();
    gatekeeper.ports.add(h2.port);
    guard({ blind: true });
    const session = http2.connect(h2.url);
    expect(await ask(session)).toBe(200);
    expect(gatekeeper.sightings).toMatchObject([{ transport: "http2", port: h2.port, path: PATH, sent: true }]);
    expect(await ask(session)).toBe(200);
    session.close();
    expect(gatekeeper.departures).toHaveLength(1);
    expect(gatekeeper.sightings).toHaveLength(1);
  });

  it.runIf(major >= 24)("past the hook is broken off where that is wanted", async () => {
    await using h2 = await streamServer();
    gatekeeper.ports.add(h2.port);
    guard({ blind: true });
    gatekeeper.unseenError = refusal;
    const session = http2.connect(h2.url);
    await expect(ask(session)).rejects.toBe(refusal);
    session.destroy();
  });

  it("that this Node gives no means to hold is refused or let go as the guard says", async () => {
    await using h2 = await streamServer();
    gatekeeper.ports.add(h2.port);
    guard();
    const session = http2.connect(h2.url);
    await once(session, "connect");
    hideSymbol(session, "kPendingRequestCalls");
    expect(await ask(session)).toBe(200);
    expect(gatekeeper.departures).toEqual([]);
    expect(gatekeeper.sightings).toMatchObject([{ transport: "http2", sent: false }]);
    gatekeeper.unseenError = refusal;
    expect(() => session.request({ ":path": PATH })).toThrow(refusal);
    session.close();
    expect(h2.hits).toHaveLength(1);
  });
});

/** As in a Node that keeps this under another name. */
function hideSymbol(owner: object, description: string): void {
  for (const symbol of Object.getOwnPropertySymbols(owner)) {
    if (symbol.description === description) Reflect.deleteProperty(owner, symbol);
  }
}

describe("what is written to a bare socket", () => {
  const ways: readonly (readonly [string, () => net.Socket])[] = [
    ["connected by node:net", () => net.connect(server.port, "127.0.0.1")],
    ["connected with options", () => net.createConnection({ port: server.port, host: "127.0.0.1" })],
    ["made first and connected later", () => new net.Socket().connect(server.port, "127.0.0.1")],
  ];

  it.each(ways)("%s is told of once and let go", async (_, connect) => {
    guard();
    expect(await speak(connect())).toContain("200 OK");
    expect(server.hits).toHaveLength(1);
    expect(gatekeeper.sightings).toEqual([
      { transport: "socket", hostname: "127.0.0.1", port: server.port, method: null, path: null, sent: false },
    ]);
  });

  it.each(ways)("%s is refused before a byte, where that is wanted", async (_, connect) => {
    guard();
    gatekeeper.unseenError = refusal;
    const socket = connect();
    const failed = once(socket, "error");
    socket.write("POST / HTTP/1.1\r\n\r\n");
    expect((await failed)[0]).toBe(refusal);
    await new Promise((resolve) => (socket.closed ? resolve(null) : socket.once("close", resolve)));
    expect([socket.bytesWritten, server.hits.length]).toEqual([0, 0]);
  });

  it("through TLS over somebody else's connection is told of by the name it asked for", async () => {
    const certificate = selfSigned();
    if (certificate === null) return;
    const secure = tls.createServer(certificate, (socket) => socket.on("error", () => {}).end("bye"));
    secure.listen(0, "127.0.0.1");
    await once(secure, "listening");
    gatekeeper.hosts = new Set(["localhost"]);
    guard();
    const below = net.connect((secure.address() as net.AddressInfo).port, "127.0.0.1");
    const socket = tls.connect({ socket: below, servername: "localhost", rejectUnauthorized: false });
    socket.resume().end("hello");
    await once(socket, "close");
    secure.close();
    expect(gatekeeper.sightings).toMatchObject([{ transport: "socket", hostname: "localhost", port: 443 }]);
  });

  it("through TLS over a connection to the provider is told of, though it asks for no name", async () => {
    const certificate = selfSigned();
    if (certificate === null) return;
    const secure = tls.createServer(certificate, (socket) => socket.on("error", () => {}).end("bye"));
    secure.listen(0, "127.0.0.1");
    await once(secure, "listening");
    const { port } = secure.address() as net.AddressInfo;
    gatekeeper.ports.add(port);
    guard();
    gatekeeper.unseenError = refusal;
    const below = net.connect(port, "127.0.0.1");
    const socket = tls.connect({ socket: below, rejectUnauthorized: false });
    const failed = once(socket, "error");
    socket.write("hello");
    expect((await failed)[0]).toBe(refusal);
    secure.close();
    expect(gatekeeper.sightings).toMatchObject([{ transport: "socket", hostname: "127.0.0.1", port, sent: false }]);
  });

  it("of any other host is not looked at: the socket stays as it was", async () => {
    guard();
    gatekeeper.ports.clear();
    new net.Socket();
    const socket = net.connect(server.port, "127.0.0.1");
    expect(Object.hasOwn(socket, "_writeGeneric")).toBe(false);
    await speak(socket);
    expect(gatekeeper.sightings).toEqual([]);
  });

  it("is looked at the first time only", async () => {
    guard();
    const socket = net.connect(server.port, "127.0.0.1");
    expect(Object.hasOwn(socket, "_writeGeneric")).toBe(true);
    socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    expect(Object.hasOwn(socket, "_writeGeneric")).toBe(false);
    socket.destroy();
  });
});

describe("the net", () => {
  it("is drawn in when the guard goes", () => {
    const channels = ["undici:request:create", "http.client.request.start", "http2.client.stream.created"];
    const { dispose } = install(gatekeeper);
    expect(channels.map((name) => channel(name).hasSubscribers)).toEqual([true, true, true]);
    dispose();
    expect(channels.map((name) => channel(name).hasSubscribers)).toEqual([false, false, false]);
  });
});
