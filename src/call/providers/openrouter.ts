/**
 * OpenRouter: OpenAI's chat, responses and embeddings, Anthropic's messages. What it reports as `usage.cost` is the bill; with
 * a key of one's own that is its fee, and the upstream's bill comes on top (openrouter.ai/docs, "Usage accounting").
 */
import { fields } from "../json.ts";
import { compatible } from "./compatible.ts";

export const openrouter = compatible({
  name: "openrouter",
  hosts: ["openrouter.ai", "api.openrouter.ai", "eu.openrouter.ai"],
  ownUsage(told, _body, usual) {
    const upstream = fields(told.cost_details)?.upstream_inference_cost;
    if (told.is_byok !== true || typeof upstream !== "number" || !(upstream > 0)) return {};
    return { reportedCost: (usual.reportedCost ?? 0) + upstream };
  },
  endpoint(method, path) {
    // Keys, credits and what a call cost are looked up and managed; nothing of it is billed.
    return method === "POST" && /\/(keys|auth|credits|guardrails)(\/|\?|$)/.test(path)
      ? { operation: "other", spending: "free" }
      : null;
  },
});
