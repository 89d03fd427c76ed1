/**
 * Voyage: embeddings, multimodal and contextual ones too, and rerank, all by the token and told as one total.
 */
import { compatible } from "./compatible.ts";
import { segments } from "./segments.ts";

export const voyage = compatible({
  name: "voyage",
  hosts: ["api.voyageai.com", "ai.mongodb.com"],
  endpoint(method, path) {
    const last = segments(path).at(-1) ?? "";
    return method === "POST" && last.endsWith("embeddings") ? { operation: "embeddings", spending: "metered" } : null;
  },
});
