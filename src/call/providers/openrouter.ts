/**
 * OpenRouter: OpenAI's chat, responses and embeddings, Anthropic's messages. What it reports as `usage.cost` is the bill; with
 * a key of one's own that is its fee, and the upstream's bill comes on top (openrouter.ai/docs, "Usage accounting").
 */
import { fields, text } from "../json.ts";
import type { Endpoint } from "../provider.ts";
import { compatible } from "./compatible.ts";
import { segments } from "./segments.ts";

const IMAGES: Endpoint = Object.freeze({ operation: "images", spending: "metered" });

export const openrouter = compatible({
  name: "openrouter",
  hosts: ["openrouter.ai", "api.openrouter.ai", "eu.openrouter.ai", "us.openrouter.ai"],
  ownUsage(told, body, usual) {
    // A free variant (openrouter.ai/docs, "Free variant") that answers costs nothing, also where no cost is reported.
    if (usual.reportedCost === null && text(body.model)?.endsWith(":free")) return { reportedCost: 0 };
    const upstream = fields(told.cost_details)?.upstream_inference_cost;
    if (told.is_byok !== true || typeof upstream !== "number" || !(upstream > 0)) return {};
    return { reportedCost: (usual.reportedCost ?? 0) + upstream };
  },
  endpoint(method, path) {
    // Pictures have an address of their own, and their cost in the usage too.
    if (method === "POST" && segments(path).at(-1) === "images") return IMAGES;
    // Keys, credits and what a call cost are looked up and managed; nothing of it is billed.
    return method === "POST" && /\/(keys|auth|credits|guardrails)(\/|\?|$)/.test(path)
      ? { operation: "other", spending: "free" }
      : null;
  },
});
