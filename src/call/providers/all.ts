/**
 * Every provider that is known. A new one is a file beside this and a line in it.
 */
import type { Provider } from "../provider.ts";
import { anthropic } from "./anthropic.ts";
import { bedrock } from "./bedrock.ts";
import { google } from "./google.ts";
import { openai } from "./openai.ts";
import { vertex } from "./vertex.ts";

export const providers: readonly Provider[] = Object.freeze([openai, anthropic, bedrock, google, vertex]);

/** The provider of that name, null where there is none. */
export function providerNamed(name: string): Provider | null {
  return providers.find((provider) => provider.name === name) ?? null;
}
