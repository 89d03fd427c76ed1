// An application that calls a provider with plain fetch, as its one argument says, and prints one line of JSON:
// what came of each call. A plan: { url, calls: [{ body, path, headers, identity, abort, timeoutMs }], parallel, wait }.
// The plan may also stand in a file, named as @FILE. `wait` prints "ready" and lets a line on stdin start it; `linger` keeps the process until stdin ends.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const plan = JSON.parse(process.argv[2].startsWith("@") ? readFileSync(process.argv[2].slice(1)) : process.argv[2]);
const lines = plan.wait || plan.linger ? createInterface({ input: process.stdin }) : null;

async function ask(call, index) {
  const abort = new AbortController();
  let text = "";
  const signal = call.timeoutMs === undefined ? abort.signal : AbortSignal.timeout(call.timeoutMs);
  try {
    const response = await fetch(plan.url + (call.path ?? "/v1/chat/completions"), {
      method: call.method ?? "POST",
      headers: { "content-type": "application/json", authorization: "Bearer a-key", ...call.headers },
      body: call.body === undefined ? undefined : typeof call.body === "string" ? call.body : JSON.stringify(call.body),
      signal,
    });
    const decoder = new TextDecoder();
    for await (const bytes of response.body) {
      const chunk = decoder.decode(bytes, { stream: true });
      text += chunk;
      if (plan.live) process.stdout.write(`chunk ${index} ${JSON.stringify(chunk)}\n`);
      if (call.abort !== undefined && text.includes(call.abort)) abort.abort();
    }
    return { status: response.status, headers: Object.fromEntries(response.headers), text };
  } catch (error) {
    const cause = error.cause ?? error;
    return {
      status: null,
      text,
      error: { name: error.name, message: error.message, code: cause.code, cause: cause.message },
    };
  }
}

async function identified(call, index) {
  if (call.identity === undefined) return ask(call, index);
  const { withBudget } = await import("budget-guard");
  return [].concat(call.identity).reduceRight(
    (inner, identity) => () => withBudget(identity, inner),
    () => ask(call, index),
  )();
}

async function all(calls) {
  if (plan.parallel) return Promise.all(calls.map(identified));
  const results = [];
  for (const [index, call] of calls.entries()) results.push(await identified(call, index));
  return results;
}

// No top-level await: the same text runs as CommonJS too.
void (async () => {
  if (plan.wait) {
    process.stdout.write("ready\n");
    await once(lines, "line");
  }
  const results = await all(plan.calls);
  process.stdout.write(`${JSON.stringify(results)}\n`);
  if (plan.linger) await once(lines, "close");
  lines?.close();
})();
