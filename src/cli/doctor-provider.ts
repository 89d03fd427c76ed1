/**
 * A provider on the loopback interface, over HTTP/1.1 and HTTP/2, that answers everybody and keeps count of who came.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer as createPlain, type IncomingMessage } from "node:http";
import { createServer as createH2 } from "node:http2";
import type { AddressInfo, Server, Socket } from "node:net";
import type { Target } from "./doctor-clients.ts";

/** What each question costs by `PRICES`, in nano-dollars. */
export const PRICE = 2_000_000;
/** USD per million tokens. */
export const PRICES = { "doctor-model": { input: 1, output: 2 } } as const;

const ANSWER = JSON.stringify({
  id: "doctor-1",
  object: "chat.completion",
  model: "doctor-model",
  choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "Yes." } }],
  usage: { prompt_tokens: 1_000, completion_tokens: 500, total_tokens: 1_500 },
});

export interface DoctorProvider extends Target {
  /** How many requests of each client have arrived, by its name. */
  readonly arrived: ReadonlyMap<string, number>;
  /** Bytes that have come over HTTP/1.1, of whatever kind. */
  bytes(): number;
  close(): Promise<void>;
}

/** Starts one on two free ports. */
export async function startProvider(): Promise<DoctorProvider> {
  const arrived = new Map<string, number>();
  const sockets = new Set<Socket>();
  let bytes = 0;
  const note = (path: string | undefined): void => {
    const client = new URL(path ?? "/", "http://loopback").searchParams.get("client") ?? "somebody else";
    arrived.set(client, (arrived.get(client) ?? 0) + 1);
  };
  const plain = createPlain((request, response) => {
    note(request.url);
    request.resume().on("end", () => response.setHeader("content-type", "application/json").end(ANSWER));
  });
  plain.on("upgrade", (request, socket) => {
    note(request.url);
    greet(request, socket as Socket);
  });
  const h2 = createH2();
  h2.on("stream", (stream, headers) => {
    note(headers[":path"]);
    stream.on("error", () => {});
    stream.resume().on("end", () => {
      stream.respond({ ":status": 200, "content-type": "application/json" });
      stream.end(ANSWER);
    });
  });
  for (const server of [plain, h2]) {
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        if (server === plain) bytes += socket.bytesRead;
      });
    });
  }
  const open = async (server: Server): Promise<string> => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  return {
    plain: await open(plain),
    h2: await open(h2),
    arrived,
    bytes: () => [...sockets].reduce((sum, socket) => sum + socket.bytesRead, bytes),
    async close() {
      for (const server of [plain, h2]) server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** RFC 6455, 1.3: what proves to a client that a server speaks WebSocket. */
const WEBSOCKET = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** What a realtime session says of one response, which costs the same. */
const EVENT = JSON.stringify({
  type: "response.done",
  response: { id: "doctor-2", status: "completed", usage: { input_tokens: 1_000, output_tokens: 500 } },
});

/** Opens a WebSocket, says that it has answered, and closes it when anything comes over it. */
function greet({ headers }: IncomingMessage, socket: Socket): void {
  const accept = createHash("sha1")
    .update(`${headers["sec-websocket-key"] ?? ""}${WEBSOCKET}`)
    .digest("base64");
  const head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
  socket.write(`${head.join("\r\n")}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  // A text of up to 65,535 bytes, not masked (RFC 6455, 5.2).
  const frame = Buffer.from([0x81, 126, EVENT.length >> 8, EVENT.length & 0xff]);
  socket.write(Buffer.concat([frame, Buffer.from(EVENT)]));
  // A close frame without a code, in answer to the client's.
  socket.once("data", () => socket.end(Buffer.from([0x88, 0])));
}
