import { describe, expect, it } from "vitest";
import { capOutput } from "../../../src/call/rewrite.ts";
import { endpointAt } from "./exchanged.ts";

/** What a chat request without a limit is sent with, once it is capped at 50. */
function capped(url: string, model: string): Record<string, unknown> {
  const found = endpointAt(url);
  if (found === null) throw new Error(`${url} is no provider`);
  const body = Buffer.from(JSON.stringify({ model, messages: [{ role: "user", content: "hi" }] }));
  const written = capOutput(found.provider, found.operation, body, 50);
  if (written.kind !== "capped") throw new Error(written.kind);
  const { model: _model, messages: _messages, ...added } = JSON.parse(written.body.toString());
  return added;
}

describe("a cap on a request without a limit", () => {
  it.each([
    ["https://api.mistral.ai/v1/chat/completions", "mistral-small-latest"],
    ["https://api.deepseek.com/chat/completions", "deepseek-chat"],
    [
      "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/mistralai/models/mistral-medium-3:rawPredict",
      "mistral-medium-3",
    ],
    ["https://openrouter.ai/api/v1/completions", "openai/gpt-3.5-turbo-instruct"],
    ["http://localhost:1234/v1/completions", "ministral-3"],
    ["https://api.together.xyz/v1/chat/completions", "meta-llama/Llama-3.3-70B-Instruct-Turbo"],
    ["https://api.fireworks.ai/inference/v1/chat/completions", "accounts/fireworks/models/deepseek-v3"],
    ["https://api.perplexity.ai/chat/completions", "sonar"],
    ["https://api.z.ai/api/paas/v4/chat/completions", "glm-4.6"],
    ["https://router.huggingface.co/v1/chat/completions", "openai/gpt-oss-120b:together"],
    ["https://openrouter.ai/api/v1/chat/completions", "anthropic/claude-sonnet-4.5"],
    ["http://localhost:11434/v1/chat/completions", "llama3.1:8b"],
    ["http://localhost:1234/v1/chat/completions", "ministral-3"],
  ])("uses the name that is heeded at %s", (url, model) => {
    expect(capped(url, model)).toEqual({ max_tokens: 50 });
  });

  it.each([
    ["https://api.openai.com/v1/chat/completions", "gpt-4o"],
    ["https://res.openai.azure.com/openai/deployments/ours/chat/completions", "ours"],
    ["https://api.groq.com/openai/v1/chat/completions", "llama-3.3-70b-versatile"],
    ["https://api.cerebras.ai/v1/chat/completions", "qwen-3-32b"],
    ["https://api.moonshot.ai/v1/chat/completions", "kimi-k2.6"],
  ])("uses the newer name where it is the one that is documented, at %s", (url, model) => {
    expect(capped(url, model)).toEqual({ max_completion_tokens: 50 });
  });

  it.each([
    "https://api.openai.com/v1/completions",
    "https://res.openai.azure.com/openai/deployments/ours/completions",
  ])("changes nothing where an answer ends sooner by itself, at %s", (url) => {
    const found = endpointAt(url);
    const body = { model: "ours", prompt: "hi" };
    const written = found && capOutput(found.provider, found.operation, Buffer.from(JSON.stringify(body)), 50);
    expect(written).toMatchObject({ kind: "unchanged" });
    expect(found?.provider.readRequest("completions", body, new URL(url).pathname).maxTokens).toBe(16);
  });

  it("uses the newer name for OpenAI's thinking models behind any gateway, since they refuse the older", () => {
    for (const url of ["https://api.portkey.ai/v1/chat/completions", "https://openrouter.ai/api/v1/chat/completions"]) {
      expect(capped(url, "openai/gpt-5-mini")).toEqual({ max_completion_tokens: 50 });
      expect(capped(url, "openai/gpt-4o")).toEqual({ max_tokens: 50 });
    }
  });
});
