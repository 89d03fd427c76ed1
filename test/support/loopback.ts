import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** One request as a server got it. */
export interface Hit {
  readonly method: string;
  readonly path: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** Which connection it came over, counted from 0. */
  readonly connection: number;
}

export interface Loopback extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly hits: Hit[];
  /** Connections made so far. */
  readonly connections: () => number;
  /** Resolves when so many requests have arrived whole. */
  arrived(count: number): Promise<void>;
}

type Respond = (response: ServerResponse, hit: Hit, request: IncomingMessage) => void;

const echo: Respond = (response, hit) => {
  response.writeHead(200, { "content-type": "application/json", "x-server": "loopback" });
  response.end(JSON.stringify({ method: hit.method, path: hit.path, length: hit.body.length }));
};

/** A real HTTP server on a free port of the loopback interface that keeps what it was sent. */
export async function loopback(respond: Respond = echo): Promise<Loopback> {
  const hits: Hit[] = [];
  const connections = new Map<Socket, number>();
  let waiting: (() => void)[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const hit: Hit = {
      method: request.method ?? "",
      path: request.url ?? "",
      rawHeaders: request.rawHeaders,
      body: Buffer.concat(chunks),
      connection: connections.get(request.socket) ?? -1,
    };
    hits.push(hit);
    for (const go of waiting.splice(0)) go();
    respond(response, hit, request);
  });
  server.on("connection", (socket) => connections.set(socket, connections.size));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    hits,
    connections: () => connections.size,
    async arrived(count) {
      while (hits.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    async [Symbol.asyncDispose]() {
      waiting = [];
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
