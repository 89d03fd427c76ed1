// One client process that sends bodies of a megabyte, kept alive so that rounds of several can be interleaved. A line on
// stdin such as {"shape":"document","count":10} makes it call and parse in turn; it answers with latencies in microseconds.
import { createInterface } from "node:readline";

const [url] = process.argv.slice(2);
const MEGABYTE = 1_000_000;
const prose = (length) =>
  "A budget is a promise that was kept, said the clerk on the 3rd of May.\n".repeat(length / 70).slice(0, length);

const turns = () =>
  Array.from({ length: 400 }, (_, index) => ({ role: index % 2 === 0 ? "user" : "assistant", content: prose(2_400) }));
const picture = () => ({ url: `data:image/png;base64,${"iVBORw0KGgoAAAANSUhEUgAABAAAAAMA".repeat(31_000)}` });

/** What makes bodies long: many turns, one long text, or something inlined. */
const shapes = {
  conversation: turns,
  document: () => [{ role: "user", content: prose(MEGABYTE) }],
  picture: () => [{ role: "user", content: [{ type: "image_url", image_url: picture() }] }],
};

const bodies = Object.fromEntries(
  Object.entries(shapes).map(([name, messages]) => [
    name,
    JSON.stringify({ model: "gpt-5", max_completion_tokens: 200, stream: false, messages: messages() }),
  ]),
);

const since = (start) => Number(process.hrtime.bigint() - start) / 1_000;

async function call(body) {
  const start = process.hrtime.bigint();
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer a-key" },
    body,
  });
  await response.text();
  if (!response.ok) throw new Error(`answered ${response.status}`);
  return since(start);
}

let kept = null;
function parse(body) {
  const start = process.hrtime.bigint();
  kept = JSON.parse(body);
  const taken = since(start);
  if (kept.model !== "gpt-5") throw new Error("the body did not parse");
  return taken;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { shape, count } = JSON.parse(line);
  const body = bodies[shape];
  const answer = { bytes: Buffer.byteLength(body), call: [], parse: [], work: 0 };
  for (let index = 0; index < count; index++) answer.parse.push(parse(body));
  const before = process.cpuUsage();
  for (let index = 0; index < count; index++) answer.call.push(await call(body));
  const { user, system } = process.cpuUsage(before);
  answer.work = (user + system) / count;
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
