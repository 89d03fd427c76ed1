import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { loopback } from "../support/loopback.ts";
import { type Finished, type Project, project } from "../support/run-app.ts";

/** Beside undici 7, the MockAgent of undici 6 mocks nothing on Node 26, with or without the guard. */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const loads8 = major > 22 || (major === 22 && minor >= 19);
const undicis = [...(major >= 26 ? [] : [6]), 7, ...(loads8 ? [8] : [])];

/** A user's own mocks, as the set-up of a test suite makes them. */
const MOCKS = {
  "msw.mjs": `
    import { http, HttpResponse } from "msw";
    import { setupServer } from "msw/node";
    const server = setupServer(http.post("https://api.openai.com/v1/*", async ({ request }) =>
      HttpResponse.json(globalThis.answer(await request.json()), { headers: { "x-mocked": "msw" } })));
    server.listen({ onUnhandledRequest: "error" });`,
  "nock.mjs": `
    import nock from "nock";
    nock.disableNetConnect();
    nock("https://api.openai.com").persist().post(/.*/).reply(200, (_path, body) => globalThis.answer(body), { "x-mocked": "nock" });`,
  ...Object.fromEntries(
    undicis.map((version) => [
      `undici${version}.mjs`,
      `import { MockAgent, setGlobalDispatcher } from "undici${version}";
      const agent = new MockAgent();
      agent.disableNetConnect();
      setGlobalDispatcher(agent);
      agent.get("https://api.openai.com").intercept({ path: /.*/, method: "POST" })
        .reply(200, ({ body }) => JSON.stringify(globalThis.answer(typeof body === "string" ? JSON.parse(body) : null)),
          { headers: { "x-mocked": "undici", "content-type": "application/json" } }).persist();`,
    ]),
  ),
};

const APP = `
  import https from "node:https";
  import axios from "axios";
  import OpenAI from "openai";
  import { request as request6 } from "undici6";
  import { request as request7 } from "undici7";
  const url = "https://api.openai.com/v1/chat/completions";
  const ask = { model: "gpt-4o-mini", max_tokens: 5, messages: [{ role: "user", content: "hi" }] };
  const init = { method: "POST", headers: { "content-type": "application/json", authorization: "Bearer test" }, body: JSON.stringify(ask) };
  const clients = {
    fetch: async () => { const answer = await fetch(url, init); return [answer.status, answer.headers.get("x-mocked"), await answer.text()]; },
    openai: async () => {
      const { data, response } = await new OpenAI({ apiKey: "test" }).chat.completions.create(ask).withResponse();
      return [response.status, response.headers.get("x-mocked"), JSON.stringify(data)];
    },
    axios: async () => {
      const { status, headers, data } = await axios.post(url, ask, { validateStatus: () => true });
      return [status, headers["x-mocked"] ?? null, JSON.stringify(data)];
    },
    https: () => new Promise((resolve, reject) => {
      const request = https.request(url, { method: "POST", headers: init.headers }, async (response) => {
        let text = "";
        for await (const piece of response) text += piece;
        resolve([response.statusCode, response.headers["x-mocked"] ?? null, text]);
      });
      request.on("error", reject).end(init.body);
    }),
    undici6: async () => { const { statusCode, headers, body } = await request6(url, init); return [statusCode, headers["x-mocked"] ?? null, await body.text()]; },
    undici8: async () => {
      const { request } = await import("undici8");
      const { statusCode, headers, body } = await request(url, init);
      return [statusCode, headers["x-mocked"] ?? null, await body.text()];
    },
    // Its fetch gives a MockAgent the body a second time, as __mockAgentBodyForDispatch.
    "undici8 fetch": async () => {
      const answer = await (await import("undici8")).fetch(process.env.REAL ?? url, init);
      return [answer.status, answer.headers.get("x-mocked"), await answer.text()];
    },
    undici7: async () => { const { statusCode, headers, body } = await request7(url, init); return [statusCode, headers["x-mocked"] ?? null, await body.text()]; },
  };
  const told = [];
  for (const name of process.argv.slice(2)) {
    told.push([name, ...(await clients[name]().catch((error) => ["failed", error.name, error.cause?.message ?? error.message]))]);
  }
  console.log(JSON.stringify(told));
  process.exit();
`;

const GLOBAL = `globalThis.answer = (asked) => ({
  id: "chatcmpl-1", object: "chat.completion", created: 1, model: "gpt-4o-mini",
  choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "mocked " + (asked?.messages?.[0]?.content ?? "") } }],
  usage: { prompt_tokens: 8, completion_tokens: 2, total_tokens: 10 },
});`;

/** The clients that each mock is able to stand in for. */
const reach: Readonly<Record<string, readonly string[]>> = {
  "msw.mjs": ["fetch", "openai", "axios", "https"],
  "nock.mjs": ["fetch", "openai", "axios", "https"],
  "undici6.mjs": ["undici6"],
  "undici7.mjs": ["fetch", "openai", "undici6", "undici7"],
  "undici8.mjs": ["undici8", "undici8 fetch"],
};

const GUARD = ["--require", "budget-guard/register"];
const orders = {
  "after the guard": (mock: readonly string[]) => [...GUARD, ...mock],
  "after the guard by --import": (mock: readonly string[]) => ["--import", "budget-guard/register", ...mock],
  "before the guard": (mock: readonly string[]) => [...mock, "--import", "budget-guard/register"],
};

const POLICY = "run.calls > 100 -> deny\n";

let at: Project;
beforeAll(() => {
  at = project({
    policy: POLICY,
    files: { ...MOCKS, "app.mjs": APP, "global.mjs": GLOBAL },
    env: { BUDGET_GUARD_STORE: "memory:" },
  });
});
afterAll(() => at.remove());

describe.each(Object.keys(MOCKS))("%s", (mock) => {
  const set = ["--import", "./global.mjs", "--import", `./${mock}`];
  const args = reach[mock] ?? [];

  it.each(Object.entries(orders))("mocks as it does alone, when it is set up %s", async (_order, flags) => {
    const alone = await at.run({ flags: set, args });
    expect(alone.json<unknown[][]>().map(([name, status]) => [name, status])).toEqual(args.map((name) => [name, 200]));
    const guarded = await at.run({ flags: flags(set), args });
    expect(guarded.json()).toEqual(alone.json());
    const warnings = ({ stderr }: Finished): string => stderr.replace(/node:\d+/g, "node");
    expect([guarded.code, warnings(guarded)]).toEqual([alone.code, warnings(alone)]);
  });

  it("has nothing asked of the guard, where it is off", async () => {
    at.write("policies/test.budget", "run.calls > 0 -> deny\n");
    onTestFinished(() => at.write("policies/test.budget", POLICY));
    const end = await at.run({ flags: [...GUARD, ...set], args, env: { BUDGET_GUARD_MODE: "off" } });
    expect(end.json<unknown[][]>().map(([, status]) => status)).toEqual(args.map(() => 200));
  });
});

describe("a budget that is spent", () => {
  it("refuses a mocked call, too, where the mock stands below the guard", async () => {
    at.write("policies/test.budget", "run.calls > 1 -> deny\n");
    const run = async (mock: string, args: readonly string[]): Promise<unknown[]> => {
      const end = await at.run({ flags: [...GUARD, "--import", "./global.mjs", "--import", `./${mock}`], args });
      return end.json<unknown[][]>().map(([, status]) => status);
    };
    for (const version of undicis) {
      const client = `undici${version}`;
      expect(await run(`${client}.mjs`, [client, client])).toEqual([200, 402]);
    }
  });

  it.runIf(loads8)("makes smaller what a mock lets through", async () => {
    await using server = await loopback();
    at.write("policies/test.budget", "call.output_tokens > 3 -> cap 3 tokens\n");
    at.write(
      "through.mjs",
      `import { MockAgent, setGlobalDispatcher } from "undici8"; setGlobalDispatcher(new MockAgent());`,
    );
    const env = { REAL: `${server.url}/v1/chat/completions`, BUDGET_GUARD_HOSTS: `127.0.0.1:${server.port}=openai` };
    const end = await at.run({ flags: [...GUARD, "--import", "./through.mjs"], args: ["undici8 fetch"], env });
    expect(end.json<unknown[][]>().map(([, status]) => status)).toEqual([200]);
    expect(JSON.parse(String(server.hits[0]?.body))).toMatchObject({ max_tokens: 3 });
  });
});
