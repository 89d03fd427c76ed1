/**
 * Cerebras: OpenAI's chat and completions, all thinking shown.
 */
import { compatible } from "./compatible.ts";

export const cerebras = compatible({
  name: "cerebras",
  hosts: ["api.cerebras.ai"],
  hidesReasoning: () => false,
  // Its name for it; the older one is deprecated.
  limit: "max_completion_tokens",
});
