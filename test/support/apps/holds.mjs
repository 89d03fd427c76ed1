// Clients whose second call has to wait. Arguments: provider URL, client name. Prints one line of JSON for it: what came
// of the call, how long it took in ms, and how many pieces a stream came in.
import http from "node:http";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const [url, name] = process.argv.slice(2);
const path = `${url}/v1/chat/completions`;
const headers = { "content-type": "application/json", authorization: "Bearer a-key" };
const messages = [{ role: "user", content: "hi" }];
const chat = { model: "fixed-model", max_tokens: 100, messages };
const keepAlive = new http.Agent({ keepAlive: true, maxSockets: 1 });
const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: "a-key" });
const anthropic = new Anthropic({ baseURL: url, apiKey: "a-key" });

const overHttp = (agent) =>
  new Promise((resolve, reject) => {
    const request = http.request(path, { method: "POST", headers, agent }, async (response) => {
      let pieces = 0;
      for await (const piece of response) pieces += piece.length > 0 ? 1 : 0;
      resolve({ status: response.statusCode, pieces });
    });
    request.on("error", reject).end(JSON.stringify({ ...chat, stream: true }));
  });

async function streamed(response) {
  let pieces = 0;
  for await (const piece of response.body) pieces += piece.length > 0 ? 1 : 0;
  return { status: response.status, pieces };
}

async function told(stream) {
  let pieces = 0;
  for await (const _ of stream) pieces += 1;
  return { status: 200, pieces };
}

const clients = {
  fetch: async () =>
    streamed(await fetch(path, { method: "POST", headers, body: JSON.stringify({ ...chat, stream: true }) })),
  "node:http": () => overHttp(undefined),
  "node:http keep-alive": () => overHttp(keepAlive),
  openai: async () => told(await openai.chat.completions.create({ ...chat, stream: true })),
  anthropic: async () => told(await anthropic.messages.create({ ...chat, stream: true })),
};

async function timed() {
  const began = performance.now();
  try {
    return { ...(await clients[name]()), ms: performance.now() - began };
  } catch (error) {
    return { status: error.status ?? null, error: error.message, ms: performance.now() - began };
  }
}

void (async () => {
  await timed();
  process.stdout.write(`${JSON.stringify(await timed())}\n`);
  keepAlive.destroy();
})();
