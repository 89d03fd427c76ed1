import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { app, CALL, fixedPrice, fixedUsage, meterOf, status } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import { type Project, project } from "../support/run-app.ts";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

/** Client → the provider that it speaks with. */
const clients: Readonly<Record<string, string>> = {
  fetch: "openai",
  "undici 5 request": "openai",
  "undici 6 fetch": "openai",
  "undici 7 request": "openai",
  // It does not load on older ones.
  ...(major > 22 || (major === 22 && minor >= 19) ? { "undici 8 fetch": "openai" } : {}),
  "node-fetch": "openai",
  ky: "openai",
  axios: "openai",
  got: "openai",
  "node:http": "openai",
  openai: "openai",
  "openai responses": "openai",
  "@anthropic-ai/sdk": "anthropic",
  "ai with openai": "openai",
  "ai with anthropic": "anthropic",
  "@langchain/openai": "openai",
  "@langchain/anthropic": "anthropic",
  langgraph: "openai",
  "@openai/agents": "openai",
  "@mistralai/mistralai": "mistral",
  "groq-sdk": "groq",
  "cohere-ai": "cohere",
  ollama: "ollama",
  llamaindex: "openai",
};

/** They take no signal, and who leaves their loop does not hang up. */
const NEVER_ABORTS = new Set(["llamaindex"]);

/** They ask for no usage in a stream: it is counted from its 20 bytes of text, a token for every 3. */
const ASKS_NO_USAGE = new Set(["llamaindex"]);

interface Seen {
  readonly text?: string;
  readonly error?: { readonly name: string; readonly status: number | null; readonly message: string };
}

const ROOM = "feature.user.total > $1 -> deny\nfeature.calls.total > 100 -> deny\n";
const NO_ROOM = "feature.calls.total > 0 -> deny\n";

describe.each(Object.entries(clients))("%s", (client, speaks) => {
  let provider: FakeProvider;
  let at: Project;
  beforeAll(async () => {
    provider = await fakeProvider({ usage: fixedUsage });
    at = project({
      files: { "app.mjs": app("matrix") },
      config: { prices: fixedPrice },
      env: { BUDGET_GUARD_HOSTS: `${provider.host}=${speaks}` },
    });
  });
  afterAll(async () => {
    await provider.close();
    at.remove();
  });
  beforeEach(() => {
    provider.forget();
    provider.behave(behaviour);
  });

  const behaviour = { usage: fixedUsage, ...(speaks === "mistral" ? ({ includeUsage: "last" } as const) : {}) };

  const run = async (mode: string) => (await at.run({ args: [provider.url, client, mode] })).json<Seen>();
  const spent = async (mode: string) =>
    meterOf(await status(at), "feature.user.cost.total", { feature: client, user: mode });

  it.each(["json", "stream"])("gets its answer as %s, which is charged to whom it belongs", async (mode) => {
    at.write("policies/test.budget", ROOM);
    expect(await run(mode)).toEqual({ text: "Hello from loopback." });
    expect(provider.requests).toHaveLength(1);
    expect(await spent(mode)).toEqual({
      spent: mode === "stream" && ASKS_NO_USAGE.has(client) ? 0.000875 : CALL,
      held: 0,
    });
  });

  it.each(["json", "stream"])("is refused in one attempt, as %s, and shows why", async (mode) => {
    at.write("policies/test.budget", NO_ROOM);
    const { error } = await run(mode);
    // Some show the body as it came.
    expect(error?.message.replaceAll('\\"', '"')).toContain(`budget-guard refused this call: feature "${client}"`);
    expect(provider.requests).toHaveLength(0);
  });

  it.runIf(!NEVER_ABORTS.has(client))("is charged for what came when it gives up", async () => {
    at.write("policies/test.budget", ROOM);
    // Of responses six events come before the second piece of text, of the others fewer.
    const long = client === "openai responses" || client === "@openai/agents";
    provider.behave({ ...behaviour, hang: { afterEvents: long ? 6 : 4 } });
    await run("abort");
    expect(provider.requests).toHaveLength(1);
    const { spent: cost, held } = await spent("abort");
    expect(held).toBe(0);
    expect(cost).toBeGreaterThan(0);
    expect(cost).toBeLessThan(CALL);
  });
});
