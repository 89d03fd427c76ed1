// An application that runs on and calls its provider when it is told to: one call (JSON) a line of stdin, one line of
// JSON for each on stdout. A line with `api` asks budget-guard itself instead: { api: "pause", args: [...] }. Its argument
// is the provider's URL. It ends with its stdin.
import { createInterface } from "node:readline";

const [url] = process.argv.slice(2);

async function ask({ id, api, args, body, headers }) {
  if (api !== undefined) {
    const guard = await import("budget-guard");
    return { id, status: 0, text: JSON.stringify((await guard[api](...args)) ?? null) };
  }
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer a-key", ...headers },
    body: JSON.stringify(body),
  });
  return { id, status: response.status, text: await response.text() };
}

createInterface({ input: process.stdin }).on("line", async (line) => {
  process.stdout.write(`${JSON.stringify(await ask(JSON.parse(line)))}\n`);
});
process.stdout.write("ready\n");
