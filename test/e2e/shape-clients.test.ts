import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { app, fixedPrice, meterOf, status } from "../support/asking.ts";
import { type FakeProvider, fakeProvider, type Recorded } from "../support/fake-provider.ts";
import { type Project, project } from "../support/run-app.ts";

const POLICY = `
call.cost >= $0 when not model matches "*-embedding" -> route to "cheap-model", cap 40 tokens
call.cost >= $0 when model matches "*-embedding"     -> route to "cheap-embedding"
tenant.total > $100 -> deny
`;

const PRICES = {
  ...fixedPrice,
  "cheap-model": { input: 0, output: 12.5 },
  "fixed-embedding": { input: 100, output: 0 },
  "cheap-embedding": { input: 1, output: 0 },
};

/** Sends one body in every way in which a body can be sent, and prints client → the text of the answer. */
const ways = `
import { Buffer } from "node:buffer";
import http from "node:http";
import { Readable } from "node:stream";
import { readFileSync } from "node:fs";
import axios from "axios";
import got from "got";
import nodeFetch from "node-fetch";

const url = process.argv[2] + "/v1/chat/completions";
const body = readFileSync("body.json");
const headers = { "content-type": "application/json", authorization: "Bearer a-key" };
const sized = { ...headers, "content-length": String(body.length) };
const pieces = function* () { for (let at = 0; at < body.length; at += 11) yield body.subarray(at, at + 11); };
const post = (body, more = headers) => ({ method: "POST", headers: more, body });
const text = async (response) => (await response).text();
const nodeHttp = (headers, send) => new Promise((resolve, reject) => {
  const request = http.request(url, { method: "POST", headers }, (response) => {
    let answer = "";
    response.setEncoding("utf8").on("data", (text) => { answer += text; }).on("end", () => resolve(answer));
  });
  request.on("error", reject);
  send(request);
});
const ways = {
  "fetch of a text": () => text(fetch(url, post(body.toString()))),
  "fetch of bytes": () => text(fetch(url, post(new Uint8Array(body)))),
  "fetch of a blob": () => text(fetch(url, post(new Blob([body], { type: "application/json" })))),
  "fetch of a stream": () => text(fetch(url, { ...post(Readable.toWeb(Readable.from(pieces()))), duplex: "half" })),
  "fetch of a Request": () => text(fetch(new Request(url, post(body.toString())))),
  "http of known length": () => nodeHttp(sized, (request) => request.end(body)),
  "http in one end": () => nodeHttp(headers, (request) => request.end(body)),
  "http in chunks": () => nodeHttp(headers, (request) => { for (const piece of pieces()) request.write(piece); request.end(); }),
  "http of known length in pieces": () => nodeHttp(sized, (request) => { for (const piece of pieces()) request.write(piece); request.end(); }),
  "http from a pipe": () => nodeHttp(headers, (request) => Readable.from(pieces()).pipe(request)),
  axios: async () => (await axios.post(url, body, { headers, responseType: "text", transformResponse: (text) => text })).data,
  got: async () => (await got.post(url, { body, headers })).body,
  "node-fetch": () => text(nodeFetch(url, post(body))),
};
async function addUndici(version) {
  const undici = await import("undici" + version).catch(() => null);
  if (undici === null) return;
  const answer = async (sent) => (await undici.request(url, sent)).body.text();
  ways["undici " + version + " request"] = () => answer(post(body));
  ways["undici " + version + " request of known length"] = () => answer(post(body, sized));
  ways["undici " + version + " request of a stream"] = () => answer(post(Readable.from(pieces())));
  ways["undici " + version + " request of a generator"] = () => answer(post(pieces()));
  ways["undici " + version + " request with flat headers"] = () => answer(post(body, Object.entries(sized).flat()));
  ways["undici " + version + " fetch"] = () => text(undici.fetch(url, post(body)));
  ways["undici " + version + " stream"] = async () => {
    const parts = [];
    const { Writable } = await import("node:stream");
    const sink = () => new Writable({ write(part, _encoding, done) { parts.push(part); done(); } });
    await undici.stream(url, post(body), sink);
    return Buffer.concat(parts).toString();
  };
}
void (async () => {
  for (const version of [5, 6, 7, 8]) await addUndici(version);
  const seen = {};
  for (const [name, send] of Object.entries(ways)) seen[name] = await send();
  process.stdout.write(JSON.stringify(seen) + "\\n");
})();
`;

let provider: FakeProvider;
let at: Project;
beforeAll(async () => {
  provider = await fakeProvider({ usage: { input: 10, output: 100 } });
  at = project({
    policy: POLICY,
    files: { "app.mjs": app("sdks"), "ways.mjs": ways },
    config: { prices: PRICES },
    env: { BUDGET_GUARD_TENANT: "acme" },
  });
});
afterAll(async () => {
  await provider.close();
  at.remove();
});
beforeEach(() => provider.forget());

const openai = () => ({ BUDGET_GUARD_HOSTS: `${provider.host}=openai`, BUDGET_GUARD_FEATURE: "" });

/** 100 tokens at $12.50 per million, but 10 of an embedding at $1; and 7 by what was seen of a stream that reports no usage. */
const costs: Readonly<Record<string, number>> = { "openai embeddings": 0.00001, "openai chat stream": 0.0000875 };

/** Exactly one length, that of the bytes that came, and no other way of saying where the body ends. */
function expectLength({ headers, body, rawHeaders }: Recorded): void {
  expect(headers["content-length"]).toBe(String(body.length));
  expect(headers["transfer-encoding"]).toBeUndefined();
  expect(rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === "content-length")).toHaveLength(
    1,
  );
}

describe("a route and a cap", () => {
  it("reach the provider from every client and every form of body, with no other byte changed", async () => {
    const body =
      '{ "messages":[{"role":"user","content":"caf\\u00e9 猫 \\"model\\":\\"fixed-model\\""}],\n "model" : "fixed-model", "max_tokens":4000 }\r\n';
    at.write("body.json", body);
    const end = await at.run({ script: "ways.mjs", args: [provider.url], env: openai() });
    expect([end.code, end.stderr]).toEqual([0, ""]);
    const answers = Object.entries(end.json<Record<string, string>>());
    expect(answers.length).toBeGreaterThanOrEqual(27);
    expect(provider.requests).toHaveLength(answers.length);
    const changed = body.replace('"model" : "fixed-model"', '"model" : "cheap-model"').replace("4000", "40");
    for (const [index, [name, answer]] of answers.entries()) {
      const request = provider.requests[index];
      if (request === undefined) throw new Error(`no request of ${name}`);
      expect(request.body.toString(), name).toBe(changed);
      expectLength(request);
      // The answer is the provider's own, about the model that it was asked.
      expect(JSON.parse(answer), name).toMatchObject({ model: "cheap-model", usage: { completion_tokens: 100 } });
    }
  });

  for (const client of [
    "openai chat",
    "openai chat stream",
    "openai responses",
    "openai embeddings",
    "anthropic messages",
    "anthropic stream",
    "ai openai",
    "ai openai responses",
    "ai anthropic",
    "ai stream",
  ]) {
    it(`of ${client}: the provider sees the new model and cap, the caller its answer, the ledger the new price`, async () => {
      const args = [provider.url, client];
      const unguarded = await at.run({ flags: [], args });
      const feature = client.replaceAll(" ", "-");
      const name = client.includes("anthropic") ? "anthropic" : "openai";
      const env = { BUDGET_GUARD_HOSTS: `${provider.host}=${name}`, BUDGET_GUARD_FEATURE: feature };
      at.write("policies/test.budget", `${POLICY}feature.total > $100 -> deny\n`);
      const guarded = await at.run({ args, env });
      expect([guarded.code, guarded.stderr, guarded.stdout]).toEqual([0, "", unguarded.stdout]);
      const [before, after] = provider.requests;
      if (before === undefined || after === undefined) throw new Error("not two requests");
      const text = before.body.toString();
      expect(after.body.toString()).toBe(
        client === "openai embeddings"
          ? text.replace("fixed-embedding", "cheap-embedding")
          : text.replace('"fixed-model"', '"cheap-model"').replace(/("max_\w+":)100/, "$140"),
      );
      expect(after.body.toString()).not.toBe(text);
      expectLength(after);
      const { spent, held } = meterOf(await status(at), "feature.cost.total", { feature });
      expect(held).toBe(0);
      expect(spent).toBeCloseTo(costs[client] ?? 0.00125, 9);
    });
  }
});
