import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { lines } from "./page.ts";
import { cells, loadsOn, rows } from "./rows.ts";

/** What a user may bring, by the names of their packages. */
const BROUGHT =
  `openai @anthropic-ai/sdk ai @langchain/openai @langchain/anthropic langgraph @google/genai @mistralai/mistralai
  groq-sdk cohere-ai @openai/agents @aws-sdk/client-bedrock-runtime ollama llamaindex fetch undici axios got node-fetch ky
  node:http node:https node:http2 ws WebSocket @grpc/grpc-js express fastify koa hono next OpenTelemetry @sentry/node dd-trace
  msw nock MockAgent`.split(/\s+/);

describe("the rows of the matrix", () => {
  it("name every client that is promised", () => {
    const named = rows.map(({ client }) => client);
    const missing = BROUGHT.filter((name) => !named.some((client) => client === name || client.startsWith(`${name} `)));
    expect(missing).toEqual([]);
    for (const major of [5, 6, 7, 8]) expect(named).toContain(`undici ${major} fetch`);
    for (const speaks of ["openai", "anthropic", "google"]) expect(named).toContain(`ai with ${speaks}`);
  });

  it("are told apart, and each has tests that are there", () => {
    expect(new Set(rows.map(({ client }) => client)).size).toBe(rows.length);
    for (const { client, speaks, suite } of rows) {
      if (speaks !== undefined) expect([client, suite]).toEqual([client, undefined]);
      else expect(existsSync(fileURLToPath(new URL(`../${suite}`, import.meta.url))), client).toBe(true);
    }
  });

  it("know from which version on a client loads", () => {
    const row = { client: "a", group: "clients", from: "22.19" };
    expect(["20.20.2", "22.18.0", "22.19.0", "24.0.0"].map((version) => loadsOn(row, version))).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });
});

describe("what has come of them", () => {
  const expected = rows.flatMap(({ client, from }) =>
    lines.map((node) => [
      client,
      node,
      from !== undefined && Number(node) < Number.parseInt(from, 10) ? `from ${from}` : "yes",
    ]),
  );

  // A fresh copy has no cells before the matrix has run once.
  it.runIf(cells.length > 0)("holds for every row on every Node, and for nothing else", () => {
    expect(cells.map(({ client, node, result }) => [client, node, result])).toEqual(expected);
    for (const { client, result, tests } of cells) if (result === "yes") expect(tests, client).toBeGreaterThan(0);
  });

  it("is run on the Nodes that CI has", () => {
    const text = readFileSync(new URL("../../.ci/nodes.mjs", import.meta.url), "utf8");
    const versions = /versions = \{(.*)\}/.exec(text)?.[1] ?? "";
    expect([...versions.matchAll(/(\d+):/g)].map(([, major]) => major)).toEqual([...lines]);
  });
});
