// A number on stdin makes it read so many streams, a few at a time; it answers with its heap in bytes, garbage collected.
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const [url] = process.argv.slice(2);
const AT_ONCE = 8;
/** Long enough for settlements, which no caller waits for, to be over. */
const REST_MS = 500;

async function stream(index) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer a-key" },
    body: JSON.stringify({
      model: "gpt-5",
      max_completion_tokens: 200,
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: "user", content: `Question ${index}: what is a budget?` }],
    }),
  });
  if (!response.ok) throw new Error(`answered ${response.status}: ${await response.text()}`);
  for await (const chunk of response.body) if (chunk.length === 0) throw new Error("an empty chunk");
}

let asked = 0;
async function read(count) {
  const last = asked + count;
  const one = async () => {
    while (asked < last) await stream(asked++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

for await (const line of createInterface({ input: process.stdin })) {
  await read(Number(line));
  await sleep(REST_MS);
  for (let pass = 0; pass < 4; pass++) {
    globalThis.gc();
    await sleep(50);
  }
  process.stdout.write(`${process.memoryUsage().heapUsed}\n`);
}
