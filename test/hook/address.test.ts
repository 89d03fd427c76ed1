import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import undici from "undici6";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { install } from "../../src/hook/install.ts";
import { FakeGatekeeper } from "./fake-gatekeeper.ts";
import { connected, follow, streamServer } from "./streams.ts";

const OLD = "/v1beta/models/dear:generateContent";
const NEW = "/v1beta/models/cheap:generateContent";

const hits: { readonly url: string; readonly body: string }[] = [];
const server = createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  hits.push({ url: request.url ?? "", body });
  response.end("answered");
});
let port = 0;
let dispose = (): void => {};

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
});
afterEach(() => {
  dispose();
  hits.splice(0);
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

/** Sends every request to another address, with the same query. */
function guard(at: number, body: Buffer | null = null): FakeGatekeeper {
  const gatekeeper = new FakeGatekeeper();
  gatekeeper.ports.add(at);
  gatekeeper.decision = ({ path }) => gatekeeper.go({ path: path.replace("dear", "cheap"), body });
  ({ dispose } = install(gatekeeper));
  return gatekeeper;
}

function viaHttp(path: string, headers: Readonly<Record<string, string>> = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, host: "127.0.0.1", path, method: "POST", headers }, (response) => {
      response.resume().on("end", resolve);
    });
    request.on("error", reject);
    request.end('{"a":1}');
  });
}

describe("a request that is given another address", () => {
  it("goes there by fetch, its body untouched", async () => {
    const gatekeeper = guard(port);
    const reply = await fetch(`http://127.0.0.1:${port}${OLD}?alt=sse`, { method: "POST", body: '{"a":1}' });
    expect(await reply.text()).toBe("answered");
    expect(hits).toEqual([{ url: `${NEW}?alt=sse`, body: '{"a":1}' }]);
    expect(gatekeeper.departures[0]?.path).toBe(`${OLD}?alt=sse`);
  });

  it("goes there with another body", async () => {
    guard(port, Buffer.from('{"b":22}'));
    await (await fetch(`http://127.0.0.1:${port}${OLD}`, { method: "POST", body: '{"a":1}' })).text();
    await viaHttp(OLD);
    expect(hits).toEqual([
      { url: NEW, body: '{"b":22}' },
      { url: NEW, body: '{"b":22}' },
    ]);
  });

  it("goes there with the query that undici keeps beside it, once", async () => {
    guard(port);
    const options = { method: "POST", query: { alt: "sse" }, body: '{"a":1}' } as const;
    await (await undici.request(`http://127.0.0.1:${port}${OLD}`, options)).body.dump();
    expect(hits).toEqual([{ url: `${NEW}?alt=sse`, body: '{"a":1}' }]);
  });

  it("goes there by node:http", async () => {
    guard(port);
    await viaHttp(`${OLD}?key=k`);
    expect(hits).toEqual([{ url: `${NEW}?key=k`, body: '{"a":1}' }]);
  });

  it("goes there through a proxy, whose request line names the host too", async () => {
    guard(port);
    await viaHttp(`http://127.0.0.1:${port}${OLD}`);
    expect(hits).toEqual([{ url: `http://127.0.0.1:${port}${NEW}`, body: '{"a":1}' }]);
  });

  it("goes there by node:http2", async () => {
    await using streams = await streamServer();
    guard(streams.port);
    const session = await connected(streams.url);
    const stream = session.request({ ":method": "POST", ":path": OLD, "content-type": "application/json" });
    const story = follow(stream);
    stream.end('{"a":1}');
    expect((await story).status).toBe(200);
    expect(streams.hits.map(({ headers }) => headers[":path"])).toEqual([NEW]);
    session.close();
  });
});
