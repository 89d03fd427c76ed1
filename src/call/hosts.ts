/**
 * Provider hosts that the deployment names in the variables that the SDKs read.
 */
import { recogniser } from "./recognise.ts";

/** Variables of the SDKs and of common frameworks that hold a base address. */
const BASE_VARIABLES: Readonly<Record<string, string>> = {
  OPENAI_BASE_URL: "openai",
  OPENAI_API_BASE: "openai",
  OPENAI_API_BASE_URL: "openai",
  ANTHROPIC_BASE_URL: "anthropic",
  ANTHROPIC_API_URL: "anthropic",
  ANTHROPIC_AWS_BASE_URL: "anthropic",
  ANTHROPIC_GOOGLE_CLOUD_BASE_URL: "anthropic",
  GOOGLE_GEMINI_BASE_URL: "google",
  GEMINI_BASE_URL: "google",
  GEMINI_API_BASE: "google",
  GOOGLE_GENERATIVE_AI_BASE_URL: "google",
  GOOGLE_VERTEX_BASE_URL: "vertex",
  ANTHROPIC_VERTEX_BASE_URL: "vertex",
  VERTEXAI_API_BASE: "vertex",
  ANTHROPIC_BEDROCK_BASE_URL: "bedrock",
  ANTHROPIC_BEDROCK_MANTLE_BASE_URL: "bedrock",
  AWS_BEDROCK_BASE_URL: "bedrock",
  AWS_ENDPOINT_URL_BEDROCK: "bedrock",
  AWS_ENDPOINT_URL_BEDROCK_AGENT: "bedrock",
  AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME: "bedrock",
  AWS_ENDPOINT_URL_BEDROCK_RUNTIME: "bedrock",
  AZURE_OPENAI_ENDPOINT: "azure",
  AZURE_OPENAI_BASE_URL: "azure",
  AZURE_OPENAI_BASE_PATH: "azure",
  AZURE_API_BASE: "azure",
  AZURE_AI_INFERENCE_ENDPOINT: "azure",
  ANTHROPIC_FOUNDRY_BASE_URL: "azure",
  MISTRAL_BASE_URL: "mistral",
  MISTRAL_API_BASE: "mistral",
  CO_API_URL: "cohere",
  COHERE_BASE_URL: "cohere",
  GROQ_BASE_URL: "groq",
  DEEPSEEK_BASE_URL: "deepseek",
  DEEPSEEK_API_BASE: "deepseek",
  XAI_BASE_URL: "xai",
  XAI_API_BASE: "xai",
  OPENROUTER_BASE_URL: "openrouter",
  OPENROUTER_API_BASE: "openrouter",
  TOGETHER_BASE_URL: "together",
  FIREWORKS_BASE_URL: "fireworks",
  PERPLEXITY_BASE_URL: "perplexity",
  CEREBRAS_BASE_URL: "cerebras",
  MOONSHOT_BASE_URL: "moonshot",
  VOYAGE_BASE_URL: "voyage",
  ZAI_BASE_URL: "zai",
  OLLAMA_BASE_URL: "ollama",
  LMSTUDIO_BASE_URL: "local",
  VLLM_BASE_URL: "local",
  LLAMA_CPP_BASE_URL: "local",
  AI_GATEWAY_BASE_URL: "vercel",
  LITELLM_BASE_URL: "litellm",
  LITELLM_PROXY_API_BASE: "litellm",
  LITELLM_PROXY_URL: "litellm",
  PORTKEY_BASE_URL: "portkey",
};

/** `host:port` → provider name for every base address in the environment; what is no address is passed over. */
export function hostsFromEnvironment(environment: Readonly<Record<string, string | undefined>>): Map<string, string> {
  const hosts = new Map<string, string>();
  for (const [variable, provider] of Object.entries(BASE_VARIABLES)) {
    const address = environment[variable]?.trim();
    if (address === undefined || !URL.canParse(address)) continue;
    const url = new URL(address);
    // A client of OpenAI may be pointed at Groq: whose host it is, is known better than whose client.
    if (url.hostname === "" || isWellKnown(url)) continue;
    hosts.set(`${url.hostname}:${portOf(url)}`, provider);
  }
  const ollama = ollamaHost(environment.OLLAMA_HOST?.trim() ?? "");
  if (ollama !== null) hosts.set(ollama, "ollama");
  return hosts;
}

const wellKnown = recogniser({ hosts: new Map() });

/** A path that no shape betrays: only the host can be known by it. */
const isWellKnown = (url: URL): boolean => wellKnown(url.hostname, portOf(url), "GET", "/") !== null;

const portOf = (url: URL): number => (url.port === "" ? defaultPort(url.protocol) : Number(url.port));

/** Ollama's own variable may be an address, a host, or a host and port; a server reads it too, to listen everywhere. */
function ollamaHost(setting: string): string | null {
  if (setting === "") return null;
  const address = setting.includes("://")
    ? setting
    : `http://${setting.startsWith(":") ? `127.0.0.1${setting}` : setting}`;
  if (!URL.canParse(address)) return null;
  const url = new URL(address);
  const port = url.port === "" && !setting.includes("://") ? 11_434 : portOf(url);
  return url.hostname === "" || isWellKnown(url)
    ? null
    : `${url.hostname === "0.0.0.0" ? "127.0.0.1" : url.hostname}:${port}`;
}

const defaultPort = (protocol: string): number => (protocol === "http:" ? 80 : 443);
