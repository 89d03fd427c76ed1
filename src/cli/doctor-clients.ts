/**
 * Every kind of client that a Node program may call a provider with, each making one call. Runs in a process that has
 * the guard, and loads nothing before it is asked for.
 */
import { createRequire } from "node:module";

export interface Target {
  /** A server of HTTP/1.1, `http://127.0.0.1:4010`. */
  readonly plain: string;
  /** One of HTTP/2 with prior knowledge. */
  readonly h2: string;
}

/** Makes one call and returns the status of the answer, 101 for an open WebSocket; rejects where there was none. */
export type Client = (to: Target, path: string) => Promise<number>;

/** A copy of undici in a folder. */
export interface Copy {
  readonly version: string;
  readonly path: string;
}

/** What is asked of the server, and what the ledger must say about it. */
export const QUESTION = JSON.stringify({
  model: "doctor-model",
  max_tokens: 500,
  messages: [{ role: "user", content: "Is anybody there?" }],
});

const post = { method: "POST", headers: { "content-type": "application/json" }, body: QUESTION } as const;

/** The copies' types differ in what does not matter here. */
interface Undici {
  readonly fetch: typeof fetch;
  readonly Agent: new () => {
    request(options: object): Promise<{ readonly statusCode: number; readonly body: { text(): Promise<string> } }>;
    close(): Promise<void>;
  };
}

const builtIn: Client = async ({ plain }, path) => answered(await fetch(plain + path, post));

async function answered(response: Response): Promise<number> {
  await response.text();
  return response.status;
}

function ownFetch({ path: folder }: Copy): Client {
  return async ({ plain }, path) => {
    const undici = createRequire(import.meta.url)(folder) as Undici;
    return answered(await undici.fetch(plain + path, post));
  };
}

function ownAgent({ path: folder }: Copy): Client {
  return async ({ plain }, path) => {
    const undici = createRequire(import.meta.url)(folder) as Undici;
    const agent = new undici.Agent();
    const { statusCode, body } = await agent.request({ origin: plain, path, ...post });
    await body.text();
    await agent.close();
    return statusCode;
  };
}

const plainHttp: Client = async ({ plain }, path) => {
  const http = await import("node:http");
  return await new Promise((resolve, reject) => {
    const { body, ...options } = post;
    const request = http.request(plain + path, { ...options, agent: false }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    });
    request.on("error", reject).end(body);
  });
};

/** node:https over a connection of its own: what it says is not encrypted, so that no certificate is needed. */
const https: Client = async ({ plain }, path) => {
  const [{ request: send }, net] = await Promise.all([import("node:https"), import("node:net")]);
  const { hostname, port } = new URL(plain);
  return await new Promise((resolve, reject) => {
    const { body, ...options } = post;
    const createConnection = (): import("node:net").Socket => net.connect(Number(port), hostname);
    const request = send({ ...options, hostname, port, path, createConnection }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    });
    request.on("error", reject).end(body);
  });
};

/** As the package `ws` opens a WebSocket. */
const upgrade: Client = async ({ plain }, path) => {
  const http = await import("node:http");
  return await new Promise((resolve, reject) => {
    const headers = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    };
    const request = http.get(plain + path, { headers, agent: false }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    });
    request.on("error", reject);
    request.on("upgrade", (response, socket, head) => {
      socket
        .on("close", () => resolve(response.statusCode ?? 0))
        .on("error", reject)
        .resume();
      // The server speaks first. A close frame of a client: masked, and empty.
      const close = (): unknown => socket.end(Buffer.from([0x88, 0x80, 0, 0, 0, 0]));
      socket.resume();
      if (head.length > 0) close();
      else socket.once("data", close);
    });
  });
};

const webSocket: Client = async ({ plain }, path) => {
  const socket = new WebSocket(plain.replace(/^http/, "ws") + path);
  let opened = false;
  return await new Promise((resolve, reject) => {
    socket.addEventListener("message", () => {
      opened = true;
      socket.close();
    });
    const over = (): void => (opened ? resolve(101) : reject(new Error("the handshake failed")));
    socket.addEventListener("close", over);
    socket.addEventListener("error", over);
  });
};

const http2: Client = async ({ h2 }, path) => {
  const { connect } = await import("node:http2");
  const session = connect(h2);
  try {
    return await new Promise((resolve, reject) => {
      session.on("error", reject);
      const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/json" });
      let status = 0;
      stream.on("response", (headers) => {
        status = Number(headers[":status"]);
      });
      stream
        .on("error", reject)
        .on("end", () => resolve(status))
        .resume()
        .end(QUESTION);
    });
  } finally {
    session.close();
  }
};

const bareSocket: Client = async ({ plain }, path) => {
  const net = await import("node:net");
  const { hostname, port } = new URL(plain);
  return await new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), hostname);
    let text = "";
    socket.setEncoding("utf8").on("data", (part) => {
      text += part;
    });
    socket.on("error", reject).on("close", () => resolve(Number(text.split(" ")[1] ?? 0)));
    const head = [`POST ${path} HTTP/1.1`, "host: doctor", "connection: close", `content-length: ${QUESTION.length}`];
    socket.end(`${head.join("\r\n")}\r\n\r\n${QUESTION}`);
  });
};

/** Names of the clients that open a session instead of asking a question. */
export const SESSIONS: ReadonlySet<string> = new Set(["http upgrade (ws)", "WebSocket"]);

/** The client that nobody can judge: it is told of, or refused by `call.unmetered -> deny`. */
export const BARE = "bare socket";

/** All clients that this process has, by name, in the order of the report. */
export function clientsOf(copies: readonly Copy[]): ReadonlyMap<string, Client> {
  const clients = new Map<string, Client>([["fetch", builtIn]]);
  for (const copy of copies) {
    clients.set(`undici ${copy.version} fetch`, ownFetch(copy));
    clients.set(`undici ${copy.version} Agent`, ownAgent(copy));
  }
  clients.set("node:http", plainHttp).set("node:https", https).set("http upgrade (ws)", upgrade);
  if (typeof WebSocket === "function") clients.set("WebSocket", webSocket);
  return clients.set("node:http2", http2).set(BARE, bareSocket);
}
