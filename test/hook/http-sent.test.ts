import { once } from "node:events";
import { Agent, type ClientRequest, type RequestOptions, request } from "node:http";
import https from "node:https";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Failure } from "../../src/hook/exchange.ts";
import { install } from "../../src/hook/install.ts";
import { selfSigned } from "../support/certificate.ts";
import { type Loopback, loopback } from "../support/loopback.ts";
import { FakeGatekeeper } from "./fake-gatekeeper.ts";

let server: Loopback;
let gatekeeper: FakeGatekeeper;

/** A server that answers nobody. */
beforeEach(async () => {
  server = await loopback(() => {});
  gatekeeper = new FakeGatekeeper();
  gatekeeper.ports.add(server.port);
  onTestFinished(install(gatekeeper).dispose);
});
afterEach(() => server[Symbol.asyncDispose]());

/** Asks, gives up when `ready` resolves, and tells what the tap of the last request heard. */
async function givenUp(
  ask: ClientRequest,
  ready: Promise<unknown> = once(ask, "socket"),
): Promise<Failure | undefined> {
  const before = gatekeeper.told.length;
  const over = gatekeeper.told.filter(({ ends }) => ends > 0).length;
  ask.on("error", () => {}).end("x");
  await ready;
  await new Promise((resolve) => setImmediate(resolve));
  ask.destroy();
  await gatekeeper.ended(over + 1);
  return gatekeeper.told[before]?.failures[0];
}

const post = (options: RequestOptions = {}): ClientRequest =>
  request(`${server.url}/v1/chat`, { method: "POST", agent: false, ...options });

/** A server that takes connections and bytes and says nothing. */
async function mute(): Promise<number> {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket.on("error", () => {}).resume()));
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const { port } = silent.address() as AddressInfo;
  gatekeeper.ports.add(port);
  return port;
}

describe("a request of node:http that its caller gives up after it was let go", () => {
  it("is told as unsent while its host is looked up", async () => {
    const ask = post({ host: "localhost", port: server.port, lookup: () => {} });
    expect(await givenUp(ask)).toEqual({ kind: "abort", code: "ECONNRESET", unsent: true });
  });

  it("is told as unsent while it waits for a connection of its agent", async () => {
    const agent = new Agent({ maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    post({ agent })
      .on("error", () => {})
      .end("x");
    await server.arrived(1);
    let decided = (): void => {};
    const ready = new Promise<void>((resolve) => {
      decided = resolve;
    });
    gatekeeper.decision = () => {
      decided();
      return gatekeeper.go();
    };
    expect(await givenUp(post({ agent }), ready)).toMatchObject({ kind: "abort", unsent: true });
  });

  it("is told as unsent while TLS shakes hands", async () => {
    const ask = https.request({
      port: await mute(),
      host: "127.0.0.1",
      method: "POST",
      path: "/v1/chat",
      agent: false,
    });
    const connected = once(ask, "socket").then(([socket]) => once(socket, "connect"));
    expect(await givenUp(ask, connected)).toMatchObject({ kind: "abort", unsent: true });
  });

  it("is told as sent once a byte of it has left", async () => {
    const failure = await givenUp(post(), server.arrived(1));
    expect(failure).toEqual({ kind: "abort", code: "ECONNRESET" });
  });

  it.each([
    ["sent on a connection that was used before", false],
    ["unsent where it wrote nothing on one that was used before", true],
  ])("is told as %s", async (_, unsent) => {
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    let asked = 0;
    await using answering = await loopback((response) => {
      asked += 1;
      if (asked === 1) response.end();
    });
    gatekeeper.ports.add(answering.port);
    const [first] = await once(request(answering.url, { method: "POST", agent }).end("x"), "response");
    first.resume();
    await once(first, "end");
    const ask = request(`${answering.url}/v1/chat`, { method: "POST", agent });
    if (unsent) ask.on("socket", () => ask.destroy());
    const failure = await givenUp(ask, unsent ? once(ask, "socket") : answering.arrived(2));
    expect(ask.reusedSocket).toBe(true);
    expect(failure).toEqual({ kind: "abort", code: "ECONNRESET", ...(unsent && { unsent }) });
  });

  it("is told as sent over TLS once a byte of it has left", async () => {
    const certificate = selfSigned();
    if (certificate === null) return;
    const secure = https.createServer(certificate);
    secure.listen(0, "127.0.0.1");
    await once(secure, "listening");
    const { port } = secure.address() as AddressInfo;
    gatekeeper.ports.add(port);
    const options = { port, host: "127.0.0.1", method: "POST", agent: false, rejectUnauthorized: false };
    const failure = await givenUp(https.request(options), once(secure, "request"));
    secure.close();
    secure.closeAllConnections();
    expect(failure).toEqual({ kind: "abort", code: "ECONNRESET" });
  });
});

describe("a request of node:http that fails", () => {
  it("is told as unsent where nobody listens", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as AddressInfo;
    closed.close();
    gatekeeper.ports.add(port);
    const ask = request({ port, host: "127.0.0.1", method: "POST", agent: false }).end("x");
    await once(ask, "error");
    // A connection that fails while its request is held is no call at all.
    for (const { failures } of gatekeeper.told) {
      expect(failures).toEqual([{ kind: "network", code: "ECONNREFUSED", unsent: true }]);
    }
    expect(gatekeeper.told.length).toBeLessThanOrEqual(1);
  });

  it("is told as sent where the server hangs up on it", async () => {
    await using rude = await loopback((response) => response.destroy());
    gatekeeper.ports.add(rude.port);
    const ask = request(rude.url, { method: "POST", agent: false }).end("x");
    await once(ask, "error");
    expect((await gatekeeper.ended())[0]?.failures).toEqual([{ kind: "network", code: "ECONNRESET" }]);
  });
});
