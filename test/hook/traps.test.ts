import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { BudgetExceededError } from "../../src/errors.ts";
import { exempt } from "../../src/hook/exempt.ts";
import { install } from "../../src/hook/install.ts";
import { refusalAnswer, refusalError } from "../../src/hook/refusal.ts";
import { type Loopback, loopback } from "../support/loopback.ts";
import { project } from "../support/run-app.ts";
import { undicis } from "./clients.ts";
import { FakeGatekeeper, refuse } from "./fake-gatekeeper.ts";

// Traps of standing in front of clients that no other test is about. The others are tested where their hook is.

const PATH = "/v1/chat/completions";
const post = { path: PATH, method: "POST", body: "hello" } as const;
const [major = 0] = process.versions.node.split(".").map(Number);

let server: Loopback;
let gatekeeper: FakeGatekeeper;
let guard: { dispose(): void };

beforeEach(async () => {
  server = await loopback();
  gatekeeper = new FakeGatekeeper();
  gatekeeper.ports.add(server.port);
  guard = install(gatekeeper);
  onTestFinished(() => guard.dispose());
});
afterEach(() => server[Symbol.asyncDispose]());

/** Holds every request until it is let go. */
function held(): () => void {
  let go = (): void => {};
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });
  gatekeeper.decision = async () => {
    await gone;
    return gatekeeper.go();
  };
  return go;
}

describe("a refusal", () => {
  const detail = {
    rule: "r",
    scope: {},
    metric: "cost",
    spent: 1,
    held: 0,
    estimate: 1,
    limit: 1,
    unit: "USD",
    resets_at: "2026-11-22T15:00:00Z",
  } as const;

  it("is 402 and says not to try again; no status and no header asks a client to wait and come back", () => {
    const { status, headers } = refusalAnswer("no", detail);
    expect(status).toBe(402);
    expect(headers["x-should-retry"]).toBe("false");
    const names = Object.keys(headers).map((name) => name.toLowerCase());
    expect(names.filter((name) => /retry-after|ratelimit|reset/.test(name))).toEqual([]);
  });

  it("that is thrown is no abort and no time-out, which clients take for their own", () => {
    const error = refusalError("no", detail);
    expect(error).toBeInstanceOf(BudgetExceededError);
    expect([error.name, error.code]).toEqual(["BudgetExceededError", "BUDGET_EXCEEDED"]);
  });
});

describe("undici's global dispatchers", () => {
  const symbols = [1, 2].map((version) => Symbol.for(`undici.globalDispatcher.${version}`));
  const state = () => symbols.map((symbol) => Object.getOwnPropertyDescriptor(globalThis, symbol));

  it("stay what they were: plain values that an application may replace, be they older than the guard", async () => {
    await exempt(() => fetch(server.url));
    const before = state();
    guard.dispose();
    guard = install(gatekeeper);
    await fetch(server.url);
    expect(state()).toEqual(before);
    for (const found of before) {
      if (found !== undefined) expect(found).toMatchObject({ writable: true, enumerable: false, configurable: false });
      expect(found?.get).toBeUndefined();
    }
    for (const [, { Agent }] of undicis) new Agent();
    await fetch(server.url);
    expect(state()).toEqual(before);
    expect(gatekeeper.departures).toHaveLength(2);
  });
});

describe.each([...undicis])("undici %i", (version, { Agent, Pool }) => {
  // `headersTimeout` is looked at by undici's coarse timers, half a second apart.
  it("does not count the time of a hold against its own time for the answer's head", async () => {
    const go = held();
    const agent = new Agent({ headersTimeout: 100 } as never);
    const answer = agent.request({ origin: server.url, ...post });
    setTimeout(go, 1_600);
    expect((await answer).statusCode).toBe(200);
    await agent.destroy();
  });

  it("has its caller's own time-out end a hold at once, by its own name", async () => {
    held();
    const agent = new Agent();
    const signal = AbortSignal.timeout(20);
    const reason = await agent.request({ origin: server.url, ...post, signal }).catch((error: Error) => error.name);
    expect(reason).toBe(version === 5 ? "AbortError" : "TimeoutError");
    expect(server.hits).toEqual([]);
    await agent.destroy();
  });

  it("is told that there is room while a request is held, and one connection serves them all in the end", async () => {
    const go = held();
    const pool = new Pool(server.url, { connections: 1, pipelining: 1 });
    const answers = Array.from({ length: 100 }, () => pool.request(post));
    const before = { onConnect() {}, onHeaders: () => true, onData: () => true, onComplete() {}, onError() {} };
    const since = {
      onRequestStart() {},
      onResponseStart() {},
      onResponseData() {},
      onResponseEnd() {},
      onResponseError() {},
    };
    const handler = version < 7 ? before : since;
    expect(pool.dispatch({ ...post }, handler)).toBe(true);
    go();
    for (const answer of answers) {
      const { statusCode, body } = await answer;
      for await (const _ of body);
      expect(statusCode).toBe(200);
    }
    await pool.close();
    expect(server.connections()).toBe(1);
    expect(server.hits).toHaveLength(101);
  });

  it("lets the guard's own traffic pass, also by a client that others use", async () => {
    gatekeeper.decision = refuse;
    const agent = new Agent();
    const own = await exempt(() => agent.request({ origin: server.url, ...post }));
    expect(own.statusCode).toBe(200);
    expect((await agent.request({ origin: server.url, ...post })).statusCode).toBe(402);
    expect(gatekeeper.sightings).toEqual([]);
    await agent.destroy();
  });
});

describe("a fault inside the guard", () => {
  it("is never the application's: the request goes, by undici and by node:http", async () => {
    gatekeeper.concerns = () => {
      throw new Error("a defect");
    };
    gatekeeper.unseen = () => {
      throw new Error("another");
    };
    expect((await fetch(server.url + PATH, { method: "POST", body: "x" })).status).toBe(200);
    const asked = httpRequest(server.url + PATH, { method: "POST", agent: false }).end("x");
    const [response] = await once(asked, "response");
    response.resume();
    expect(response.statusCode).toBe(200);
    expect(server.hits).toHaveLength(2);
  });
});

describe("a gatekeeper that fails", () => {
  it.each(["at once", "later"])("%s lets the request go by undici as if nobody had stood there", async (when) => {
    gatekeeper.decision = () => {
      if (when === "at once") throw new Error("a defect");
      return new Promise<never>((_, reject) => setImmediate(reject, new Error("a defect")));
    };
    expect((await fetch(server.url + PATH, { method: "POST", body: "x" })).status).toBe(200);
    for (const [, { Agent }] of undicis) {
      const agent = new Agent();
      expect((await agent.request({ origin: server.url, ...post })).statusCode).toBe(200);
      await agent.destroy();
    }
    expect(server.hits).toHaveLength(1 + undicis.size);
  });
});

describe("a request with nothing else under way", () => {
  it("keeps its process until a body that waits for its answer is decided on", async () => {
    const early = createServer((request, response) => {
      response.end("early");
      request.resume();
    });
    early.listen(0, "127.0.0.1");
    await once(early, "listening");
    const { port } = early.address() as AddressInfo;
    const waits = `
      let answered;
      const answer = new Promise((resolve) => { answered = resolve; });
      async function* pieces() {
        yield new TextEncoder().encode('{"model":"gpt-5",');
        await answer;
      }
      const body = ReadableStream.from(pieces());
      const { status } = await fetch(process.env.URL, { method: "POST", body, duplex: "half" });
      answered();
      console.log(status);`;
    const at = project({ policy: 'when model matches "o1-pro*" -> deny\n', files: { "app.mjs": waits } });
    onTestFinished(() => at.remove());
    const env = { BUDGET_GUARD_HOSTS: `127.0.0.1:${port}=openai`, URL: `http://127.0.0.1:${port}${PATH}` };
    const end = await at.run({ env });
    early.close();
    expect([end.code, end.stdout.trim()]).toEqual([0, "200"]);
  });
});

describe("a process under Node's permission model", () => {
  /** The flag lost its `experimental` in 22.13 and 23.5. */
  const flag = major >= 24 ? "--permission" : "--experimental-permission";

  it("is guarded where it may read and write its own files", async () => {
    const at = project({ policy: "when tenant is missing -> deny\n", files: { "app.mjs": app } });
    onTestFinished(() => at.remove());
    const env = {
      BUDGET_GUARD_HOSTS: `127.0.0.1:${server.port}=openai`,
      URL: server.url + PATH,
      NODE_NO_WARNINGS: "1",
    };
    const allowed = ["--allow-fs-read=*", "--allow-fs-write=*", ...(major >= 25 ? ["--allow-net"] : [])];
    const end = await at.run({ flags: [flag, ...allowed, "--require", "budget-guard/register"], env });
    expect([end.code, end.stdout.trim()]).toEqual([0, "402"]);
    expect(server.hits).toEqual([]);
  });

  const app = `
    const body = JSON.stringify({ model: "gpt-5", messages: [{ role: "user", content: "hello" }] });
    const { status } = await fetch(process.env.URL, { method: "POST", body, headers: { "content-type": "application/json" } });
    console.log(status);`;
});
