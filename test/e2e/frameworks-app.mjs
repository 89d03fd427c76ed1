// A server of one framework that knows nothing of budgets: each request asks a provider in every way a handler might.
import { Agent, request } from "node:http";
import { Readable } from "node:stream";

const [framework, provider] = process.argv.slice(2);
const url = `${provider}/v1/chat/completions`;
const body = (content) =>
  JSON.stringify({ model: "fixed-model", max_tokens: 100, messages: [{ role: "user", content }] });
const headers = { "content-type": "application/json" };

let asked = 0;
const question = () => `question ${++asked}`;

async function ask() {
  const response = await fetch(url, { method: "POST", headers, body: body(question()) });
  await response.text();
  return response.status;
}

// Fewer connections than requests: most of them wait for one that another request used.
const agent = new Agent({ keepAlive: true, maxSockets: 3 });
const askByAgent = () =>
  new Promise((resolve, reject) => {
    request(url, { method: "POST", headers, agent }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode));
    })
      .on("error", reject)
      .end(body(question()));
  });

async function* work({ name }) {
  await new Promise((resolve) => setImmediate(resolve));
  yield `${name} ${await ask()} `;
  yield `${await new Promise((resolve, reject) => setTimeout(() => ask().then(resolve, reject), 2))} `;
  const stream = Readable.from(["a", "b"]).on("data", () => {});
  yield `${await new Promise((resolve, reject) => stream.on("end", () => ask().then(resolve, reject)))} `;
  yield `${await askByAgent()}`;
}

async function bodyOf(incoming) {
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}

const frameworks = {
  async http() {
    const { createServer } = await import("node:http");
    return createServer(async (incoming, response) => Readable.from(work(await bodyOf(incoming))).pipe(response));
  },
  async express() {
    const { default: express } = await import("express");
    const app = express();
    app.use(express.json());
    app.use((_incoming, _response, next) => setImmediate(next));
    app.post("/ask", (incoming, response) => Readable.from(work(incoming.body)).pipe(response));
    return (await import("node:http")).createServer(app);
  },
  async fastify() {
    const { default: fastify } = await import("fastify");
    const app = fastify();
    app.addHook("preHandler", async () => new Promise((resolve) => setImmediate(resolve)));
    app.post("/ask", async (incoming, reply) => reply.send(Readable.from(work(incoming.body))));
    await app.ready();
    return app.server;
  },
  async koa() {
    const { default: Koa } = await import("koa");
    const app = new Koa();
    app.use(async (_context, next) => {
      await new Promise((resolve) => setImmediate(resolve));
      await next();
    });
    app.use(async (context) => {
      context.body = Readable.from(work(await bodyOf(context.req)));
    });
    return (await import("node:http")).createServer(app.callback());
  },
  async hono() {
    const { Hono } = await import("hono");
    const { createAdaptorServer } = await import("@hono/node-server");
    const app = new Hono();
    app.use(async (_context, next) => {
      await new Promise((resolve) => setImmediate(resolve));
      await next();
    });
    app.post("/ask", async (context) => {
      const answer = work(await context.req.json());
      return new Response(Readable.toWeb(Readable.from(answer)).pipeThrough(new TextEncoderStream()));
    });
    return createAdaptorServer({ fetch: app.fetch });
  },
};

const server = await frameworks[framework]();
server.listen(0, "127.0.0.1", () => console.log(`port ${server.address().port}.`));
process.stdin.once("data", () => {
  agent.destroy();
  server.close();
  server.closeAllConnections();
  process.stdin.destroy();
});
