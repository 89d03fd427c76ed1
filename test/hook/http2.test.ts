import { once } from "node:events";
import http2 from "node:http2";
import { afterEach, describe, expect, it } from "vitest";
import { install } from "../../src/hook/install.ts";
import { ANSWER, FakeGatekeeper, refuse } from "./fake-gatekeeper.ts";
import { connected, follow, type StreamServer, streamServer } from "./streams.ts";

const installed: { dispose(): void }[] = [];
afterEach(() => {
  for (const { dispose } of installed.splice(0)) dispose();
});

/** A gatekeeper for a server; `held` are those it was asked about and has not answered. */
function guard(server: StreamServer, limits?: Parameters<typeof install>[1]): FakeGatekeeper {
  const gatekeeper = new FakeGatekeeper();
  gatekeeper.ports.add(server.port);
  installed.push(limits === undefined ? install(gatekeeper) : install(gatekeeper, limits));
  return gatekeeper;
}

/** A decision that waits until the test gives it. */
function later(gatekeeper: FakeGatekeeper): { asked: Promise<void>; decide(how?: "go" | "refuse"): void } {
  let decide: (how: "go" | "refuse") => void = () => {};
  let ask: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const decided = new Promise<"go" | "refuse">((resolve) => {
    decide = resolve;
  });
  gatekeeper.decision = async () => {
    ask();
    return (await decided) === "go" ? gatekeeper.go() : refuse();
  };
  return { asked, decide: (how = "go") => decide(how) };
}

const CHAT = JSON.stringify({ model: "m", messages: [] });
const POST = { ":method": "POST", ":path": "/v1/chat?x=1", "content-type": "application/json" };

describe("a stream that is allowed", () => {
  it("is asked about once, with its whole body, and told to its tap", async () => {
    await using server = await streamServer();
    const gatekeeper = guard(server);
    const session = await connected(server.url);
    const stream = session.request({ ...POST, "X-Custom": ["a", "b"] });
    const story = follow(stream);
    stream.end(CHAT);
    const { status, body, error } = await story;
    expect([status, error]).toEqual([200, null]);
    expect(JSON.parse(String(body))).toEqual({ path: "/v1/chat?x=1", length: CHAT.length });
    expect(gatekeeper.departures).toHaveLength(1);
    expect(gatekeeper.departures[0]).toMatchObject({
      transport: "http2",
      protocol: "http:",
      hostname: "localhost",
      port: server.port,
      method: "POST",
      path: "/v1/chat?x=1",
      headers: { "content-type": "application/json", "x-custom": "a, b", host: `localhost:${server.port}` },
    });
    expect(String(gatekeeper.departures[0]?.body)).toBe(CHAT);
    const [told] = await gatekeeper.ended();
    expect(told).toMatchObject({ status: 200, heads: 1, ends: 1, failures: [] });
    expect(told?.headers["x-server"]).toBe("loopback");
    expect(told?.bytes).toEqual(body);
    session.close();
    await once(session, "close");
  });

  it("has its tap told the head of an answer without a body, whichever its status", async () => {
    const statuses = [200, 429, 500];
    await using server = await streamServer({
      respond: (stream, { headers }) => stream.respond({ ":status": Number(headers["x-wish"]) }, { endStream: true }),
    });
    const gatekeeper = guard(server);
    const session = await connected(server.url);
    for (const status of statuses) await follow(session.request({ ...POST, "x-wish": status }).end(CHAT));
    const told = await gatekeeper.ended(statuses.length);
    expect(told.map(({ status, heads, ends, failures }) => ({ status, heads, ends, failures }))).toEqual(
      statuses.map((status) => ({ status, heads: 1, ends: 1, failures: [] })),
    );
    session.destroy();
  });

  it("may be written out of one buffer, filled again each time that it has been taken", async () => {
    await using server = await streamServer();
    const gatekeeper = guard(server);
    const session = await connected(server.url);
    const stream = session.request(POST);
    const story = follow(stream);
    const buffer = Buffer.alloc(3);
    for (const text of ["one", "two", "six"]) {
      buffer.write(text);
      await new Promise<unknown>((taken) => stream.write(buffer, taken));
    }
    stream.end();
    await story;
    expect(String(gatekeeper.departures[0]?.body)).toBe("onetwosix");
    expect(String(server.hits[0]?.body)).toBe("onetwosix");
    session.destroy();
  });

  it("may be made while its session still connects", async () => {
    await using server = await streamServer();
    const gatekeeper = guard(server);
    const session = http2.connect(server.url);
    const [one, two] = [session.request(POST), session.request({ ":path": "/v1/models" })];
    const stories = [follow(one), follow(two)];
    one.end(CHAT);
    expect((await Promise.all(stories)).map(({ status }) => status)).toEqual([200, 200]);
    expect(gatekeeper.departures.map(({ path }) => path).sort()).toEqual(["/v1/chat?x=1", "/v1/models"]);
    session.close();
  });

  it("loses the headers that must not leave, and may be given another body", async () => {
    await using server = await streamServer();
    const gatekeeper = guard(server);
    const body = Buffer.from('{"model":"smaller","max_tokens":5}');
    gatekeeper.decision = () => gatekeeper.go({ body, removeHeaders: ["x-budget-tenant"] });
    const session = await connected(server.url);
    for (const pieces of [[CHAT], [CHAT.slice(0, 5), CHAT.slice(5)], ["", CHAT]]) {
      const stream = session.request({ ...POST, "content-length": CHAT.length, "X-Budget-Tenant": "a", "x-kept": "b" });
      const story = follow(stream);
      for (const piece of pieces) stream.write(piece);
      stream.end();
      expect((await story).status).toBe(200);
      const hit = server.hits.at(-1);
      expect(String(hit?.body)).toBe(String(body));
      expect(hit?.headers).toMatchObject({ "content-length": String(body.length), "x-kept": "b" });
      expect(hit?.headers).not.toHaveProperty("x-budget-tenant");
    }
    session.close();
  });
});

describe("a stream that is refused", () => {
  it("gets an answer that reads like a server's, and the server sees nothing", async () => {
    await using server = await streamServer();
    const gatekeeper = guard(server);
    gatekeeper.decision = refuse;
    const session = await connected(server.url);
    const stream = session.request(POST);
    const story = follow(stream);
    stream.end(CHAT);
    const { events, status, headers, body, error, rstCode, aborted, finished } = await story;
    expect({ events, status, error, rstCode, aborted, finished }).toEqual({
      events: ["response", "end", "close"],
      status: 402,
      error: null,
      rstCode: 0,
      aborted: false,
      finished: true,
    });
    expect(headers).toMatchObject({ ...ANSWER.headers });
    expect(body).toEqual(ANSWER.body);
    expect(server.hits).toEqual([]);
    expect([session.closed, session.destroyed]).toEqual([false, false]);

    gatekeeper.decision = () => gatekeeper.go();
    const next = session.request(POST);
    const after = follow(next);
    next.end(CHAT);
    expect((await after).status).toBe(200);
    session.close();
    await once(session, "close");
  });

  it("lets its session close, at once and later", async () => {
    await using server = await streamServer();
    const gatekeeper = guard(server);
    gatekeeper.decision = refuse;
    for (const when of ["at the response", "before the answer", "destroyed"]) {
      const session = await connected(server.url);
      const stream = session.request(POST);
      if (when === "at the response") stream.on("response", () => session.close());
      if (when === "destroyed") stream.on("response", () => session.destroy());
      const story = follow(stream);
      stream.end(CHAT);
      if (when === "before the answer") session.close();
      const closed = once(session, "close");
      expect(await story).toMatchObject({ status: 402, error: null, body: ANSWER.body });
      await closed;
    }
    expect(server.hits).toEqual([]);
  });
});

describe("a stream that is held", () => {
  it("gives up at once when its caller destroys, closes or aborts it", async () => {
    await using server = await streamServer();
    const gatekeeper = guard(server);
    const session = await connected(server.url);
    const leave = {
      destroy: (stream: http2.ClientHttp2Stream) => stream.destroy(),
      "destroy with an error": (stream: http2.ClientHttp2Stream) => stream.destroy(new TypeError("enough")),
      close: (stream: http2.ClientHttp2Stream) => stream.close(http2.constants.NGHTTP2_CANCEL),
      "close without a code": (stream: http2.ClientHttp2Stream) => stream.close(),
    };
    for (const [name, act] of Object.entries(leave)) {
      const { asked } = later(gatekeeper);
      const stream = session.request(POST);
      const story = follow(stream);
      stream.end(CHAT);
      await asked;
      act(stream);
      const { status, error } = await story;
      expect([name, status, error?.message ?? null]).toEqual([name, null, name.includes("error") ? "enough" : null]);
      expect(gatekeeper.signals.at(-1)?.aborted).toBe(true);
    }
    const { asked } = later(gatekeeper);
    const controller = new AbortController();
    const stream = session.request(POST, { signal: controller.signal });
    const story = follow(stream);
    stream.end(CHAT);
    await asked;
    controller.abort();
    expect((await story).error?.name).toBe("AbortError");
    expect(server.hits).toEqual([]);
    session.close();
    await once(session, "close");
  });

  it("keeps its session open: close waits for it, and takes no new requests", async () => {
    await using server = await streamServer();
    const gatekeeper = guard(server);
    const session = await connected(server.url);
    const { asked, decide } = later(gatekeeper);
    const stream = session.request(POST);
    const story = follow(stream);
    stream.end(CHAT);
    await asked;
    let told = 0;
    session.close(() => {
      told += 1;
    });
    expect(session.closed).toBe(true);
    decide();
    expect(await story).toMatchObject({ status: 200, error: null });
    if (!session.destroyed) await once(session, "close");
    expect([told, server.hits.length]).toEqual([1, 1]);
  });

  it("ends with an error when its session is destroyed, or the server takes no more requests", async () => {
    for (const how of ["destroy", "goaway", "cut"] as const) {
      await using server = await streamServer();
      const gatekeeper = guard(server);
      const session = await connected(server.url);
      session.on("error", () => {});
      const { asked, decide } = later(gatekeeper);
      const stream = session.request(POST);
      const story = follow(stream);
      stream.end(CHAT);
      await asked;
      if (how === "destroy") session.destroy();
      if (how === "goaway") {
        server.sessions()[0]?.goaway();
        await once(session, "goaway");
      }
      if (how === "cut") server.sessions()[0]?.destroy();
      if (how === "goaway") decide();
      const { events } = await story;
      expect([how, events.at(-1), events.includes("response")]).toEqual([how, "close", false]);
      expect(server.hits).toEqual([]);
      const failures = gatekeeper.told.flatMap((told) => told.failures);
      expect(failures.every(({ unsent }) => unsent === true)).toBe(true);
      for (const { dispose } of installed.splice(0)) dispose();
    }
  });
});
