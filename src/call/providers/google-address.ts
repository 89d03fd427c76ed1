/**
 * What a Google address says: `/v1beta/models/gemini-2.5-flash:generateContent`, and on Vertex
 * `/v1/projects/P/locations/L/publishers/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict`.
 */
import { segments } from "./segments.ts";

export interface GoogleAddress {
  readonly parts: readonly string[];
  /** What stands after the colon, empty where nothing does. */
  readonly verb: string;
  /** The model, or the tuned model or endpoint in its place; null where the address names none. */
  readonly model: string | null;
  /** Whose model it is: `google`, `anthropic`; null where the address does not say. */
  readonly publisher: string | null;
  /** `us-east5`, `global`; null where the address does not say. */
  readonly location: string | null;
  /** Whether the OpenAI-compatible endpoint is asked. */
  readonly compatible: boolean;
}

/** Reads the path of a request; a query is left aside. */
export function googleAddress(path: string): GoogleAddress {
  const parts = segments(path);
  const last = decoded(parts.at(-1) ?? "");
  const colon = last.lastIndexOf(":");
  const after = (name: string): string | null => {
    const at = parts.indexOf(name);
    return at < 0 ? null : (parts[at + 1] ?? null);
  };
  const kind = parts.at(-2) ?? "";
  return {
    parts,
    verb: colon < 0 ? "" : last.slice(colon + 1),
    model: MODELS.has(kind) ? (colon < 0 ? last : last.slice(0, colon)) : null,
    publisher: after("publishers"),
    location: after("locations"),
    compatible: parts.includes("openai") || parts.includes("openapi"),
  };
}

/** The address with another model in the place of its own; null where it has none, or the name fits into no address. */
export function withModel(path: string, model: string): string | null {
  const query = path.indexOf("?");
  const plain = query < 0 ? path : path.slice(0, query);
  const { verb, parts } = googleAddress(path);
  if (parts.at(-2) !== "models" || verb === "" || !/^[\w.@-]+$/.test(model)) return null;
  return `${plain.slice(0, plain.lastIndexOf("/"))}/${model}:${verb}${path.slice(plain.length)}`;
}

const MODELS = new Set(["models", "tunedModels", "endpoints"]);

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
