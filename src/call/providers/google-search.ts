/**
 * What Gemini charges for looking something up: the newer models by the query, the older ones once for an answer that
 * rests on a search (ai.google.dev/gemini-api/docs/pricing, grounding with Google Search).
 */

/** $14 per thousand queries. */
const QUERY_NANO = 14_000_000;

/** $35 per thousand answers. */
const ANSWER_NANO = 35_000_000;

/** Whether each query is billed, and not the answer. */
export const billedByQuery = (model: string): boolean =>
  !/gemini-(1|2)(\.|-|$)|gemini-(flash|pro)-1|^gemini-pro/.test(model);

/** Nano-dollars of one search by a Gemini model, null for the models of others. */
export function geminiSearchNano(model: string): number | null {
  if (!model.includes("gemini")) return null;
  return billedByQuery(model) ? QUERY_NANO : ANSWER_NANO;
}
