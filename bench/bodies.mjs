// What a request body of a megabyte costs beside parsing it once. A client with the guard, one without, and one without that
// parses the bytes of each body before it sends them take turns: what either adds to a call is measured in the same place,
// since a megabyte costs more where caches are cold and memory is short than in a loop. Two more only parse the text, and
// only read it as the guard does. Each is a process of its own, so that none clears away what another left.
import { fileURLToPath } from "node:url";
import { launch, lines, median } from "./machine.mjs";

const client = fileURLToPath(new URL("body-client.mjs", import.meta.url));
const server = fileURLToPath(new URL("server.mjs", import.meta.url));
const ROUNDS = 20;
/** So many at a time that the garbage of a round is mostly collected within it. */
const CALLS = 20;
/** Calls before the first that counts, and before any: until then a process is still compiling what it runs. */
const WARM = 200;
const COMPILED = 3_000;
export const SHAPES = ["conversation", "document", "picture", "tools"];

const GUARD = ["--require", "budget-guard/register"];
const CLIENTS = {
  parse: { flags: [], does: "parse" },
  read: { flags: [], does: "read" },
  direct: { flags: [], does: "call" },
  parsing: { flags: [], does: "parseAndCall" },
  guarded: { flags: GUARD, does: "call" },
};

/**
 * By shape { bytes, parse, read, direct, parsing, guarded, and each of these with Work }, all but the first in microseconds;
 * those of work are CPU time of all threads.
 */
export async function measureBodies({ project, internals, shapes = SHAPES }) {
  const provider = launch(1, process.execPath, [server]);
  const url = `http://127.0.0.1:${await lines(provider)()}`;
  const env = { BUDGET_GUARD_STORE: "memory:", BUDGET_GUARD_TENANT: "acme", BUDGET_GUARD_FEATURE: "bench" };
  const clients = Object.entries(CLIENTS).map(([name, { flags, does }]) => {
    const child = launch(0, process.execPath, [...flags, client, url, internals], { cwd: project, env });
    return { name, does, child, next: lines(child) };
  });
  const ask = async ({ does, child, next }, shape, count) => {
    child.stdin.write(`${JSON.stringify({ does, shape, count })}\n`);
    return JSON.parse(await next());
  };
  for (const one of clients) await ask(one, shapes[0], COMPILED);
  const figures = {};
  for (const shape of shapes) {
    const taken = Object.fromEntries(
      Object.keys(CLIENTS).flatMap((name) => [name, `${name}Work`].map((key) => [key, []])),
    );
    let bytes = 0;
    for (const one of clients) await ask(one, shape, WARM);
    for (let round = 0; round < ROUNDS; round++) {
      for (let turn = 0; turn < clients.length; turn++) {
        const one = clients[(round + turn) % clients.length];
        const answer = await ask(one, shape, CALLS);
        bytes = answer.bytes;
        taken[one.name].push(...answer.taken);
        taken[`${one.name}Work`].push(answer.work);
      }
    }
    const medians = Object.entries(taken).map(([name, values]) => [name, median(values)]);
    figures[shape] = { bytes, ...Object.fromEntries(medians) };
  }
  for (const { child } of clients) child.stdin.end();
  provider.kill();
  return figures;
}
