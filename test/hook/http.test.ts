import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import {
  Agent,
  type ClientRequest,
  createServer,
  globalAgent,
  type IncomingMessage,
  get as namedGet,
  request as namedRequest,
  type RequestOptions,
} from "node:http";
import { type AddressInfo, createServer as createNetServer, type Socket } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Passage } from "../../src/hook/exchange.ts";
import { exempt } from "../../src/hook/exempt.ts";
import { install } from "../../src/hook/install.ts";
import { LIMITS } from "../../src/hook/limits.ts";
import { type Loopback, loopback } from "../support/loopback.ts";
import { proxy } from "../support/proxy.ts";
import { FakeGatekeeper, refuse } from "./fake-gatekeeper.ts";

let server: Loopback;
let gatekeeper: FakeGatekeeper;
let dispose = (): void => {};
const agents: Agent[] = [];

beforeEach(async () => {
  server = await loopback();
  gatekeeper = new FakeGatekeeper();
  gatekeeper.ports.add(server.port);
  dispose = install(gatekeeper, LIMITS).dispose;
});

afterEach(async () => {
  dispose();
  for (const agent of [...agents.splice(0), globalAgent]) agent.destroy();
  await server[Symbol.asyncDispose]();
});

/** The guard again, with limits small enough to meet. */
function limited(limits: Partial<typeof LIMITS>): void {
  dispose();
  dispose = install(gatekeeper, { ...LIMITS, ...limits }).dispose;
}

function keepAlive(options: object = {}): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ...options });
  agents.push(agent);
  return agent;
}

function post(options: RequestOptions = {}, path = "/v1/chat"): ClientRequest {
  const request = namedRequest(`${server.url}${path}`, { method: "POST", ...options });
  request.on("error", () => {});
  return request;
}

async function answerTo(
  request: ClientRequest,
): Promise<{ status: number | undefined; text: string; res: IncomingMessage }> {
  const [res] = (await once(request, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of res) text += chunk;
  return { status: res.statusCode, text, res };
}

/** A decision that comes when the test says so. */
function held(): { readonly begun: Promise<void>; readonly decide: (passage: Passage) => void } {
  let begin: () => void = () => {};
  let decide: (passage: Passage) => void = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const decision = new Promise<Passage>((resolve) => {
    decide = resolve;
  });
  gatekeeper.decision = () => {
    begin();
    return decision;
  };
  return { begun, decide };
}

describe("the body of a request", () => {
  it("is seen whole when written in pieces of several encodings", async () => {
    const request = post();
    request.write("héllo ");
    request.write("d29ybGQg", "base64");
    request.write(Buffer.from("and "));
    request.end("ÿ", "latin1");
    await answerTo(request);
    const expected = Buffer.concat([Buffer.from("héllo world and "), Buffer.from([0xff])]);
    expect(gatekeeper.departures[0]?.body?.equals(expected)).toBe(true);
    expect(server.hits[0]?.body.equals(expected)).toBe(true);
  });

  it("may be written piece after piece, each when the one before has been taken", async () => {
    const request = post();
    await new Promise((taken) => request.write("one ", taken));
    await new Promise((taken) => request.write(Buffer.alloc(200_000, "x"), taken));
    request.end("two");
    await answerTo(request);
    expect(gatekeeper.departures[0]?.body).toHaveLength(200_007);
    expect(server.hits[0]?.body).toHaveLength(200_007);
  });

  it("may be written out of one buffer, filled again each time that it has been taken", async () => {
    const request = post();
    const buffer = Buffer.alloc(3);
    for (const text of ["one", "two", "six"]) {
      buffer.write(text);
      await new Promise((taken) => request.write(buffer, taken));
    }
    request.end();
    await answerTo(request);
    expect(String(gatekeeper.departures[0]?.body)).toBe("onetwosix");
    expect(String(server.hits[0]?.body)).toBe("onetwosix");
  });

  it("calls each write back once and the end when all is out", async () => {
    const request = post();
    const calls: string[] = [];
    request.write("one", () => calls.push("first"));
    request.write("two", "utf8", () => calls.push("second"));
    request.end(() => calls.push("end"));
    await answerTo(request);
    expect(calls).toEqual(["first", "second", "end"]);
  });

  it("may be written against backpressure, the 'drain' of each full output awaited", async () => {
    const request = post();
    for (let piece = 0; piece < 20; piece++) {
      if (!request.write(Buffer.alloc(50_000, "x"))) await once(request, "drain");
    }
    request.end();
    await answerTo(request);
    expect(gatekeeper.departures[0]?.body).toHaveLength(1_000_000);
    expect(server.hits[0]?.body).toHaveLength(1_000_000);
  });

  it("may be piped behind a first write that filled the output", async () => {
    const request = post();
    request.write(Buffer.alloc(100_000, "x"));
    await pipeline(Readable.from([Buffer.from("tail")]), request);
    await gatekeeper.ended();
    expect(gatekeeper.departures[0]?.body).toHaveLength(100_004);
  });

  it("may be piped long after a first write that filled the output", async () => {
    const request = post();
    request.write(Buffer.alloc(100_000, "x"));
    await new Promise((resolve) => setImmediate(resolve));
    await pipeline(Readable.from([Buffer.from("tail")]), request);
    await gatekeeper.ended();
    expect(gatekeeper.departures[0]?.body).toHaveLength(100_004);
  });

  it("past the size limit is decided on unseen, with backpressure from then on, and arrives whole", async () => {
    limited({ bodyBytes: 100_000 });
    const decision = held();
    const request = post();
    const answer = answerTo(request);
    for (let piece = 0; piece < 3; piece++) request.write(Buffer.alloc(50_000, "x"));
    await decision.begun;
    let drained = 0;
    request.on("drain", () => {
      drained += 1;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(drained).toBe(0);
    expect(request.write(Buffer.alloc(1000, "x"))).toBe(false);
    decision.decide(gatekeeper.go());
    await once(request, "drain");
    request.end("tail");
    await answer;
    expect(gatekeeper.departures).toMatchObject([{ body: null }]);
    expect(server.hits[0]?.body).toHaveLength(151_004);
  });

  it("that does not end is decided on unseen", async () => {
    limited({ bodyMs: 20 });
    const decision = held();
    const request = post();
    const answer = answerTo(request);
    request.write("first ");
    await decision.begun;
    expect(gatekeeper.departures[0]?.body).toBeNull();
    decision.decide(gatekeeper.go());
    request.end("second");
    await answer;
    expect(String(server.hits[0]?.body)).toBe("first second");
  });

  it("is awaited no longer by a caller who writes only when it has a socket", async () => {
    limited({ bodyMs: 20 });
    const request = post();
    request.on("socket", () => request.end("late"));
    expect(await answerTo(request)).toMatchObject({ status: 200 });
    expect(gatekeeper.departures).toMatchObject([{ body: null }]);
    expect(String(server.hits[0]?.body)).toBe("late");
  });

  it("of multipart is left alone", async () => {
    const request = post({ headers: { "content-type": "multipart/form-data; boundary=b" } });
    request.end("--b--");
    await answerTo(request);
    expect(gatekeeper.departures).toMatchObject([{ body: null }]);
    expect(String(server.hits[0]?.body)).toBe("--b--");
  });

  it("is not looked at where nobody wants it", async () => {
    gatekeeper.body = false;
    const request = post();
    request.end("hello");
    await answerTo(request);
    expect(gatekeeper.departures).toMatchObject([{ body: null }]);
  });

  it("of a wrong type is refused by node:http itself", () => {
    const request = post();
    expect(() => request.write(42 as never)).toThrow(TypeError);
    request.destroy();
  });

  it.each([
    ["before anything is sent", (request: ClientRequest) => request.end("hello")],
    [
      "behind flushed headers",
      (request: ClientRequest) => {
        request.flushHeaders();
        request.end("hello");
      },
    ],
    [
      "in pieces",
      (request: ClientRequest) => {
        request.write("hel");
        request.end("lo");
      },
    ],
    ["in buffers", (request: ClientRequest) => void request.end(Buffer.from("hello"))],
    [
      "corked",
      (request: ClientRequest) => {
        request.cork();
        request.write("hel");
        request.write("lo");
        request.end();
      },
    ],
  ])("is replaced, and its length told, when it was written %s", async (_name, write) => {
    gatekeeper.decision = () => gatekeeper.go({ body: Buffer.from("a longer body"), removeHeaders: ["x-budget-user"] });
    const request = post({ headers: { "X-Budget-User": "u1", "X-Kept": "yes" } });
    const finished = once(request, "finish");
    write(request);
    expect(await answerTo(request)).toMatchObject({ status: 200 });
    await finished;
    const [hit] = server.hits;
    expect(String(gatekeeper.departures[0]?.body)).toBe("hello");
    expect(String(hit?.body)).toBe("a longer body");
    const headers = hit?.rawHeaders.map((text) => text.toLowerCase()) ?? [];
    expect(headers[headers.indexOf("content-length") + 1]).toBe("13");
    expect(headers).not.toContain("transfer-encoding");
    expect(headers).not.toContain("x-budget-user");
    expect(headers).toContain("x-kept");
  });
});

describe("the headers of a request", () => {
  it.each([
    ["an object", { "X-One": "1", "X-Budget-Tenant": "acme", "X-Two": ["a", "b"] }],
    ["a flat list", ["Host", "HOST", "X-One", "1", "X-Budget-Tenant", "acme", "X-Two", "a", "X-Two", "b"]],
  ])("leave without what must not leave, and are else as given, as %s", async (_name, headers) => {
    const send = async (): Promise<readonly string[]> => {
      const list = Array.isArray(headers)
        ? headers.map((text) => (text === "HOST" ? server.url.slice(7) : text))
        : headers;
      const options = { method: "POST", headers: list as never, agent: false } as const;
      const request = namedRequest(server.url, options);
      request.end("x");
      await answerTo(request);
      return server.hits.at(-1)?.rawHeaders ?? [];
    };
    const before = await send();
    gatekeeper.decision = () => gatekeeper.go({ removeHeaders: ["x-budget-tenant"] });
    const after = await send();
    const at = before.indexOf("X-Budget-Tenant");
    expect(after).toEqual(before.toSpliced(at, 2));
    expect(gatekeeper.departures.at(-1)?.headers).toMatchObject({ "x-budget-tenant": "acme", "x-two": "a, b" });
  });

  it("set after the request was made are seen", async () => {
    const request = post();
    request.setHeader("X-Late", "yes");
    request.end("x");
    await answerTo(request);
    expect(gatekeeper.departures[0]?.headers).toMatchObject({ "x-late": "yes" });
  });

  it("with a host of their own hide no provider that is connected to", async () => {
    gatekeeper.ports.clear();
    gatekeeper.hosts = new Set(["127.0.0.1"]);
    gatekeeper.decision = refuse;
    const request = post({ headers: { host: "innocent.test" } });
    request.end("x");
    expect(await answerTo(request)).toMatchObject({ status: 402 });
  });

  it("with a host and port of their own hide no provider that is connected to", async () => {
    gatekeeper.concerns = (hostname, port) =>
      hostname === "127.0.0.1" && port === server.port ? { body: true } : null;
    gatekeeper.decision = refuse;
    const request = post({ headers: { host: `innocent.test:${server.port}` } });
    request.end("x");
    expect(await answerTo(request)).toMatchObject({ status: 402 });
  });

  it("with the host of a provider name it where an address is connected to", async () => {
    gatekeeper.ports.clear();
    gatekeeper.hosts = new Set(["provider.test"]);
    gatekeeper.decision = refuse;
    const request = post({ headers: { host: "provider.test" } });
    request.end("x");
    expect(await answerTo(request)).toMatchObject({ status: 402 });
  });
});

describe("a request for a proxy", () => {
  it("is seen with the host and path that it is for", async () => {
    await using relay = await proxy();
    const request = namedRequest(relay.url, { method: "POST", path: `${server.url}/v1/chat?a=b` });
    request.end("x");
    expect(await answerTo(request)).toMatchObject({ status: 200 });
    expect(gatekeeper.departures).toMatchObject([{ hostname: "127.0.0.1", port: server.port, path: "/v1/chat?a=b" }]);
    expect(relay.asked).toEqual([`POST ${server.url}/v1/chat?a=b`]);
  });

  it("is left alone when it is a CONNECT", async () => {
    await using relay = await proxy();
    gatekeeper.ports.add(Number(new URL(relay.url).port));
    const request = namedRequest(relay.url, { method: "CONNECT", path: `127.0.0.1:${server.port}` });
    request.end();
    const [, socket] = (await once(request, "connect")) as [IncomingMessage, Socket];
    socket.destroy();
    expect(gatekeeper.departures).toHaveLength(0);
  });
});

describe("a request to upgrade", () => {
  const headers = { connection: "Upgrade", upgrade: "websocket" };

  it("upgrades as ever", async () => {
    const upgrader = createServer();
    upgrader.on("upgrade", (_request, socket) => {
      socket.end("HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\nhello");
    });
    upgrader.listen(0, "127.0.0.1");
    await once(upgrader, "listening");
    const { port } = upgrader.address() as AddressInfo;
    gatekeeper.ports.add(port);
    const request = namedGet({ host: "127.0.0.1", port, headers });
    const [, socket] = (await once(request, "upgrade")) as [IncomingMessage, Socket];
    socket.destroy();
    upgrader.close();
    expect(gatekeeper.departures).toMatchObject([{ body: null }]);
    expect(await gatekeeper.ended()).toMatchObject([{ status: 101, ends: 1 }]);
  });

  it("is refused with an answer", async () => {
    gatekeeper.decision = refuse;
    const request = namedGet(server.url, { headers });
    expect(await answerTo(request)).toMatchObject({ status: 402 });
    expect(server.hits).toHaveLength(0);
  });
});

describe("the socket of a request", () => {
  it("goes back to its agent after a refusal, and serves the next request", async () => {
    const agent = keepAlive();
    const first = post({ agent });
    first.end("x");
    await answerTo(first);
    gatekeeper.decision = refuse;
    for (let refused = 0; refused < 3; refused++) {
      const request = post({ agent });
      request.end("x");
      expect(await answerTo(request)).toMatchObject({ status: 402 });
    }
    gatekeeper.decision = () => gatekeeper.go();
    const last = post({ agent });
    last.end("x");
    await answerTo(last);
    expect(server.hits.map(({ connection }) => connection)).toEqual([0, 0]);
    expect(server.connections()).toBe(1);
  });

  it("goes back to its agent when many wait for it and all are refused", async () => {
    gatekeeper.decision = refuse;
    const agent = keepAlive();
    const answers = Array.from({ length: 20 }, () => {
      const request = post({ agent });
      request.end("x");
      return answerTo(request);
    });
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(answers.map(() => 402));
    gatekeeper.decision = () => gatekeeper.go();
    const request = post({ agent });
    request.end("x");
    expect(await answerTo(request)).toMatchObject({ status: 200 });
    expect(server.connections()).toBeLessThanOrEqual(2);
  });

  it("goes back to its agent when the caller destroys the request while it is held", async () => {
    const agent = keepAlive();
    const first = post({ agent });
    first.end("x");
    await answerTo(first);
    const decision = held();
    const request = post({ agent });
    request.end("x");
    await decision.begun;
    const closed = new Promise((resolve) => request.on("close", resolve));
    request.destroy();
    await closed;
    expect(gatekeeper.signals.at(-1)?.aborted).toBe(true);
    decision.decide(gatekeeper.go());
    gatekeeper.decision = () => gatekeeper.go();
    const last = post({ agent });
    last.end("y");
    expect(await answerTo(last)).toMatchObject({ status: 200 });
    expect(server.hits.map(({ body }) => String(body))).toEqual(["x", "y"]);
  });

  it("that cannot connect while the request is held is the request's error, as ever", async () => {
    held();
    await server[Symbol.asyncDispose]();
    const request = namedRequest(server.url, { method: "POST" });
    request.end("x");
    const events: unknown[] = [];
    request.on("error", (error) => events.push(error));
    await new Promise((resolve) => request.on("close", resolve));
    expect(events).toMatchObject([{ code: "ECONNREFUSED", syscall: "connect" }]);
    expect(gatekeeper.signals[0]?.aborted).toBe(true);
  });

  it("that its agent fails to make while the request is held ends the decision, and the tap is told", async () => {
    const decision = held();
    const request = namedRequest(`${server.url}/v1/chat`, {
      method: "POST",
      createConnection(_options, made) {
        void decision.begun.then(() => made(new Error("the proxy is gone"), undefined as never));
        return undefined;
      },
    });
    request.end("x");
    const [error] = await once(request, "error");
    expect(error).toMatchObject({ message: "the proxy is gone" });
    expect(gatekeeper.signals[0]?.aborted).toBe(true);
    decision.decide(gatekeeper.go());
    const [told] = await gatekeeper.ended();
    expect(told).toMatchObject({ status: null, ends: 0, failures: [{ kind: "abort" }] });
  });

  it("that closes while the request is held is a hang-up, as ever", async () => {
    const sockets: Socket[] = [];
    const closing = createNetServer((socket) => sockets.push(socket));
    closing.listen(0, "127.0.0.1");
    await once(closing, "listening");
    const { port } = closing.address() as AddressInfo;
    gatekeeper.ports.add(port);
    const decision = held();
    const connected = once(closing, "connection");
    const request = namedRequest({ host: "127.0.0.1", port, method: "POST" });
    request.end("x");
    const failed = once(request, "error");
    await Promise.all([decision.begun, connected]);
    for (const socket of sockets) socket.destroy();
    const [error] = await failed;
    expect(error).toMatchObject({ code: "ECONNRESET", message: "socket hang up" });
    closing.close();
  });

  describe("that was used before and is closed by the server while the request is held", () => {
    /** A request that is held on a used connection, which its server then closes. */
    async function left(written: "whole" | "in part" = "whole") {
      const agent = keepAlive();
      let own: Socket | undefined;
      const first = post({ agent });
      first.on("socket", (socket: Socket) => {
        own = socket;
      });
      first.end("x");
      await answerTo(first);
      const decision = held();
      const request = post({ agent });
      if (written === "whole") {
        request.end("y");
        await decision.begun;
      } else {
        request.write("y");
        await new Promise((resolve) => setImmediate(resolve));
      }
      // What a server does to a connection that idles: it is read to its end, and closed.
      const closed = new Promise((resolve) => own?.once("close", resolve));
      own?.destroy();
      await closed;
      return { request, decision };
    }

    it("is made good by another one when the request may go", async () => {
      const { request, decision } = await left();
      decision.decide(gatekeeper.go());
      expect(await answerTo(request)).toMatchObject({ status: 200 });
      expect(server.hits.map(({ body, connection }) => [String(body), connection])).toEqual([
        ["x", 0],
        ["y", 1],
      ]);
      expect(await gatekeeper.ended()).toMatchObject([{ ends: 1 }, { status: 200, ends: 1, failures: [] }]);
    });

    it("is made good by another one also for a caller who has not written all", async () => {
      const { request, decision } = await left("in part");
      request.end("z");
      await decision.begun;
      decision.decide(gatekeeper.go());
      expect(await answerTo(request)).toMatchObject({ status: 200 });
      expect(server.hits.map(({ body, connection }) => [String(body), connection])).toEqual([
        ["x", 0],
        ["yz", 1],
      ]);
    });

    it("is not missed by a refusal", async () => {
      const { request, decision } = await left();
      decision.decide(refuse());
      expect(await answerTo(request)).toMatchObject({ status: 402 });
      expect(server.connections()).toBe(1);
    });

    it("lets its caller leave", async () => {
      const { request } = await left();
      const closed = new Promise((resolve) => request.on("close", resolve));
      request.destroy();
      await closed;
      expect(gatekeeper.signals.at(-1)?.aborted).toBe(true);
    });
  });

  it("times out while the request is held, by the option", async () => {
    held();
    const request = post({ timeout: 20, agent: keepAlive() });
    request.end("x");
    await once(request, "timeout");
    request.destroy();
  });

  it("times out while the request is held, by setTimeout", async () => {
    held();
    const request = post();
    const told = new Promise<void>((resolve) => request.setTimeout(20, resolve));
    request.end("x");
    await told;
    request.destroy();
  });

  it("is asked for again and again without adding up listeners", async () => {
    const agent = keepAlive();
    const counts: number[] = [];
    for (let turn = 0; turn < 5; turn++) {
      const request = post({ agent });
      request.on("socket", (socket) => counts.push(socket.listenerCount("error") + socket.listenerCount("close")));
      request.end("x");
      await answerTo(request);
    }
    expect(new Set(counts.slice(1)).size).toBe(1);
  });
});

describe("a request that is destroyed", () => {
  it("while held without a socket ends at once", async () => {
    const agent = keepAlive();
    const decision = held();
    const first = post({ agent });
    first.end("x");
    await decision.begun;
    const waiting = post({ agent });
    waiting.end("y");
    waiting.destroy(new Error("enough"));
    first.destroy();
    const [error] = await once(waiting, "error");
    expect(error).toMatchObject({ message: "enough" });
    expect(server.hits).toHaveLength(0);
  });

  it("while held reports the error it was given", async () => {
    const decision = held();
    const request = post();
    request.end("x");
    await decision.begun;
    const failed = once(request, "error");
    request.destroy(new RangeError("enough"));
    expect((await failed)[0]).toBeInstanceOf(RangeError);
  });

  it("with the old abort() while held says so as ever", async () => {
    const decision = held();
    const request = post();
    request.end("x");
    await decision.begun;
    const aborted = once(request, "abort");
    request.abort();
    await aborted;
    expect(gatekeeper.signals[0]?.aborted).toBe(true);
  });

  it("inside the answer has its tap told of an abort", async () => {
    await using slow = await loopback((response) => response.write("half"));
    gatekeeper.ports.add(slow.port);
    const request = namedRequest(slow.url, { method: "POST" });
    request.on("error", () => {});
    request.end("x");
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.on("error", () => {});
    await once(response, "data");
    response.destroy();
    expect(await gatekeeper.ended()).toMatchObject([{ status: 200, failures: [{ kind: "abort" }] }]);
    expect(String(gatekeeper.told[0]?.bytes)).toBe("half");
  });

  it("by its time-out has its tap told of a time-out", async () => {
    await using silent = await loopback(() => {});
    gatekeeper.ports.add(silent.port);
    const request = namedRequest(silent.url, { method: "POST", timeout: 20 });
    request.on("timeout", () => request.destroy());
    request.on("error", () => {});
    request.end("x");
    expect(await gatekeeper.ended()).toMatchObject([{ failures: [{ kind: "timeout" }] }]);
  });
});

describe("a response", () => {
  it("that nobody listens for is thrown away, and its tap told of the end", async () => {
    const request = post();
    request.end("x");
    expect(await gatekeeper.ended()).toMatchObject([{ status: 200, ends: 1 }]);
  });

  it("has its tap told the headers that came, also where the caller takes some away as axios does", async () => {
    const request = post();
    request.on("response", (response: IncomingMessage) => {
      response.headers["x-server"] = undefined;
      delete response.headers["content-type"];
    });
    expect((await answerTo(request.end("{}"))).res.headers["content-type"]).toBeUndefined();
    const [told] = await gatekeeper.ended();
    expect(told?.headers).toMatchObject({ "content-type": "application/json", "x-server": "loopback" });
  });

  it("that has come whole but is not read has its tap told of the end", async () => {
    const request = post();
    request.on("response", () => {});
    request.end("x");
    expect(await gatekeeper.ended()).toMatchObject([{ status: 200, ends: 1 }]);
    request.destroy();
  });

  it("that is never read has its tap told when the connection closes", async () => {
    await using large = await loopback((response) => response.end(Buffer.alloc(3_000_000)));
    gatekeeper.ports.add(large.port);
    const agent = keepAlive();
    const request = namedRequest(large.url, { method: "POST", agent });
    request.on("error", () => {});
    request.end("x");
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.on("error", () => {});
    expect(gatekeeper.told[0]?.ends).toBe(0);
    agent.destroy();
    const [told] = await gatekeeper.ended();
    expect(told).toMatchObject({ ends: 0, failures: [{ code: "ECONNRESET" }] });
  });

  it("comes in the caller's async context and not in the guard's", async () => {
    const context = new AsyncLocalStorage<string>();
    let asked: string | undefined;
    gatekeeper.decision = () => {
      asked = context.getStore();
      return context.run("the guard's", async () => gatekeeper.go({ run: (fn) => context.run("the guard's", fn) }));
    };
    const seen = await context.run("the caller's", async () => {
      const request = post();
      const heard: (string | undefined)[] = [];
      request.on("socket", () => heard.push(context.getStore()));
      const answered = new Promise<void>((resolve) => {
        request.on("response", (response) => {
          heard.push(context.getStore());
          response.resume().on("end", () => {
            heard.push(context.getStore());
            resolve();
          });
        });
      });
      request.end("x");
      await answered;
      return heard;
    });
    expect([asked, ...seen]).toEqual(["the caller's", "the caller's", "the caller's", "the caller's"]);
  });

  it.each([
    ["allowed", () => gatekeeper.go()],
    ["refused", refuse],
  ])(
    "to an %s request comes in the context that the request was made in, not where it was ended",
    async (_name, decide) => {
      const context = new AsyncLocalStorage<string>();
      gatekeeper.decision = decide;
      const request = context.run("made", () => post());
      const heard = new Promise<string | undefined>((resolve) => {
        request.on("response", () => resolve(context.getStore()));
      });
      context.run("ended", () => request.end("x"));
      expect(await heard).toBe("made");
    },
  );

  it("to a refusal is a genuine one, in the caller's async context", async () => {
    const context = new AsyncLocalStorage<string>();
    gatekeeper.decision = refuse;
    const { status, res, seen } = await context.run("the caller's", async () => {
      const request = post();
      let seen: string | undefined;
      request.on("response", () => {
        seen = context.getStore();
      });
      request.end("x");
      return { ...(await answerTo(request)), seen };
    });
    expect([status, seen, res.complete, res.httpVersion]).toEqual([402, "the caller's", true, "1.1"]);
  });
});

describe("a fault of the hook's own", () => {
  it("in the gatekeeper's answer lets the request go", async () => {
    gatekeeper.decision = () => ({ kind: "refuse", answer: null as never });
    const request = post();
    request.end("x");
    expect(await answerTo(request)).toMatchObject({ status: 200 });
  });
});

describe("the guard's own requests", () => {
  it("pass unseen, also those made later in the same context", async () => {
    gatekeeper.decision = refuse;
    const statuses = await exempt(async () => {
      const request = post();
      request.end("x");
      const first = await answerTo(request);
      const second = await fetch(server.url, { method: "POST", body: "x" });
      return [first.status, second.status];
    });
    expect(statuses).toEqual([200, 200]);
    expect(gatekeeper.departures).toHaveLength(0);
  });
});
