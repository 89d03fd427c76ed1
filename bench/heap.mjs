// Whether streams leave anything behind: the heap after 10,000 of 200 events, garbage collected, beside what it was after the
// first thousand, when everything is compiled and every table has its first entry.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { launch, lines } from "./machine.mjs";

const client = fileURLToPath(new URL("heap-client.mjs", import.meta.url));
const server = fileURLToPath(new URL("server.mjs", import.meta.url));
export const STREAMS = 10_000;
export const EVENTS = 200;
const WARM = 1_000;

/** By store { before, after } in bytes; the direct client says what fetch itself leaves. */
export async function measureHeap({ project, redis }) {
  const provider = launch(1, process.execPath, [server]);
  const url = `http://127.0.0.1:${await lines(provider)()}/v1/chat/completions?events=${EVENTS}`;
  const stores = { memory: "memory:", file: `file:${join(project, "heap.db")}`, ...(redis && { redis: redis.url }) };
  const figures = { direct: await heap(project, url, [], {}) };
  for (const [name, store] of Object.entries(stores)) {
    figures[name] = await heap(project, url, ["--require", "budget-guard/register"], { BUDGET_GUARD_STORE: store });
  }
  provider.kill();
  return figures;
}

async function heap(cwd, url, flags, env) {
  const child = launch(0, process.execPath, ["--expose-gc", ...flags, client, url], { cwd, env });
  const next = lines(child);
  const ask = async (count) => {
    child.stdin.write(`${count}\n`);
    return Number(await next());
  };
  const before = await ask(WARM);
  const after = await ask(STREAMS);
  child.stdin.end();
  return { before, after };
}
