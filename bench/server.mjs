// The provider of the benchmark: the smallest honest answers in OpenAI's wire format. Prints its port.
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const usage = { prompt_tokens: 520, completion_tokens: 60, total_tokens: 580 };
const head = { id: "bench", created: 1_790_000_000, model: "gpt-5" };
const whole = Buffer.from(
  JSON.stringify({
    ...head,
    object: "chat.completion",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: "A budget is a promise. ".repeat(10) },
        finish_reason: "stop",
      },
    ],
    usage,
  }),
);
const event = (choices, used) =>
  `data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", choices, usage: used })}\n\n`;
const delta = event([{ index: 0, delta: { content: "A budget is " }, finish_reason: null }], null);
const end = [event([{ index: 0, delta: {}, finish_reason: "stop" }], null), event([], usage), "data: [DONE]\n\n"];
const DELTAS = 20;

const server = createServer(async (request, response) => {
  const parts = [];
  const number = (name) => Number(new RegExp(`[?&]${name}=(\\d+)`).exec(request.url)?.[1] ?? 0);
  const [think, pause] = [number("think"), number("pause")];
  const deltas = (number("events") || DELTAS + end.length) - end.length;
  for await (const part of request) parts.push(part);
  if (request.method === "GET") return response.end("ok");
  if (think > 0) await sleep(think);
  if (!Buffer.concat(parts).includes('"stream":true')) {
    response.writeHead(200, { "content-type": "application/json", "content-length": whole.length });
    return response.end(whole);
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (let index = 0; index < deltas; index++) {
    response.write(delta);
    // A model's first words do not come in one packet with its last.
    if (index === 0 && pause > 0) await sleep(pause);
  }
  for (const text of end) response.write(text);
  response.end();
});
server.keepAliveTimeout = 120_000;
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
