/**
 * Z.ai: OpenAI's chat under `/api/paas/v4` and `/api/coding/paas/v4`, Anthropic's messages under `/api/anthropic`.
 */
import { compatible } from "./compatible.ts";

export const zai = compatible({
  name: "zai",
  hosts: ["api.z.ai", "open.bigmodel.cn"],
  hidesReasoning: () => false,
});
