import { describe, expect, it } from "vitest";
import { hostsFromEnvironment } from "../../src/call/hosts.ts";

describe("the SDKs' base addresses", () => {
  it("name provider hosts with their ports", () => {
    const hosts = hostsFromEnvironment({
      OPENAI_BASE_URL: "http://127.0.0.1:4010/v1",
      ANTHROPIC_BASE_URL: "https://llm.Example.com/anthropic",
      HOME: "/root",
    });
    expect([...hosts]).toEqual([
      ["127.0.0.1:4010", "openai"],
      ["llm.example.com:443", "anthropic"],
    ]);
  });

  it.each([
    ["GOOGLE_GEMINI_BASE_URL", "google"],
    ["GOOGLE_VERTEX_BASE_URL", "vertex"],
    ["ANTHROPIC_AWS_BASE_URL", "anthropic"],
    ["ANTHROPIC_GOOGLE_CLOUD_BASE_URL", "anthropic"],
    ["ANTHROPIC_BEDROCK_BASE_URL", "bedrock"],
    ["AWS_BEDROCK_BASE_URL", "bedrock"],
    ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "bedrock"],
    ["AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME", "bedrock"],
    ["AZURE_OPENAI_ENDPOINT", "azure"],
  ])("in %s are of %s", (variable, provider) => {
    expect([...hostsFromEnvironment({ [variable]: "http://127.0.0.1:4010" }).values()]).toEqual([provider]);
  });

  it("are passed over where they are empty or no addresses", () => {
    expect(hostsFromEnvironment({ OPENAI_BASE_URL: "", OPENAI_API_BASE: "not an address" }).size).toBe(0);
  });
});

describe("a variable that points elsewhere", () => {
  it("does not make a known host another provider's: a client of OpenAI may be pointed at Groq", () => {
    const hosts = hostsFromEnvironment({
      OPENAI_BASE_URL: "https://api.groq.com/openai/v1",
      OPENAI_API_BASE: "http://localhost:11434/v1",
      ANTHROPIC_BASE_URL: "https://api.deepseek.com/anthropic",
    });
    expect([...hosts]).toEqual([]);
  });

  it("names the hosts of the other providers' own variables", () => {
    const hosts = hostsFromEnvironment({
      AZURE_OPENAI_ENDPOINT: "https://llm.corp.example",
      LITELLM_PROXY_API_BASE: "http://litellm:4000",
      VLLM_BASE_URL: "http://gpu:8000/v1",
      OLLAMA_BASE_URL: "https://models.example/ollama",
    });
    expect([...hosts]).toEqual([
      ["llm.corp.example:443", "azure"],
      ["models.example:443", "ollama"],
      ["gpu:8000", "local"],
      ["litellm:4000", "litellm"],
    ]);
  });

  it.each([
    ["0.0.0.0:8090", ["127.0.0.1:8090", "ollama"]],
    [":8090", ["127.0.0.1:8090", "ollama"]],
    ["https://models.example", ["models.example:443", "ollama"]],
    ["gpu-box", ["gpu-box:11434", "ollama"]],
    ["gpu-box:11434", null],
    ["", null],
  ])("reads Ollama's own: %j", (setting, expected) => {
    expect([...hostsFromEnvironment({ OLLAMA_HOST: setting })]).toEqual(expected === null ? [] : [expected]);
  });
});
