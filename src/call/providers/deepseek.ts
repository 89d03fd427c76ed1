/**
 * DeepSeek: OpenAI's chat and responses, and Anthropic's messages under `/anthropic`; cached input is on by itself and told.
 */
import { compatible } from "./compatible.ts";

export const deepseek = compatible({
  name: "deepseek",
  hosts: ["api.deepseek.com"],
  // All that it thinks streams as `reasoning_content` (api-docs.deepseek.com, "Reasoning Model").
  hidesReasoning: () => false,
});
