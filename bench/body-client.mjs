// One client process that sends bodies of a megabyte, or parses them, kept alive so that rounds of several can be
// interleaved. A line on stdin such as {"does":"call","shape":"document","count":10} makes it do so as often; it answers
// with what each took, and with the CPU time of all its threads for one, in microseconds.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [url, internals] = process.argv.slice(2);
const MEGABYTE = 1_000_000;
const prose = (length) =>
  "A budget is a promise that was kept, said the clerk on the 3rd of May.\n".repeat(length / 70).slice(0, length);

const turns = () =>
  Array.from({ length: 400 }, (_, index) => ({ role: index % 2 === 0 ? "user" : "assistant", content: prose(2_400) }));
const picture = () => ({ url: `data:image/png;base64,${"iVBORw0KGgoAAAANSUhEUgAABAAAAAMA".repeat(31_000)}` });
/** A file of source as a tool hands it on: JSON within JSON, so that every quote is escaped. */
const listing = (index) =>
  JSON.stringify({
    path: `src/clerk-${index}.ts`,
    lines: 3,
    text: 'const told = say("no", { to: "all", of: ["us"] });\n'.repeat(3),
  });
const tools = () =>
  Array.from({ length: 1_900 }, (_, index) => [
    {
      role: "assistant",
      tool_calls: [
        {
          id: `call_${index}`,
          type: "function",
          function: { name: "read_file", arguments: JSON.stringify({ path: `src/clerk-${index}.ts` }) },
        },
      ],
    },
    { role: "tool", tool_call_id: `call_${index}`, content: listing(index) },
  ]).flat();

/** What makes bodies long: many turns, one long text, something inlined, or what tools are asked and answer. */
const shapes = {
  conversation: turns,
  document: () => [{ role: "user", content: prose(MEGABYTE) }],
  picture: () => [{ role: "user", content: [{ type: "image_url", image_url: picture() }] }],
  tools,
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

/** What leaves a client is bytes, so that whoever wants to know what it says decodes them first. */
async function parseAndCall(body, bytes) {
  const start = process.hrtime.bigint();
  kept = JSON.parse(bytes.toString());
  if (kept.model !== "gpt-5") throw new Error("the body did not parse");
  kept = null;
  await call(body);
  return since(start);
}

let reader = null;
async function read(_body, bytes) {
  reader ??= await readerOf(await import(pathToFileURL(internals)));
  const start = process.hrtime.bigint();
  kept = reader(bytes);
  const taken = since(start);
  if (kept.call.model !== "gpt-5") throw new Error("the body was not read");
  return taken;
}

/** As the guard reads a body: what it is, and what it may cost. */
async function readerOf({ identify, loadPrices, readCall, recogniser }) {
  const prices = await loadPrices();
  const [host, path] = ["api.openai.com", "/v1/chat/completions"];
  const recognised = recogniser({ hosts: new Map() })(host, 443, "POST", path);
  const nobody = { context: {}, headers: {}, incoming: null, baggage: null, environment: {}, dimensions: [] };
  const identity = identify({ ...nobody, traceId: null, requestId: null, processId: "bench" });
  const request = { attempt: "bench", recognised, host, port: 443, path, headers: {}, identity, prices };
  return (body) => readCall({ ...request, body });
}

const deeds = { call, parse, parseAndCall, read };

for await (const line of createInterface({ input: process.stdin })) {
  const { does, shape, count } = JSON.parse(line);
  const body = bodies[shape];
  const bytes = Buffer.from(body);
  const answer = { bytes: bytes.length, taken: [], work: 0 };
  const before = process.cpuUsage();
  for (let index = 0; index < count; index++) answer.taken.push(await deeds[does](body, bytes));
  const { user, system } = process.cpuUsage(before);
  answer.work = (user + system) / count;
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
