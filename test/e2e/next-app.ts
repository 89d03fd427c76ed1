/** An application of Next that knows nothing of budgets, as its files; each request asks a provider in every way a handler might. */
const CALLS = `
import { Agent, request } from "node:http";
import { Readable } from "node:stream";
import OpenAI from "openai";

const url = process.env.PROVIDER + "/v1/chat/completions";
const headers = { "content-type": "application/json" };
let asked = 0;
const question = () => ({ model: "fixed-model", max_tokens: 100, messages: [{ role: "user", content: "question " + ++asked }] });
const openai = new OpenAI({ apiKey: "a-key", baseURL: process.env.PROVIDER + "/v1" });

/** Next's own fetch. */
async function ask(more) {
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(question()), ...more });
  await response.text();
  return response.status;
}

// Fewer connections than requests: most of them wait for one that another request used.
const agent = new Agent({ keepAlive: true, maxSockets: 3 });
const askByAgent = () =>
  new Promise((resolve, reject) => {
    request(url, { method: "POST", headers, agent }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode));
    }).on("error", reject).end(JSON.stringify(question()));
  });
const askByOpenAI = () =>
  openai.chat.completions.create(question()).then(() => 200, ({ status, message }) => status + (message.includes("budget-guard refused this call") ? "" : message));

export async function work(name) {
  await new Promise((resolve) => setImmediate(resolve));
  const seen = [name, await ask()];
  seen.push(await new Promise((resolve, reject) => setTimeout(() => ask({ cache: "no-store" }).then(resolve, reject), 2)));
  const stream = Readable.from(["a", "b"]).on("data", () => {});
  seen.push(await new Promise((resolve, reject) => stream.on("end", () => ask().then(resolve, reject))));
  seen.push(await askByAgent(), await askByOpenAI());
  return seen.join(" ");
}

const cached = JSON.stringify(question());
export const askCached = () => ask({ body: cached, cache: "force-cache" });
export const askLater = () => ask();
`;

/** How many calls one request makes. */
export const CALLS_EACH = 5;

export const nextApp = {
  "package.json": '{ "name": "next-app", "private": true }\n',
  "next.config.mjs": "export default {};\n",
  "calls.js": CALLS,
  "app/ask/route.js": `
    import { work } from "../../calls.js";
    export async function POST(incoming) {
      const { name } = await incoming.json();
      return new Response(await work(name));
    }`,
  "app/cached/route.js": `
    import { askCached } from "../../calls.js";
    export async function POST() {
      return new Response([await askCached(), await askCached()].join(" "));
    }`,
  "app/later/route.js": `
    import { after } from "next/server";
    import { askLater } from "../../calls.js";
    export async function POST() {
      after(() => askLater());
      return new Response("soon");
    }`,
  "pages/api/ask.js": `
    import { work } from "../../calls.js";
    export default async function handler(incoming, response) {
      response.send(await work(incoming.body.name));
    }`,
} as const;
