import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket as Client, type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import type { Failure, Line, Session } from "../../src/hook/exchange.ts";
import { install } from "../../src/hook/install.ts";
import { LIMITS } from "../../src/hook/limits.ts";
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
  await new Promise((resolve) => http.close(resolve));
});

/** A server that does with each connection as told; resolves to its address. */
async function serve(connected: (socket: WebSocket) => void, options: ServerOptions = {}): Promise<string> {
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
    client.on("message", (data) => back.push(String(data)));
    await follower.until(() => follower.heard.length === 2 * sent.length);
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
