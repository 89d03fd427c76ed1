/**
 * What the price table does not say of Gemini: models by the name of the day, and what it charges for looking something
 * up, the newer models by the query, the older ones once for an answer that rests on a search
 * (ai.google.dev/gemini-api/docs/pricing, grounding with Google Search).
 */

/** USD per thousand queries, and per thousand answers. */
const QUERIES = 14;
const ANSWERS = 35;

/** Whether each query is billed, and not the answer. */
export const billedByQuery = (model: string): boolean =>
  !/gemini-(1|2)(\.|-|$)|gemini-(flash|pro)-1|^gemini-pro/.test(model);

/** Names that stand for a model of the day, and the dearest that they have stood for. */
const LATEST: Readonly<Record<string, string>> = {
  "gemini-pro-latest": "gemini-3.1-pro-preview",
  "gemini-flash-latest": "gemini-3.5-flash",
  "gemini-flash-lite-latest": "gemini-3.5-flash-lite",
};

/** Other names under which the price table has a Gemini model. */
export const geminiNames = (model: string): readonly string[] =>
  Object.hasOwn(LATEST, model) ? [LATEST[model] ?? model] : [];

/** The price of searches as the price table would have it, nothing for the models of others. */
export function geminiSearch(provider: string, model: string): { readonly web_searches_kcount?: number } {
  if (provider !== "google" || !model.includes("gemini")) return {};
  return { web_searches_kcount: billedByQuery(model) ? QUERIES : ANSWERS };
}
