/**
 * Ways past the hooks of other enforcers that people take without thinking of them: each test is named after where its class was
 * reported. What a hook sees is judged once, and what only the safety net sees is told of or broken off.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import http2 from "node:http2";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { undicis } from "../hook/clients.ts";
import { selfSigned } from "../support/certificate.ts";
import { proxy, type Proxy as Through } from "../support/proxy.ts";
import { type Finished, type Project, project } from "../support/run-app.ts";

const REPORTED = "undici #5500, #5036, defenseclaw PR #752, #822, promptfoo #7993";
const versions = [...undicis.keys()];
const ofEach = (what: string): string[] => versions.map((version) => `${what} of undici ${version}`);

const judged = [
  ...["dispatch", "a proxy agent", "a proxy agent's tunnel", "HTTP/2", "a connection made elsewhere"].flatMap(ofEach),
  ...["an EnvHttpProxyAgent", "https-proxy-agent", "https over a tunnel by hand", "HTTP/2 over a tunnel by hand"],
  ...[
    "an address for a proxy",
    "a connection of the request's own",
    "a connection of the agent's own",
    "a Unix socket",
  ],
  ...[
    "HTTP/2 on a connection made elsewhere",
    "fetch inside a vm",
    "fetch kept from before",
    "request kept from before",
  ],
  ...["fetch with a proxy in the environment", "https with a proxy in the environment"],
  "http with a proxy in the environment",
];
const unseen = [
  ...["net.connect", "a socket that is connected later", "a socket of a class of its own", "a socket that is corked"],
  ...["tls.connect", "tls.connect by its arguments", "TLS begun on a plain connection"],
];

let hits = 0;
const answer = ((request, response) => {
  hits += 1;
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
  request.resume().on("end", () => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ model: "gpt-4o", choices: [], usage }));
  });
}) satisfies RequestListener;

const certificate = selfSigned();
const servers: Server[] = [];
let between: Through;
let at: Project;
let env: Record<string, string>;

async function listening(server: Server, path?: string): Promise<number> {
  servers.push(server);
  if (path === undefined) server.listen(0, "127.0.0.1");
  else server.listen(path);
  await once(server, "listening");
  return path === undefined ? (server.address() as AddressInfo).port : 0;
}

beforeAll(async () => {
  const streams = answer as unknown as (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => void;
  const plain = await listening(createServer(answer));
  const secure = await listening(http2.createSecureServer({ ...certificate, allowHTTP1: true }, streams));
  const multiplexed = await listening(http2.createServer(streams));
  between = await proxy();
  at = project({
    files: {
      "app.mjs": readFileSync(new URL("bypass.mjs", import.meta.url), "utf8"),
      "early.mjs": 'import { request } from "node:http";\nglobalThis.kept = { fetch, request };\n',
    },
  });
  const local = join(at.folder, "s");
  await listening(createServer(answer), local);
  const known = [`127.0.0.1:${plain}`, `localhost:${secure}`, `127.0.0.1:${multiplexed}`];
  env = {
    BUDGET_GUARD_HOSTS: known.map((address) => `${address}=openai`).join(","),
    BUDGET_GUARD_STORE: "memory:",
    NODE_TLS_REJECT_UNAUTHORIZED: "0",
    NODE_NO_WARNINGS: "1",
    PLAIN: `http://127.0.0.1:${plain}`,
    SECURE: `https://localhost:${secure}`,
    STREAMS: `http://127.0.0.1:${multiplexed}`,
    PROXY: between.url,
    UNIX: local,
    UNDICIS: versions.join(","),
  };
});
afterAll(async () => {
  for (const server of servers) server.close();
  await between[Symbol.asyncDispose]();
  at.remove();
});
beforeEach(() => {
  hits = 0;
});

/** Goes one way twice, under this policy. */
function go(way: string, policy: string): Promise<Finished> {
  at.write("policies/test.budget", policy);
  const proxied = way.endsWith("in the environment");
  const vars = { NODE_USE_ENV_PROXY: "1", HTTP_PROXY: between.url, HTTPS_PROXY: between.url, NO_PROXY: "" };
  const flags = ["--import", "./early.mjs", "--require", "budget-guard/register"];
  return at.run({ flags, args: [way], env: { ...env, ...(proxied && vars) } });
}

describe.runIf(certificate !== null)("a way to a provider", () => {
  it.each(judged)(`${REPORTED}: by %s is judged, call by call, and no news to the safety net`, async (way) => {
    const end = await go(way, "feature.calls.total > 1 -> deny\ncall.unmetered -> deny\n");
    expect([end.json(), hits, end.stderr.includes("past every hook")]).toEqual([[200, 402], 1, false]);
  });

  it.each(unseen)(`${REPORTED}: by %s is broken off before a byte where nothing may pass uncounted`, async (way) => {
    const end = await go(way, "call.unmetered -> deny\n");
    const refused = expect.stringMatching(/^BUDGET_EXCEEDED: budget-guard refused this call: .*past every hook/);
    expect([end.json(), hits]).toEqual([[refused, refused], 0]);
  });

  it.each(unseen)(`${REPORTED}: by %s is told of where it may`, async (way) => {
    const end = await go(way, "feature.calls.total > 0 -> deny\n");
    expect([end.json(), hits]).toEqual([[200, 200], 2]);
    expect(end.stderr.match(/past every hook/g)).toHaveLength(1);
  });
});
