/**
 * A server of one's own that speaks as OpenAI does: LM Studio, vLLM, llama.cpp, LocalAI. Nobody bills it, so its models cost
 * nothing but where the deployment prices them; it must be named, since a gateway to a provider may listen here too.
 */
import { compatible } from "./compatible.ts";

export const local = compatible({
  name: "local",
  // LM Studio's port (lmstudio.ai/docs, "Local LLM API server"). vLLM's 8000 and llama.cpp's 8080 are everybody's.
  hosts: ["localhost:1234", "127.0.0.1:1234", "[::1]:1234"],
  hidesReasoning: () => false,
});
