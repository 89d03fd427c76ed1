import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { install } from "../../src/hook/install.ts";
import { type Hit, type Loopback, loopback } from "../support/loopback.ts";
import { proxy } from "../support/proxy.ts";
import { type Client, clients, type Reply, type Session } from "./clients.ts";
import { FakeGatekeeper } from "./fake-gatekeeper.ts";

interface Scene {
  readonly client: Client;
  readonly session: Session;
  readonly server: Loopback;
}

interface Case {
  readonly name: string;
  readonly applies?: (client: Client) => boolean;
  readonly respond?: (response: ServerResponse, hit: Hit, scene: () => Scene) => void;
  readonly play: (scene: Scene) => Promise<unknown>;
}

const CHAT = JSON.stringify({ model: "gpt-5", messages: [{ role: "user", content: "¿qué tal?" }], max_tokens: 5 });
const JSON_HEADERS = { "content-type": "application/json", authorization: "Bearer test", "X-Custom-Case": "Kept" };
const BIG = Array.from({ length: 50 }, (_, at) => Buffer.alloc(4096, at));

const shown = ({ status, headers, body }: Reply): object => ({
  status,
  type: headers["content-type"],
  encoding: headers["content-encoding"],
  body: body.toString("base64"),
});

/** What a program can see of an error: class, code, message and the same of its cause. */
function failure(error: unknown): unknown {
  if (!(error instanceof Error)) return { thrown: String(error) };
  const code = "code" in error ? error.code : undefined;
  return {
    class: error.constructor.name,
    name: error.name,
    code,
    message: error.message.replace(/127\.0\.0\.1:\d+/g, "HOST"),
    ...(error.cause !== undefined && { cause: failure(error.cause) }),
  };
}

const attempt = async (work: Promise<Reply>): Promise<unknown> => {
  try {
    return shown(await work);
  } catch (error) {
    return failure(error);
  }
};

let acknowledged: () => void = () => {};
let reset: AbortController;

const cases: readonly Case[] = [
  {
    name: "a GET",
    play: async ({ session, server }) =>
      attempt(session.send({ url: `${server.url}/v1/models?limit=2`, headers: { accept: "*/*" } })),
  },
  {
    name: "a POST of a text",
    play: async ({ session, server }) =>
      attempt(session.send({ url: `${server.url}/v1/chat`, method: "POST", headers: JSON_HEADERS, body: CHAT })),
  },
  {
    name: "a POST of a buffer of 300 KB",
    play: async ({ session, server }) =>
      attempt(session.send({ url: `${server.url}/v1/chat`, method: "POST", body: Buffer.alloc(300_000, "x") })),
  },
  {
    name: "a POST without a body",
    play: async ({ session, server }) => attempt(session.send({ url: `${server.url}/v1/chat`, method: "POST" })),
  },
  {
    name: "a body of unknown length in 50 pieces",
    applies: ({ streamsBody }) => streamsBody,
    play: async ({ session, server }) =>
      attempt(session.send({ url: `${server.url}/v1/chat`, method: "POST", headers: JSON_HEADERS, pieces: BIG })),
  },
  {
    name: "a HEAD",
    play: async ({ session, server }) => attempt(session.send({ url: `${server.url}/v1/models`, method: "HEAD" })),
  },
  {
    name: "an answer without a body",
    respond: (response) => response.writeHead(204).end(),
    play: async ({ session, server }) => attempt(session.send({ url: `${server.url}/v1/files/1`, method: "DELETE" })),
  },
  {
    name: "an error answer of the provider",
    respond: (response) => response.writeHead(500, { "content-type": "application/json" }).end('{"error":"broken"}'),
    play: async ({ session, server }) =>
      attempt(session.send({ url: `${server.url}/v1/files/1`, method: "PATCH", body: CHAT })),
  },
  {
    name: "early hints before the answer",
    respond: (response) => {
      response.writeEarlyHints({ link: "</style.css>; rel=preload" });
      response.end("answer");
    },
    play: async ({ session, server }) =>
      attempt(session.send({ url: `${server.url}/v1/chat`, method: "POST", body: CHAT })),
  },
  {
    name: "a compressed answer",
    respond: (response) =>
      response
        .writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
        .end(gzipSync(CHAT.repeat(20))),
    play: async ({ session, server }) =>
      attempt(session.send({ url: `${server.url}/v1/chat`, method: "POST", body: CHAT })),
  },
  {
    name: "an answer of 2 MB",
    respond: (response) => response.writeHead(200).end(Buffer.alloc(2_000_000, "y")),
    play: async ({ session, server }) => attempt(session.send({ url: `${server.url}/v1/files/1/content` })),
  },
  {
    name: "a stream whose next event waits until the caller has had the one before",
    respond: async (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const event of ["one", "two", "three"]) {
        const seen = new Promise<void>((resolve) => {
          acknowledged = resolve;
        });
        response.write(`data: ${event}\n\n`);
        await seen;
      }
      response.end();
    },
    async play({ session, server }) {
      const chunks: string[] = [];
      const onChunk = (chunk: Buffer): void => {
        chunks.push(String(chunk));
        acknowledged();
      };
      await session.send({ url: `${server.url}/v1/chat`, method: "POST", body: CHAT, onChunk });
      return chunks;
    },
  },
  {
    name: "redirects",
    applies: ({ followsRedirects }) => followsRedirects,
    respond: (response, hit) =>
      hit.path === "/v1/old" ? response.writeHead(307, { location: "/v1/new" }).end() : response.end("arrived"),
    play: async ({ session, server }) =>
      attempt(session.send({ url: `${server.url}/v1/old`, method: "POST", headers: JSON_HEADERS, body: CHAT })),
  },
  {
    name: "one connection for requests one after the other",
    applies: ({ freesConnection }) => freesConnection,
    async play({ session, server }) {
      for (const body of ["a", "b", "c"]) await session.send({ url: `${server.url}/v1/chat`, method: "POST", body });
      return server.hits.map(({ connection }) => connection);
    },
  },
  {
    name: "a connection that breaks before the answer",
    respond: (response) => response.destroy(),
    play: async ({ session, server }) =>
      attempt(session.send({ url: `${server.url}/v1/chat`, method: "POST", body: CHAT })),
  },
  {
    name: "a connection that breaks inside the answer",
    respond: (response, _hit, scene) => {
      response.writeHead(200, { "content-length": "100" });
      acknowledged = () => response.destroy();
      response.write("half");
      void scene;
    },
    play: async ({ session, server }) =>
      attempt(
        session.send({ url: `${server.url}/v1/chat`, method: "POST", body: CHAT, onChunk: () => acknowledged() }),
      ),
  },
  {
    name: "nobody listening",
    applies: ({ viaProxy }) => viaProxy !== true,
    async play({ session, server }) {
      await server[Symbol.asyncDispose]();
      return attempt(session.send({ url: `${server.url}/v1/chat`, method: "POST", body: CHAT }));
    },
  },
  {
    name: "a signal that was aborted before",
    applies: ({ abortsBefore }) => abortsBefore,
    play: async ({ session, server }) =>
      attempt(session.send({ url: `${server.url}/v1/chat`, method: "POST", body: CHAT, signal: AbortSignal.abort() })),
  },
  {
    name: "an abort while the provider thinks",
    respond: () => reset.abort(),
    async play({ session, server }) {
      reset = new AbortController();
      return attempt(session.send({ url: `${server.url}/v1/chat`, method: "POST", body: CHAT, signal: reset.signal }));
    },
  },
  {
    name: "an abort with a reason of the caller's own",
    respond: () => reset.abort(new TypeError("enough")),
    async play({ session, server }) {
      reset = new AbortController();
      return attempt(session.send({ url: `${server.url}/v1/chat`, method: "POST", body: CHAT, signal: reset.signal }));
    },
  },
  {
    name: "an abort inside the answer",
    respond: (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: one\n\n");
    },
    async play({ session, server }) {
      reset = new AbortController();
      const onChunk = (): void => reset.abort();
      return attempt(
        session.send({ url: `${server.url}/v1/chat`, method: "POST", body: CHAT, signal: reset.signal, onChunk }),
      );
    },
  },
];

/** Plays a case on a fresh server; what the server saw is part of the outcome, byte for byte but for its own port. */
async function observe(client: Client, one: Case, guard: (port: number) => () => Promise<void>): Promise<object> {
  let scene: Scene | null = null;
  const current = (): Scene => {
    if (scene === null) throw new Error("the scene is not set");
    return scene;
  };
  const { respond } = one;
  await using relay = await proxy();
  const server = respond ? await loopback((response, hit) => respond(response, hit, current)) : await loopback();
  const dispose = guard(server.port);
  const session = client.open(server.url, relay.url);
  try {
    scene = { client, session, server };
    const seen = await one.play(scene);
    return {
      seen,
      hits: server.hits.map(({ method, path, rawHeaders, body }) => ({
        method,
        path,
        headers: rawHeaders.map((text) => text.replaceAll(String(server.port), "PORT")),
        body: body.toString("base64"),
      })),
    };
  } finally {
    await dispose();
    await session.close();
    if (one.name !== "nobody listening") await server[Symbol.asyncDispose]();
  }
}

const bare = (): (() => Promise<void>) => async () => {};

describe.each(clients)("$name is as without the guard", (client) => {
  it.each(cases.filter(({ applies }) => applies?.(client) ?? true))("in $name", async (one) => {
    const without = await observe(client, one, bare);
    const gatekeeper = new FakeGatekeeper();
    const withGuard = await observe(client, one, (port) => {
      gatekeeper.ports.add(port);
      const { dispose } = install(gatekeeper);
      return async () => {
        await gatekeeper.ended(gatekeeper.told.length);
        dispose();
      };
    });
    expect(withGuard).toEqual(without);
    expect(gatekeeper.told.map(({ ends, failures }) => ends + failures.length)).toEqual(gatekeeper.told.map(() => 1));
    if (one.name !== "a signal that was aborted before") expect(gatekeeper.departures.length).toBeGreaterThan(0);
  });
});
