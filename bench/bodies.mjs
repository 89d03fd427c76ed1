// What a request body of a megabyte costs beside reading it once: the guarded client and the direct one take turns, and
// each parses the same text in the same run.
import { fileURLToPath } from "node:url";
import { launch, lines, median } from "./machine.mjs";

const client = fileURLToPath(new URL("body-client.mjs", import.meta.url));
const server = fileURLToPath(new URL("server.mjs", import.meta.url));
const ROUNDS = 30;
const CALLS = 10;
/** Calls before the first that counts. */
const WARM = 150;
export const SHAPES = ["conversation", "document", "picture"];

/** By shape { bytes, parse, direct, guarded } in microseconds. */
export async function measureBodies({ project }) {
  const provider = launch(1, process.execPath, [server]);
  const url = `http://127.0.0.1:${await lines(provider)()}`;
  const wishes = { direct: [], guarded: ["--require", "budget-guard/register"] };
  const env = { BUDGET_GUARD_STORE: "memory:", BUDGET_GUARD_TENANT: "acme", BUDGET_GUARD_FEATURE: "bench" };
  const clients = Object.entries(wishes).map(([name, flags]) => {
    const child = launch(0, process.execPath, [...flags, client, url], { cwd: project, env });
    return { name, child, next: lines(child) };
  });
  const ask = async ({ child, next }, shape, count) => {
    child.stdin.write(`${JSON.stringify({ shape, count })}\n`);
    return JSON.parse(await next());
  };
  const figures = {};
  for (const shape of SHAPES) {
    const taken = { parse: [], direct: [], guarded: [], directWork: [], guardedWork: [] };
    let bytes = 0;
    for (const one of clients) await ask(one, shape, WARM);
    for (let round = 0; round < ROUNDS; round++) {
      for (let turn = 0; turn < clients.length; turn++) {
        const one = clients[(round + turn) % clients.length];
        const answer = await ask(one, shape, CALLS);
        bytes = answer.bytes;
        taken[one.name].push(...answer.call);
        taken[`${one.name}Work`].push(answer.work);
        taken.parse.push(...answer.parse);
      }
    }
    const medians = Object.entries(taken).map(([name, values]) => [name, median(values)]);
    figures[shape] = { bytes, ...Object.fromEntries(medians) };
  }
  for (const { child } of clients) child.stdin.end();
  provider.kill();
  return figures;
}
