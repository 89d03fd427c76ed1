import { once } from "node:events";
import { type ClientRequest, createServer, type IncomingMessage, request } from "node:http";
import type { ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { install } from "../../src/hook/install.ts";
import { LIMITS } from "../../src/hook/limits.ts";
import { ANSWER, FakeGatekeeper, refuse } from "./fake-gatekeeper.ts";
import { connected, follow, type StreamServer, streamServer } from "./streams.ts";

const EXPECTING = { expect: "100-continue", "content-type": "application/json" } as const;

let gatekeeper: FakeGatekeeper;

beforeEach(() => {
  gatekeeper = new FakeGatekeeper();
});

function guard(limits = LIMITS): void {
  onTestFinished(install(gatekeeper, limits).dispose);
}

describe("a request of node:http that expects '100 Continue'", () => {
  const bodies: string[] = [];
  let continued: number;
  let url: string;

  beforeEach(async () => {
    bodies.length = 0;
    continued = 0;
    const server = createServer(async (asked, response) => {
      let body = "";
      for await (const piece of asked) body += piece;
      bodies.push(body);
      response.end("answered");
    });
    server.on("checkContinue", (asked: IncomingMessage, response) => {
      response.writeContinue();
      server.emit("request", asked, response);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    gatekeeper.ports.add(port);
    url = `http://127.0.0.1:${port}/v1/chat`;
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
  });

  const post = (): ClientRequest => request(url, { method: "POST", headers: EXPECTING, agent: false });

  /** Writes its body when it is told to. */
  function patient(body = "body"): ClientRequest {
    const asked = post();
    return asked.on("continue", () => {
      continued += 1;
      asked.end(body);
    });
  }

  async function answerTo(asked: ClientRequest): Promise<readonly [number | undefined, string]> {
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    let text = "";
    for await (const piece of response) text += piece;
    return [response.statusCode, text];
  }

  it("is judged by its body, which its caller is told once to write", async () => {
    guard();
    expect(await answerTo(patient())).toEqual([200, "answered"]);
    expect(gatekeeper.departures.map(({ body }) => String(body))).toEqual(["body"]);
    expect([bodies, continued]).toEqual([["body"], 1]);
  });

  it("is refused by its body before a byte", async () => {
    guard();
    gatekeeper.decision = refuse;
    expect(await answerTo(patient())).toEqual([402, String(ANSWER.body)]);
    expect(gatekeeper.departures.map(({ body }) => String(body))).toEqual(["body"]);
    expect(bodies).toEqual([]);
  });

  it("leaves with another body where it is reshaped", async () => {
    guard();
    gatekeeper.decision = () => gatekeeper.go({ body: Buffer.from("a longer one") });
    expect(await answerTo(patient())).toEqual([200, "answered"]);
    expect(bodies).toEqual(["a longer one"]);
  });

  it("is judged by a body that its caller writes without waiting", async () => {
    guard();
    expect(await answerTo(post().end("at once"))).toEqual([200, "answered"]);
    expect(gatekeeper.departures.map(({ body }) => String(body))).toEqual(["at once"]);
    expect(bodies).toEqual(["at once"]);
  });

  it("is judged by its headers where nobody wants its body, and goes on when the server says so", async () => {
    gatekeeper.body = false;
    guard();
    const asked = patient();
    let judged = 0;
    asked.prependListener("continue", () => {
      judged = gatekeeper.departures.length;
    });
    expect(await answerTo(asked)).toEqual([200, "answered"]);
    expect([judged, gatekeeper.departures[0]?.body, bodies, continued]).toEqual([1, null, ["body"], 1]);
  });

  it("is judged by its headers where its caller waits for the server in a way of its own", async () => {
    guard();
    const asked = post();
    asked.on("information", ({ statusCode }) => {
      if (statusCode === 100) asked.end("informed");
    });
    expect(await answerTo(asked)).toEqual([200, "answered"]);
    expect([gatekeeper.departures[0]?.body, bodies]).toEqual([null, ["informed"]]);
  });

  it("is not waited for when nothing comes after it was told", async () => {
    guard({ ...LIMITS, bodyMs: 20 });
    const asked = post();
    const answer = answerTo(asked);
    await once(asked, "continue");
    await new Promise((resolve) => asked.once("socket", resolve));
    asked.end("late");
    expect(await answer).toEqual([200, "answered"]);
    expect([gatekeeper.departures[0]?.body, bodies]).toEqual([null, ["late"]]);
  });
});

describe("a request of node:http2 that expects '100 Continue'", () => {
  const HEADERS = { ":method": "POST", ":path": "/v1/chat", ...EXPECTING };

  /** A server that says "100 Continue" to everybody. */
  const going = (): Promise<StreamServer> =>
    streamServer({
      begin: (stream) => stream.additionalHeaders({ ":status": 100 }),
      respond(stream) {
        stream.respond({ ":status": 200 });
        stream.end("answered");
      },
    });

  /** Writes its body when it is told to; how often that was, is counted. */
  function patient(stream: ClientHttp2Stream): { readonly times: () => number } {
    let times = 0;
    stream.on("continue", () => {
      times += 1;
      if (times === 1) stream.end("body");
    });
    return { times: () => times };
  }

  it("is judged by its body, which its caller is told once to write", async () => {
    await using h2 = await going();
    gatekeeper.ports.add(h2.port);
    guard();
    const session = await connected(h2.url);
    const stream = session.request(HEADERS);
    const { times } = patient(stream);
    expect((await follow(stream)).status).toBe(200);
    expect(gatekeeper.departures.map(({ body }) => String(body))).toEqual(["body"]);
    expect([String(h2.hits[0]?.body), times()]).toEqual(["body", 1]);
    session.destroy();
  });

  it("is refused by its body before a byte", async () => {
    await using h2 = await going();
    gatekeeper.ports.add(h2.port);
    guard();
    gatekeeper.decision = refuse;
    const session = await connected(h2.url);
    const stream = session.request(HEADERS);
    patient(stream);
    expect((await follow(stream)).status).toBe(402);
    expect(gatekeeper.departures.map(({ body }) => String(body))).toEqual(["body"]);
    expect(h2.hits).toEqual([]);
    session.destroy();
  });

  it("is judged by its headers where its caller waits for the server in a way of its own", async () => {
    await using h2 = await going();
    gatekeeper.ports.add(h2.port);
    guard();
    const session = await connected(h2.url);
    const stream = session.request(HEADERS);
    stream.on("headers", (headers: IncomingHttpHeaders & { readonly ":status"?: number }) => {
      if (headers[":status"] === 100) stream.end("informed");
    });
    expect((await follow(stream)).status).toBe(200);
    expect([gatekeeper.departures[0]?.body, String(h2.hits[0]?.body)]).toEqual([null, "informed"]);
    session.destroy();
  });
});
