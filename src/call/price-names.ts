/**
 * What the price table calls the providers, where it has other names than we do.
 */

const TABLE: Readonly<Record<string, string>> = {
  bedrock: "aws",
  vertex: "google",
  xai: "x-ai",
  moonshot: "moonshotai",
  voyage: "voyageai",
};

/** Servers behind Hugging Face's router that the table has prices of. */
export const ROUTED = Object.freeze([
  "cerebras",
  "fireworks-ai",
  "groq",
  "hyperbolic",
  "nebius",
  "novita",
  "nscale",
  "ovhcloud",
  "publicai",
  "sambanova",
  "together",
]);

/** What the table calls a provider. */
export const tableId = (provider: string): string =>
  (Object.hasOwn(TABLE, provider) ? TABLE[provider] : null) ?? provider;

/** Where the table may have a provider's model. */
export interface TableEntry {
  readonly id: string;
  /** Tables of those of whom any may serve the model, where nobody says which. */
  readonly others: readonly string[];
  readonly model: string;
}

/** Where the table may have a provider's model, and by what name. */
export function tableEntry(provider: string, model: string): TableEntry {
  if (provider !== "huggingface") return { id: tableId(provider), others: [], model };
  const colon = model.lastIndexOf(":");
  const server = model.slice(colon + 1);
  const plain = colon < 0 ? model : model.slice(0, colon);
  if (colon >= 0 && ROUTED.includes(server)) return { id: `huggingface_${server}`, others: [], model: plain };
  return { id: provider, others: ROUTED.map((id) => `huggingface_${id}`), model: plain };
}

/** Whose models others sell for less: those that its own table does not list cost its dearest price. */
export const isDearerThanOthers = (provider: string): boolean => provider === "zai";

/** Whose models nobody bills: they run on a machine of one's own, or on a subscription. */
export const isOwnMachine = (provider: string): boolean => provider === "ollama" || provider === "local";
