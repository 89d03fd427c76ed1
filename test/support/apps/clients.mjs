// Every HTTP client asks twice under a feature of its own name. Argument: provider URL. Prints client → statuses.
import http from "node:http";
import axios from "axios";
import { withBudget } from "budget-guard";
import got from "got";
import nodeFetch from "node-fetch";

const url = `${process.argv[2]}/v1/chat/completions`;
const headers = { "content-type": "application/json", authorization: "Bearer a-key" };
const body = JSON.stringify({ model: "fixed-model", max_tokens: 100, messages: [{ role: "user", content: "hi" }] });
const post = { method: "POST", headers, body };

const clients = {
  fetch: async () => read(await fetch(url, post)),
  "fetch with a Request": async () => read(await fetch(new Request(url, post))),
  "node:http": () =>
    new Promise((resolve, reject) => {
      const request = http.request(url, { method: "POST", headers }, (response) => {
        response.resume().on("end", () => resolve(response.statusCode));
      });
      request.on("error", reject).end(body);
    }),
  "node:http keep-alive": () =>
    new Promise((resolve, reject) => {
      const request = http.request(url, { method: "POST", headers, agent: keepAlive }, (response) => {
        response.resume().on("end", () => resolve(response.statusCode));
      });
      request.on("error", reject);
      request.write(body.slice(0, 10));
      request.end(body.slice(10));
    }),
  axios: async () => (await axios.post(url, body, { headers, validateStatus: () => true })).status,
  got: async () => (await got.post(url, { body, headers, throwHttpErrors: false, retry: { limit: 0 } })).statusCode,
  "node-fetch": async () => read(await nodeFetch(url, post)),
};
const keepAlive = new http.Agent({ keepAlive: true, maxSockets: 1 });

async function read(response) {
  await response.text();
  return response.status;
}

/** undici 8 does not load on Node 20. */
async function addUndici(version) {
  const undici = await import(`undici${version}`).catch(() => null);
  if (undici === null) return;
  const own = new undici.Agent({ connections: 1 });
  clients[`undici${version} request`] = async () => {
    const answer = await undici.request(url, post);
    await answer.body.text();
    return answer.statusCode;
  };
  clients[`undici${version} fetch`] = async () => read(await undici.fetch(url, post));
  clients[`undici${version} own agent`] = async () => {
    const answer = await undici.request(url, { ...post, dispatcher: own });
    await answer.body.text();
    return answer.statusCode;
  };
}

async function main() {
  for (const version of [5, 6, 7, 8]) await addUndici(version);
  const seen = {};
  for (const [feature, ask] of Object.entries(clients)) {
    seen[feature] = await withBudget({ feature }, async () => [await ask(), await ask()]);
  }
  process.stdout.write(`${JSON.stringify(seen)}\n`);
  keepAlive.destroy();
}

void main();
