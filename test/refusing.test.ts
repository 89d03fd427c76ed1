import { describe, expect, it } from "vitest";
import { recogniser } from "../src/call/recognise.ts";
import type { RefusalDetail } from "../src/errors.ts";
import { dialectOf, refusal } from "../src/refusing.ts";

const detail: RefusalDetail = {
  rule: "tenant.hourly > $50 -> deny",
  scope: { tenant: "acme" },
  metric: "cost",
  unit: "USD",
  spent: 50,
  held: 0,
  estimate: 1,
  limit: 50,
  resets_at: null,
};

const recognise = recogniser({ hosts: new Map() });

/** The refusal of a POST to this address, as its client gets it. */
function refused(host: string, path: string) {
  const found = recognise(host, 443, "POST", path);
  if (found === null) throw new Error(`${host}${path} is not recognised`);
  const dialect = dialectOf(found.provider, { operation: found.operation, path });
  const passage = refusal("response", "tenant is over.", detail, dialect);
  if (passage.kind !== "refuse") throw new Error("not refused");
  const { answer } = passage;
  return { ...answer, json: JSON.parse(answer.body.toString()) as Record<string, unknown> };
}

const MESSAGE = "budget-guard refused this call: tenant is over.";

describe("a refusal", () => {
  it.each([
    ["api.openai.com", "/v1/chat/completions"],
    ["api.anthropic.com", "/v1/messages"],
    ["my.openai.azure.com", "/openai/deployments/d/chat/completions?api-version=1"],
    ["openrouter.ai", "/api/v1/chat/completions"],
    ["generativelanguage.googleapis.com", "/v1beta/openai/chat/completions"],
    ["ollama.com", "/v1/chat/completions"],
  ])("is what OpenAI's and Anthropic's clients read, at %s%s", (host, path) => {
    const { status, headers, json } = refused(host, path);
    expect(status).toBe(402);
    expect(headers["x-should-retry"]).toBe("false");
    expect(headers["retry-after"]).toBeUndefined();
    expect(json).toMatchObject({
      type: "error",
      error: { type: "budget_exceeded", code: "budget_exceeded", message: MESSAGE, budget_guard: { limit: 50 } },
      message: MESSAGE,
    });
  });

  it.each([
    ["generativelanguage.googleapis.com", "/v1beta/models/gemini-3-flash:generateContent"],
    [
      "aiplatform.googleapis.com",
      "/v1/projects/p/locations/global/publishers/google/models/gemini-3-flash:generateContent",
    ],
  ])("names Google's status where Google's clients look for it, at %s%s", (host, path) => {
    expect(refused(host, path).json).toMatchObject({
      error: { code: 402, status: "RESOURCE_EXHAUSTED", message: MESSAGE, budget_guard: { limit: 50 } },
    });
  });

  it("is a text under `error` for Ollama's clients", () => {
    expect(refused("ollama.com", "/api/chat").json).toMatchObject({ error: MESSAGE, budget_guard: { limit: 50 } });
  });

  it("names the error in a header, and the message at the top, for AWS's clients", () => {
    const { headers, json } = refused(
      "bedrock-runtime.us-east-1.amazonaws.com",
      "/model/amazon.nova-micro-v1%3A0/converse",
    );
    expect(headers["x-amzn-errortype"]).toBe("ServiceQuotaExceededException");
    expect(json.message).toBe(MESSAGE);
  });

  it("is an error of its own where errors are asked for, whatever the dialect", () => {
    const passage = refusal("throw", "tenant is over.", detail, "google");
    expect(passage.kind === "throw" && passage.error.message).toBe(MESSAGE);
  });
});
