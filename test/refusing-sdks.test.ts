import Anthropic from "@anthropic-ai/sdk";
import { BedrockRuntimeClient, ConverseCommand } from "@aws-sdk/client-bedrock-runtime";
import { GoogleGenAI } from "@google/genai";
import { Mistral } from "@mistralai/mistralai";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { CohereClient } from "cohere-ai";
import Groq from "groq-sdk";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { recogniser } from "../src/call/recognise.ts";
import { dialectAt, refusalUnjudged } from "../src/refusing.ts";
import { loopback } from "./support/loopback.ts";

const recognise = recogniser({ hosts: new Map() });

/** A server that refuses all that it is asked as the guard would refuse it at `hostname`. */
const refusing = (hostname: string) =>
  loopback((response, { path }) => {
    const dialect = dialectAt(recognise, { hostname, port: 443, method: "POST", path });
    const passage = refusalUnjudged("response", "no price table", dialect);
    if (passage.kind !== "refuse") throw new Error(passage.kind);
    response.writeHead(passage.answer.status, passage.answer.headers).end(passage.answer.body);
  });

const messages = [{ role: "user" as const, content: "hi" }];
const key = { apiKey: "a-key" };

/** One call with each SDK as it comes, against `url`, and the host whose dialect it speaks. */
const CALLS: Readonly<Record<string, readonly [hostname: string, call: (url: string) => Promise<unknown>]>> = {
  openai: [
    "api.openai.com",
    (url) => new OpenAI({ ...key, baseURL: `${url}/v1` }).chat.completions.create({ model: "gpt-4o", messages }),
  ],
  "openai at Google": [
    "generativelanguage.googleapis.com",
    (url) =>
      new OpenAI({ ...key, baseURL: `${url}/v1beta/openai` }).chat.completions.create({ model: "gemini", messages }),
  ],
  anthropic: [
    "api.anthropic.com",
    (url) =>
      new Anthropic({ ...key, baseURL: url }).messages.create({ model: "claude-sonnet-5", max_tokens: 9, messages }),
  ],
  groq: [
    "api.groq.com",
    (url) => new Groq({ ...key, baseURL: url }).chat.completions.create({ model: "llama", messages }),
  ],
  ollama: ["ollama.com", (url) => new Ollama({ host: url }).chat({ model: "llama3.1:8b", messages })],
  google: [
    "generativelanguage.googleapis.com",
    (url) =>
      new GoogleGenAI({ ...key, httpOptions: { baseUrl: url } }).models.generateContent({
        model: "gemini-2.5-flash",
        contents: "hi",
      }),
  ],
  mistral: [
    "api.mistral.ai",
    (url) => new Mistral({ ...key, serverURL: url }).chat.complete({ model: "mistral-small-latest", messages }),
  ],
  cohere: ["api.cohere.com", (url) => new CohereClient({ token: "a-key", environment: url }).chat({ message: "hi" })],
  bedrock: [
    "bedrock-runtime.us-east-1.amazonaws.com",
    (url) =>
      new BedrockRuntimeClient({
        region: "us-east-1",
        endpoint: url,
        credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "a-secret" },
        requestHandler: new NodeHttpHandler(),
      }).send(new ConverseCommand({ modelId: "amazon.nova-lite-v1:0", messages: [] })),
  ],
};

describe("the refusal of a call that nobody could judge", () => {
  it.each(Object.entries(CALLS))("is one readable error of the SDK: %s", async (name, [hostname, call]) => {
    await using at = await refusing(hostname);
    const error: unknown = await call(at.url).then(
      () => null,
      (reason: unknown) => reason,
    );
    if (!(error instanceof Error)) throw new Error(`${name} was not refused`);
    expect(error.message).toContain("budget-guard refused this call: the guard itself failed (no price table)");
    expect(at.hits).toHaveLength(1);
    if (name === "bedrock") expect(error.name).toBe("ServiceQuotaExceededException");
    // A client that shows `error` as it is gets a text.
    if (name === "ollama") expect(error.message).toMatch(/^budget-guard refused/);
  });

  it("is in OpenAI's words where nobody knows the address", () => {
    const nowhere = { hostname: "internal.example", port: 80, method: "POST", path: "/" };
    expect(dialectAt(recognise, nowhere)).toBe("openai");
    const broken = () => {
      throw new Error("a defect");
    };
    expect(dialectAt(broken, nowhere)).toBe("openai");
  });

  it("is in Ollama's words behind a prefix too", () => {
    const behind = recogniser({ hosts: new Map([["llm.internal", "ollama"]]) });
    const at = (path: string) => dialectAt(behind, { hostname: "llm.internal", port: 443, method: "POST", path });
    expect([at("/ollama/api/chat"), at("/api/generate?x=1"), at("/ollama/v1/chat/completions")]).toEqual([
      "ollama",
      "ollama",
      "openai",
    ]);
  });
});
