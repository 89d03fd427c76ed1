/**
 * Mistral: OpenAI's chat and embeddings, completions in the middle (`/fim`), agents and conversations; what is read from
 * pages is billed by the page, what is heard by the second.
 */
import { count, fields } from "../json.ts";
import type { Endpoint } from "../provider.ts";
import { compatible } from "./compatible.ts";
import { segments } from "./segments.ts";

export const mistral = compatible({
  name: "mistral",
  hosts: ["api.mistral.ai", "codestral.mistral.ai"],
  hidesReasoning: () => false,
  endpoint,
  ownUsage(told) {
    const seconds = count(told.prompt_audio_seconds);
    const connectors = fields(told.connectors);
    return {
      ...(seconds > 0 && { units: { audioSeconds: seconds } }),
      // What its tools returned is read as input (docs.mistral.ai, "Agents & conversations").
      ...(count(told.connector_tokens) > 0 && {
        inputTokens: count(told.prompt_tokens) + count(told.connector_tokens),
      }),
      ...(connectors !== null && { webSearches: count(connectors.web_search) + count(connectors.web_search_premium) }),
    };
  },
});

const CHAT: Endpoint = Object.freeze({ operation: "chat", spending: "metered" });
const UNMETERED: Endpoint = Object.freeze({ operation: "other", spending: "unmetered" });
const FREE: Endpoint = Object.freeze({ operation: "other", spending: "free" });

function endpoint(method: string, path: string): Endpoint | null {
  if (method !== "POST") return null;
  const parts = segments(path);
  const last = parts.at(-1);
  const before = parts.at(-2);
  // Agents and completions in the middle answer as chat does.
  if (last === "completions" && (before === "agents" || before === "fim")) return CHAT;
  // A conversation answers when it begins and when it is continued; an agent or a library is only described.
  if (parts.includes("conversations")) return CHAT;
  if (last === "agents" || parts.includes("libraries")) return FREE;
  // Pages are told under a name of their own; a classification and a moderation are billed too.
  return last === "ocr" || last === "classifications" || last === "moderations" ? UNMETERED : null;
}
