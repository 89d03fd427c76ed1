/**
 * Every provider that is known. A new one is a file beside this and a line in it.
 */
import type { Provider } from "../provider.ts";
import { anthropic } from "./anthropic.ts";
import { azure } from "./azure.ts";
import { bedrock } from "./bedrock.ts";
import { cerebras } from "./cerebras.ts";
import { cloudflare } from "./cloudflare.ts";
import { cohere } from "./cohere.ts";
import { deepseek } from "./deepseek.ts";
import { fireworks } from "./fireworks.ts";
import { google } from "./google.ts";
import { groq } from "./groq.ts";
import { huggingface } from "./huggingface.ts";
import { litellm } from "./litellm.ts";
import { local } from "./local.ts";
import { mistral } from "./mistral.ts";
import { moonshot } from "./moonshot.ts";
import { ollama } from "./ollama.ts";
import { openai } from "./openai.ts";
import { openrouter } from "./openrouter.ts";
import { perplexity } from "./perplexity.ts";
import { portkey } from "./portkey.ts";
import { together } from "./together.ts";
import { vercel } from "./vercel.ts";
import { vertex } from "./vertex.ts";
import { voyage } from "./voyage.ts";
import { xai } from "./xai.ts";
import { zai } from "./zai.ts";

export const providers: readonly Provider[] = Object.freeze([
  openai,
  anthropic,
  bedrock,
  google,
  vertex,
  azure,
  mistral,
  cohere,
  groq,
  deepseek,
  xai,
  openrouter,
  together,
  fireworks,
  perplexity,
  cerebras,
  moonshot,
  huggingface,
  voyage,
  zai,
  ollama,
  local,
  vercel,
  cloudflare,
  litellm,
  portkey,
]);

/** The provider of that name, null where there is none. */
export function providerNamed(name: string): Provider | null {
  return providers.find((provider) => provider.name === name) ?? null;
}
