/**
 * Cerebras: OpenAI's chat and completions, all thinking shown.
 */
import { compatible } from "./compatible.ts";

export const cerebras = compatible({
  name: "cerebras",
  hosts: ["api.cerebras.ai"],
  hidesReasoning: () => false,
});
