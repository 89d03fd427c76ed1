/**
 * Provider hosts that the deployment names: in the variables that the SDKs read, and in `BUDGET_GUARD_HOSTS`.
 */
import { ConfigError } from "../errors.ts";
import { providerNamed } from "./providers/all.ts";
import { unknownProvider } from "./recognise.ts";

/** Variables of the SDKs and of common frameworks that hold a base address. */
const BASE_VARIABLES: Readonly<Record<string, string>> = {
  OPENAI_BASE_URL: "openai",
  OPENAI_API_BASE: "openai",
  OPENAI_API_BASE_URL: "openai",
  AZURE_OPENAI_ENDPOINT: "openai",
  ANTHROPIC_BASE_URL: "anthropic",
  ANTHROPIC_API_URL: "anthropic",
  GOOGLE_GEMINI_BASE_URL: "google",
  GEMINI_BASE_URL: "google",
  GEMINI_API_BASE: "google",
  GOOGLE_GENERATIVE_AI_BASE_URL: "google",
  GOOGLE_VERTEX_BASE_URL: "vertex",
  ANTHROPIC_VERTEX_BASE_URL: "vertex",
  VERTEXAI_API_BASE: "vertex",
  ANTHROPIC_BEDROCK_BASE_URL: "bedrock",
  ANTHROPIC_BEDROCK_MANTLE_BASE_URL: "bedrock",
  AWS_ENDPOINT_URL_BEDROCK: "bedrock",
  AWS_ENDPOINT_URL_BEDROCK_AGENT: "bedrock",
  AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME: "bedrock",
  AWS_ENDPOINT_URL_BEDROCK_RUNTIME: "bedrock",
};

/** `host:port` → provider name for every base address in the environment; what is no address is passed over. */
export function hostsFromEnvironment(environment: Readonly<Record<string, string | undefined>>): Map<string, string> {
  const hosts = new Map<string, string>();
  for (const [variable, provider] of Object.entries(BASE_VARIABLES)) {
    const address = environment[variable]?.trim();
    if (address === undefined || !URL.canParse(address)) continue;
    const url = new URL(address);
    if (url.hostname === "") continue;
    hosts.set(`${url.hostname}:${url.port === "" ? defaultPort(url.protocol) : url.port}`, provider);
  }
  return hosts;
}

const defaultPort = (protocol: string): number => (protocol === "http:" ? 80 : 443);

/** Reads `llm.internal:8443=openai,127.0.0.1:4010=anthropic`. */
export function parseHosts(setting: string): Map<string, string> {
  const hosts = new Map<string, string>();
  for (const part of setting.split(",")) {
    const entry = part.trim();
    if (entry === "") continue;
    const [address = "", name = ""] = entry.split("=").map((side) => side.trim());
    if (!/^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i.test(address) || name === "" || !hasPort(address)) {
      throw new ConfigError(
        `"${entry}" is no provider host; write host=provider or host:port=provider, as in llm.internal:8443=openai.`,
      );
    }
    if (providerNamed(name) === null) throw unknownProvider(address, name);
    hosts.set(address.toLowerCase(), name);
  }
  return hosts;
}

/** Whether a port, where one is given, is one. */
function hasPort(address: string): boolean {
  const port = /:(\d+)$/.exec(address)?.[1];
  return port === undefined || (Number(port) > 0 && Number(port) < 65_536);
}
