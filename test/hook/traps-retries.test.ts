import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { app, fixedPrice } from "../support/asking.ts";
import { type Loopback, loopback } from "../support/loopback.ts";
import { type Project, project } from "../support/run-app.ts";

// Most clients do not say which attempt a request is, and LangChain says each is the first: its question is what tells.

/** Who retries by itself, and how many attempts it makes of a provider that is always busy. */
const retrying = {
  "ai with openai": "openai",
  "ai with anthropic": "anthropic",
  "@langchain/openai": "openai",
  "@langchain/anthropic": "anthropic",
  "cohere-ai": "cohere",
} as const;

/** Who does not, and leaves it to the application. */
const single = {
  "@mistralai/mistralai": "mistral",
  ollama: "ollama",
  fetch: "openai",
  "undici 7 request": "openai",
} as const;

let server: Loopback;
let at: Project;

beforeAll(async () => {
  server = await loopback((response) => {
    response.writeHead(503, { "content-type": "application/json", "retry-after-ms": "1" });
    response.end('{"error":{"message":"busy"}}');
  });
  at = project({
    policy: "call.retries > 1 -> deny\n",
    files: { "app.mjs": app("matrix"), "google.mjs": GOOGLE, "bedrock.mjs": BEDROCK },
    config: { prices: fixedPrice },
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  at.remove();
});
beforeEach(() => {
  server.hits.length = 0;
});

const GOOGLE = `
  import { GoogleGenAI } from "@google/genai";
  const client = new GoogleGenAI({ apiKey: "a-key", httpOptions: { baseUrl: process.argv[2] } });
  await client.models.generateContent({ model: "fixed-model", contents: "hi" }).catch((error) => console.log(JSON.stringify([error.message])));`;

const BEDROCK = `
  import { BedrockRuntimeClient, ConverseCommand } from "@aws-sdk/client-bedrock-runtime";
  import { NodeHttpHandler } from "@smithy/node-http-handler";
  const client = new BedrockRuntimeClient({ requestHandler: new NodeHttpHandler() });
  const messages = [{ role: "user", content: [{ text: "hi" }] }];
  await client.send(new ConverseCommand({ modelId: "us.amazon.nova-micro-v1:0", messages })).catch((error) => console.log(JSON.stringify([error.message])));`;

const AWS = {
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
  AWS_SECRET_ACCESS_KEY: "a-secret",
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
};

/** Runs a program as part of a run of its own name, so that what it asks in a second process is asked again. */
const ask = (
  speaks: string,
  run: string,
  args: readonly string[],
  file = "app.mjs",
  env: Record<string, string> = {},
) =>
  at.run({
    script: file,
    args: [server.url, ...args],
    env: { BUDGET_GUARD_HOSTS: `127.0.0.1:${server.port}=${speaks}`, BUDGET_GUARD_RUN: run, ...env },
  });

/** What each request said of itself. */
const counted = (): (string | undefined)[] =>
  server.hits.map(
    ({ rawHeaders }) => rawHeaders[rawHeaders.findIndex((name) => /^x-stainless-retry-count$/i.test(name)) + 1],
  );

describe("a client that does not say which attempt it makes", () => {
  it.each(Object.entries(retrying))(
    "%s is refused its second retry",
    async (client, speaks) => {
      const end = await ask(speaks, client, [client, "json", "[{}]"]);
      expect(end.stdout).toContain("budget-guard refused this call");
      expect(end.stdout).toContain("retries");
      expect(server.hits).toHaveLength(2);
      if (client.startsWith("@langchain")) expect(counted()).toEqual(["0", "0"]);
    },
    30_000,
  );

  it.each(Object.entries(single))(
    "%s is refused when its application asks a third time",
    async (client, speaks) => {
      for (const attempts of [1, 2, 2]) {
        const end = await ask(speaks, client, [client, "json", "[{}]"]);
        expect(server.hits).toHaveLength(attempts);
        if (attempts === 1) expect(end.stdout).not.toContain("budget-guard");
      }
    },
    30_000,
  );

  it("@google/genai is refused when its application asks a third time", async () => {
    for (const attempts of [1, 2, 2]) {
      await ask("google", "google", [], "google.mjs");
      expect(server.hits).toHaveLength(attempts);
    }
  }, 30_000);

  it("Bedrock's client, which numbers its attempts in words of its own, is refused its second retry", async () => {
    const env = { ...AWS, AWS_ENDPOINT_URL_BEDROCK_RUNTIME: server.url };
    const end = await ask("bedrock", "bedrock", [], "bedrock.mjs", env);
    expect(end.stdout).toContain("budget-guard refused this call");
    expect(server.hits).toHaveLength(2);
  }, 30_000);
});
