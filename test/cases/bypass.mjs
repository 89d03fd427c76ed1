// Ways to a provider that people take without thinking of the guard, each twice. Arguments: the name of one. Prints one line of
// JSON: for each call the status, or the error.
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import { createRequire } from "node:module";
import net from "node:net";
import tls from "node:tls";
import vm from "node:vm";

const require = createRequire(import.meta.url);
const { PLAIN, SECURE, STREAMS, PROXY, UNIX } = process.env;
const path = "/v1/chat/completions";
const body = JSON.stringify({ model: "gpt-4o", max_tokens: 5, messages: [{ role: "user", content: "hi" }] });
const post = { method: "POST", headers: { "content-type": "application/json" }, body };
const placeOf = (url) => ({ host: new URL(url).hostname, port: Number(new URL(url).port) });
const trusting = { rejectUnauthorized: false };

/** By node:http or node:https. */
async function node(client, url, options = {}) {
  const { method, headers } = post;
  const request = client.request(url, { method, headers, ...trusting, ...options });
  request.end(body);
  const [response] = await once(request, "response");
  response.resume();
  await once(response, "end");
  return response.statusCode;
}

/** Over one stream of HTTP/2. */
async function stream(session) {
  const asked = session.request({ ":method": "POST", ":path": path, "content-type": "application/json" });
  asked.end(body);
  const [headers] = await once(asked, "response");
  asked.resume();
  await once(asked, "close");
  session.close();
  return headers[":status"];
}

/** HTTP by hand. */
async function bytes(socket, write = (text) => socket.write(text)) {
  socket.setEncoding("utf8");
  write(`POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  const [text] = await once(socket, "data");
  socket.destroy();
  return Number(text.split(" ")[1]);
}

/** A tunnel through the proxy, asked for by hand. */
async function tunnel() {
  const asked = http.request({ ...placeOf(PROXY), method: "CONNECT", path: new URL(SECURE).host }).end();
  const [, socket] = await once(asked, "connect");
  return socket;
}

const undici = (version) => require(`undici${version}`);
const through = async (version, url, dispatcher) => {
  const { statusCode, body } = await undici(version).request(url + path, { ...post, dispatcher });
  await body.text();
  return statusCode;
};

/** The dispatcher's own method, with a handler of either shape. */
const dispatched = (version) =>
  new Promise((resolve, reject) => {
    const before = {
      onConnect() {},
      onHeaders: (status) => resolve(status) ?? true,
      onData: () => true,
      onComplete() {},
      onError: reject,
    };
    const since = {
      onRequestStart() {},
      onResponseStart: (_, status) => resolve(status),
      onResponseData() {},
      onResponseEnd() {},
      onResponseError: (_, error) => reject(error),
    };
    new (undici(version).Client)(PLAIN).dispatch({ path, ...post }, version < 7 ? before : since);
  });

const versions = process.env.UNDICIS.split(",").map(Number);
const ofEach = (what, way) =>
  Object.fromEntries(versions.map((version) => [`${what} of undici ${version}`, () => way(version)]));

const ways = {
  ...ofEach("dispatch", dispatched),
  ...ofEach("a proxy agent", (version) => through(version, PLAIN, new (undici(version).ProxyAgent)(PROXY))),
  ...ofEach("a proxy agent's tunnel", (version) =>
    through(version, SECURE, new (undici(version).ProxyAgent)({ uri: PROXY, requestTls: trusting })),
  ),
  ...ofEach("HTTP/2", (version) =>
    through(version, SECURE, new (undici(version).Agent)({ allowH2: true, connect: trusting })),
  ),
  ...ofEach("a connection made elsewhere", (version) => {
    const { host, port } = placeOf(PLAIN);
    const connect = (_, done) => {
      const socket = net.connect(port, host, () => done(null, socket));
    };
    return through(version, "http://alias.internal", new (undici(version).Agent)({ connect }));
  }),
  "an EnvHttpProxyAgent": () => {
    const options = { httpProxy: PROXY, httpsProxy: PROXY, noProxy: "", requestTls: trusting };
    return through(6, SECURE, new (undici(6).EnvHttpProxyAgent)(options));
  },
  "fetch inside a vm": async () =>
    (await vm.runInNewContext("fetch(url, post)", { fetch, url: PLAIN + path, post })).status,
  "fetch kept from before": async () => (await globalThis.kept.fetch(PLAIN + path, post)).status,
  "request kept from before": () => node(globalThis.kept, PLAIN + path),
  "https-proxy-agent": () => {
    const { HttpsProxyAgent } = require("https-proxy-agent");
    return node(https, SECURE + path, { agent: new HttpsProxyAgent(PROXY, trusting) });
  },
  "https over a tunnel by hand": async () => {
    const socket = await tunnel();
    const createConnection = () => tls.connect({ socket, servername: "localhost", ...trusting });
    return node(https, SECURE + path, { createConnection });
  },
  "HTTP/2 over a tunnel by hand": async () => {
    const socket = await tunnel();
    const createConnection = () => tls.connect({ socket, servername: "localhost", ALPNProtocols: ["h2"], ...trusting });
    return stream(http2.connect(SECURE, { createConnection }));
  },
  "an address for a proxy": () => node(http, PROXY, { path: PLAIN + path }),
  "a connection of the request's own": () => {
    const { host, port } = placeOf(PLAIN);
    return node(http, `http://alias.internal${path}`, { createConnection: () => net.connect(port, host) });
  },
  "a connection of the agent's own": () => {
    const { host, port } = placeOf(PLAIN);
    const agent = new http.Agent();
    agent.createConnection = () => net.connect(port, host);
    return node(http, `http://alias.internal${path}`, { agent });
  },
  "a Unix socket": () => node(http, `http://x${path}`, { socketPath: UNIX }),
  "HTTP/2 on a connection made elsewhere": () => {
    const { host, port } = placeOf(STREAMS);
    return stream(http2.connect("http://alias.internal", { createConnection: () => net.connect(port, host) }));
  },
  "fetch with a proxy in the environment": async () => (await fetch(SECURE + path, post)).status,
  "https with a proxy in the environment": () => node(https, SECURE + path),
  "http with a proxy in the environment": () => node(http, PLAIN + path),

  "net.connect": () => bytes(net.connect(placeOf(PLAIN).port, placeOf(PLAIN).host)),
  "a socket that is connected later": () => bytes(new net.Socket().connect(placeOf(PLAIN))),
  "a socket of a class of its own": () => bytes(new (class extends net.Socket {})().connect(placeOf(PLAIN))),
  "a socket that is corked": () => {
    const socket = net.connect(placeOf(PLAIN));
    return bytes(socket, (text) => {
      socket.cork();
      socket.write(text.slice(0, 20));
      socket.write(text.slice(20));
      socket.uncork();
    });
  },
  "tls.connect": () => bytes(tls.connect({ ...placeOf(SECURE), ...trusting })),
  "tls.connect by its arguments": () => bytes(tls.connect(placeOf(SECURE).port, placeOf(SECURE).host, trusting)),
  "TLS begun on a plain connection": () => bytes(tls.connect({ socket: net.connect(placeOf(SECURE)), ...trusting })),
};

const results = [];
for (let call = 0; call < 2; call += 1) {
  try {
    results.push(await ways[process.argv[2]]());
  } catch (error) {
    const own = error.code === undefined && error.cause !== undefined ? error.cause : error;
    results.push(`${own.code ?? own.name}: ${own.message}`);
  }
}
process.stdout.write(`${JSON.stringify(results)}\n`, () => process.exit());
