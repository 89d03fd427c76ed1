import { once } from "node:events";
import { createServer, request as forward } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { pipeline } from "node:stream";
import { exempt } from "../../src/hook/exempt.ts";

export interface Proxy extends AsyncDisposable {
  readonly url: string;
  /** `CONNECT host:port` and `GET http://host/path`, in order. */
  readonly asked: string[];
}

/** A forward proxy on the loopback interface: tunnels, and requests in absolute form. */
export async function proxy(): Promise<Proxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((incoming, response) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    // The proxy shares a process with the client whose requests are counted; its own are not the client's.
    const outgoing = exempt(() =>
      forward(incoming.url ?? "", { method: incoming.method ?? "GET", headers: incoming.headers, agent: false }),
    );
    outgoing.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      pipeline(answer, response, () => {});
    });
    outgoing.on("error", () => response.destroy());
    response.on("close", () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  server.on("connect", (incoming, socket: Socket, head: Buffer) => {
    asked.push(`CONNECT ${incoming.url}`);
    const [host = "", port = ""] = (incoming.url ?? "").split(":");
    const far = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      far.write(head);
      far.pipe(socket);
      socket.pipe(far);
    });
    sockets.add(far);
    far.on("error", () => socket.destroy());
    socket.on("error", () => far.destroy());
  });
  server.on("connection", (socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}
