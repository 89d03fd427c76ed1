import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { askingProject, fixedUsage, meterOf, status } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import type { Finished, Project } from "../support/run-app.ts";

const COUNTED = "tenant.calls.total > 1000 -> deny\n";
const REFUSED = `${COUNTED}call.unmetered -> deny\n`;

/** Loaded before the guard: a client of a copy of undici that nothing leads to afterwards. */
const early = `
  require("undici6").getGlobalDispatcher();
  globalThis.early = (url) => new (require("undici7").Client)(url);
  globalThis.client = globalThis.early(process.env.PROVIDER);`;

/** Ways past all hooks, each printing what came of its calls. */
const ways: Readonly<Record<string, string>> = {
  undici: `const send = async () => (await client.request(POST)).statusCode;`,
  fetch: `const send = async () => (await fetch(URL_, POST)).status;`,
  socket: `
    import { connect } from "node:net";
    const { hostname, port } = new URL(URL_);
    const send = () => new Promise((resolve, reject) => {
      const socket = connect(port, hostname).setEncoding("utf8");
      socket.on("error", reject).on("data", (text) => resolve(Number(text.split(" ")[1])));
      socket.end("POST " + POST.path + " HTTP/1.1\\r\\nhost: x\\r\\nconnection: close\\r\\ncontent-length: " + POST.body.length + "\\r\\n\\r\\n" + POST.body);
    });`,
};

const app = (way: string): string => `
  const URL_ = process.env.PROVIDER + "/v1/chat/completions";
  const POST = { path: "/v1/chat/completions", method: "POST", headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "fixed-model", max_tokens: 100, messages: [{ role: "user", content: "hello" }] }) };
  ${ways[way]}
  const results = [];
  for (let call = 0; call < 2; call += 1) {
    try {
      results.push(await send());
    } catch (error) {
      const own = error.code === undefined && error.cause !== undefined ? error.cause : error;
      results.push(own.name + " " + own.code + ": " + own.message);
    }
  }
  await globalThis.client?.close();
  console.log(JSON.stringify(results));`;

let provider: FakeProvider;
let project: Project;

beforeEach(async () => {
  provider = await fakeProvider({ usage: fixedUsage });
});
afterEach(async () => {
  await provider.close();
  project.remove();
});

function run(way: string, policy: string, env: Record<string, string> = {}): Promise<Finished> {
  project = askingProject(provider, {
    policy,
    files: {
      "app.mjs": app(way),
      "early.cjs": way === "undici" ? early : "",
      // As an agent would that replaces the seam of the hooks and knows nothing of them.
      "late.cjs": way === "fetch" ? 'require("node:events").init = globalThis.bare;' : "",
      "first.cjs": 'globalThis.bare = require("node:events").init;',
    },
    env: { PROVIDER: provider.url, ...env },
  });
  const preloads = ["./first.cjs", "./early.cjs", "budget-guard/register", "./late.cjs"];
  return project.run({ flags: preloads.flatMap((name) => ["--require", name]) });
}

const told = (end: Finished): string[] => end.stderr.split("\n").filter((line) => line.includes("past every hook"));

describe.each(["undici", "fetch", "socket"])("a program that gets past every hook by %s", (way) => {
  it("is served, uncounted, and told of once", async () => {
    const end = await run(way, COUNTED);
    expect(end.json()).toEqual([200, 200]);
    expect(told(end)).toHaveLength(1);
    expect(told(end)[0]).toContain(`${provider.host} went past every hook, so that nobody could judge or charge it`);
    expect(meterOf(await status(project), "tenant.calls.total").spent).toBe(0);
  });

  it("is refused before a byte by `call.unmetered -> deny`", async () => {
    const end = await run(way, REFUSED);
    const [first = "", second] = end.json<string[]>();
    expect(first).toMatch(/^BudgetExceededError BUDGET_EXCEEDED: budget-guard refused this call: .*past every hook/);
    expect(second).toBe(first);
    expect(provider.requests).toEqual([]);
    expect(told(end)).toHaveLength(1);
  });

  it("is told of and not refused in shadow mode", async () => {
    const end = await run(way, REFUSED, { BUDGET_GUARD_MODE: "shadow" });
    expect(end.json()).toEqual([200, 200]);
    expect(told(end)[0]).toContain("It was let go");
  });
});
