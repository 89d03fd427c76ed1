import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { app, fixedPrice } from "../support/asking.ts";
import { type FakeProvider, fakeProvider } from "../support/fake-provider.ts";
import { type Project, project } from "../support/run-app.ts";

const clients = [
  "openai chat",
  "openai chat stream",
  "openai responses",
  "openai embeddings",
  "anthropic messages",
  "anthropic stream",
  "ai openai",
  "ai openai responses",
  "ai anthropic",
  "ai stream",
] as const;

interface Seen {
  readonly text?: string | number;
  readonly error?: {
    readonly name: string;
    readonly status: number;
    readonly code: string | null;
    readonly message: string;
  };
}

let provider: FakeProvider;
let at: Project;
beforeAll(async () => {
  provider = await fakeProvider({ usage: { input: 10, output: 100 } });
  at = project({
    files: { "app.mjs": app("sdks") },
    config: { prices: { ...fixedPrice, "fixed-embedding": { input: 1, output: 0 } } },
    env: { BUDGET_GUARD_STORE: "memory:", BUDGET_GUARD_TENANT: "acme" },
  });
});
afterAll(async () => {
  await provider.close();
  at.remove();
});
beforeEach(() => provider.forget());

const hosts = (client: string) => ({
  BUDGET_GUARD_HOSTS: `${provider.host}=${client.includes("anthropic") ? "anthropic" : "openai"}`,
});

describe("the real SDKs with their default settings", () => {
  for (const client of clients) {
    it(`${client}: gets its answer in one attempt where the policy has room`, async () => {
      at.write("policies/test.budget", "tenant.calls.total > 1 -> deny\n");
      const end = await at.run({ args: [provider.url, client], env: hosts(client) });
      expect(end.stderr).toBe("");
      expect(end.json<Seen>().text).toBe(client === "openai embeddings" ? 3 : "Hello from loopback.");
      expect(provider.requests).toHaveLength(1);
    });

    it(`${client}: is refused in one attempt, at once, with the message where a developer looks`, async () => {
      at.write("policies/test.budget", "tenant.calls.total > 0 -> deny\n");
      const start = performance.now();
      const { error } = (await at.run({ args: [provider.url, client], env: hosts(client) })).json<Seen>();
      // A retrying client waits half a second before its second attempt, and a second before its third.
      expect(performance.now() - start).toBeLessThan(10_000);
      expect(error?.status).toBe(402);
      expect(error?.message).toMatch(
        /budget-guard refused this call: tenant "acme" would reach 1 of 0 calls .*\(rule "tenant\.calls\.total > 0 -> deny", policies\/test\.budget:1\)/,
      );
      if (client.startsWith("openai")) expect(error?.code).toBe("budget_exceeded");
      expect(provider.requests).toHaveLength(0);
    });
  }

  it("makes exactly one attempt of a refused call: one decision is counted, not three", async () => {
    at.write("policies/test.budget", "tenant.calls.total > 0 -> deny\n");
    for (const client of ["openai chat", "anthropic messages", "ai openai"]) {
      const end = await at.run({ args: [provider.url, client], env: { ...hosts(client), BUDGET_GUARD_LOG: "debug" } });
      expect(end.stderr.match(/refused a call/g), end.stderr).toHaveLength(1);
    }
  });
});
