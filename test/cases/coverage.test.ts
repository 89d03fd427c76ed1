/**
 * What went past other enforcers: each test is named after where its class was reported.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { endpoints } from "../endpoints/endpoints.ts";
import { answer, decide, endWorlds, message, spent, world } from "../support/a-guard.ts";
import {
  app,
  asked,
  askingProject,
  CALL,
  fixedCall,
  fixedPrice,
  fixedUsage,
  meterOf,
  status,
} from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import { type Project, project } from "../support/run-app.ts";
import { ask, guarded, messages } from "./asked.ts";

afterEach(endWorlds);

const PASS_THROUGH = "litellm #10750, #12789, #13882, bifrost #2873";
const chatBody = { model: "gpt-4o", max_tokens: 100, messages };

describe("an address that nobody listed", () => {
  it.each([
    "https://api.openai.com/v1/something/new",
    "https://api.anthropic.com/v2/whatever",
    "https://api.mistral.ai/v9/agents/run",
    "https://generativelanguage.googleapis.com/v1/models/x:dreamOf",
  ])(
    `${PASS_THROUGH}: %s on a provider's host is counted, told of, and refused where the policy says so`,
    async (url) => {
      const one = guarded("tenant.calls.total > 100 -> deny");
      await answer(one, await ask(one, url, chatBody), {});
      expect((await spent(one, "tenant.calls.total"))[0]).toBe(1);
      expect(one.decided[0]?.call.spending).toBe("unmetered");
      const strict = guarded("call.unmetered -> deny");
      expect(message(await ask(strict, url, chatBody))).toContain("budget-guard refused this call");
    },
  );

  it.each(["https://llm.example/proxy/v1/chat/completions", "http://10.0.0.9:8080/x/y/v1/messages"])(
    `${PASS_THROUGH}: %s is judged by its path and body, whoever stands there`,
    async (url) => {
      const one = guarded("tenant.daily > $0 -> deny");
      expect((await ask(one, url, chatBody)).kind).toBe("refuse");
    },
  );
});

describe("litellm #38176: every endpoint counts on the same budget", () => {
  const spending = endpoints.filter(({ method, spending: does }) => does !== "free" && method === "POST");
  const body = { ...chatBody, input: "hi", prompt: "hi", query: "hi", documents: ["a"], contents: [], requests: [] };

  it.each(spending.map(({ url, model }) => [url, model] as const))("%s", async (url, model) => {
    const one = guarded("tenant.calls.total > 0 -> deny");
    expect((await ask(one, url, { ...body, model })).kind).toBe("refuse");
  });
});

describe("litellm PR #40010, #35600: a session over WebSocket", () => {
  const opening = { method: "GET", body: null, headers: { upgrade: "websocket" } } as const;

  it("holds money for what it is about to say, and is refused where there is none", async () => {
    const wishes = { ...opening, path: "/v1/realtime?model=gpt-realtime" };
    const one = world("tenant.total > $10 -> deny");
    expect((await decide(one, wishes)).kind).toBe("go");
    expect((await spent(one, "tenant.cost.total"))[1]).toBeGreaterThan(0);
    expect((await decide(world("tenant.total > $0.001 -> deny"), wishes)).kind).toBe("refuse");
  });

  it("that nobody can read is unmetered, and refused where that is not let go", async () => {
    const wishes = { ...opening, path: "/v1/realtime/a-new-kind" };
    expect((await decide(world("call.unmetered -> deny"), wishes)).kind).toBe("refuse");
  });

  it.each([
    ["HTTP/1.1", { upgrade: "websocket", "sec-websocket-key": "k" }],
    ["HTTP/2, which has no key", { upgrade: "websocket" }],
  ])("at an address that cannot spend otherwise is unmetered, over %s", async (_, headers) => {
    const opened = { method: "GET", body: null, path: "/v1/files", headers } as const;
    expect((await decide(world("call.unmetered -> deny"), opened)).kind).toBe("refuse");
    expect((await decide(world("call.unmetered -> deny"), { ...opened, headers: {} })).kind).toBe("go");
  });
});

describe("a body that cannot be read whole", () => {
  const large = (start: string) => ({
    body: null,
    bodyStart: Buffer.from(start),
    headers: { "content-type": "application/json", "content-length": "9000000" },
  });
  const form = (model: string) => ({
    path: "/v1/audio/transcriptions",
    body: null,
    bodyStart: Buffer.from(`--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n${model}\r\n`),
    headers: { "content-type": "multipart/form-data; boundary=b", "content-length": "9000000" },
  });

  it(`${PASS_THROUGH}: of more than 8 MB is a call to its model, under its model's rules and at its price`, async () => {
    const asking = large(
      '{"model":"test-model","stream":true,"max_tokens":50,"messages":[{"role":"user","content":"abc',
    );
    const one = world("tenant.total > $100 -> deny");
    expect((await decide(one, asking)).kind).toBe("go");
    expect(one.decided[0]?.call).toMatchObject({ model: "test-model", stream: true, maxTokens: 50, unpriced: false });
    expect(await spent(one, "tenant.cost.total")).toEqual([0, 3.0005]);
    const forbidden = large('{"model":"forbidden-1","messages":[{"role":"user","content":"abc');
    const strict = world('when model matches "forbidden-*" -> deny');
    expect((await decide(strict, asking)).kind).toBe("go");
    expect(message(await decide(strict, forbidden))).toContain("forbidden-");
  });

  it(`${PASS_THROUGH}: a form with files is a call to the model that its field names`, async () => {
    const one = world("tenant.total > $100 -> deny");
    await decide(one, form("whisper-1"));
    expect(one.decided[0]?.call).toMatchObject({ model: "whisper-1", operation: "transcription", unpriced: false });
  });
});

describe("a real process", () => {
  let provider: FakeProvider;
  let at: Project;
  beforeAll(async () => {
    provider = await fakeProvider({ usage: fixedUsage });
  });
  beforeEach(() => provider.forget());
  afterEach(() => at.remove());
  afterAll(() => provider.close());

  it("litellm #11083, #27480, PR #41218, #27573, TensorZero: who is named in any way, or not at all, is counted", async () => {
    at = askingProject(provider, { policy: "user.total > $1 -> deny\n", env: { BUDGET_GUARD_USER: "by-env" } });
    const calls = [
      fixedCall("a", { headers: { "x-budget-user": "by-header" } }),
      fixedCall("b", { identity: { user: "by-context" } }),
      fixedCall("c"),
    ];
    await asked(at, provider, { calls });
    await asked(at, provider, { calls: [fixedCall("d")] }, { env: { BUDGET_GUARD_USER: "" } });
    const now = await status(at);
    for (const user of ["by-header", "by-context", "by-env", "(none)"]) {
      expect([user, meterOf(now, "user.cost.total", { user }).spent]).toEqual([user, CALL]);
    }
    expect(provider.requests.some(({ headers }) => "x-budget-user" in headers)).toBe(false);
  });

  it.each(["fetch", "undici 6 fetch", "undici 7 request", "node:http", "axios", "node-fetch", "got"])(
    "undici #5500, #5036, defenseclaw PR #752, #822, promptfoo #7993: %s cannot get past the guard",
    async (client) => {
      at = project({
        policy: "feature.calls.total > 0 -> deny\n",
        files: { "app.mjs": app("matrix") },
        config: { prices: fixedPrice },
        env: { BUDGET_GUARD_HOSTS: `${provider.host}=openai` },
      });
      const end = await at.run({ args: [provider.url, client, "json", "[{}]"] });
      expect(end.stdout).toContain("budget-guard refused this call");
      expect(provider.requests).toHaveLength(0);
    },
  );
});

it("undici #5500: what no hook saw is told of, and broken off where the policy lets nothing pass uncounted", () => {
  const seen = { transport: "socket", hostname: "llm.test", port: 443, method: null, path: null, sent: false } as const;
  const one = world("tenant.total > $1 -> deny");
  expect(one.guard.unseen(seen)).toBeNull();
  expect(one.said.join("\n")).toContain("went past every hook");
  expect(world("call.unmetered -> deny").guard.unseen(seen)?.message).toContain("budget-guard refused this call");
});
