/**
 * What the price table does not say of Gemini: models by the name of the day, and what it charges for looking something
 * up, the newer models by the query, the older ones once for an answer that rests on a search, and less for one that
 * rests on a map (ai.google.dev/gemini-api/docs/pricing, grounding; read on 2026-09-20). What is free each day or month
 * no single answer tells.
 */

import type { Units } from "../call.ts";
import { count, type Fields, fields, list } from "../json.ts";

/** USD per thousand queries, and per thousand answers. */
const QUERIES = 14;
const ANSWERS = 35;

/** Whether each query is billed, and not the answer. */
export const billedByQuery = (model: string): boolean =>
  !/gemini-(1|2)(\.|-|$)|gemini-(flash|pro)-1|^gemini-pro/.test(model);

/** Names that stand for another model: of the day, with the dearest that they have stood for, or before its release. */
const LATEST: Readonly<Record<string, string>> = {
  "gemini-pro-latest": "gemini-3.1-pro-preview",
  "gemini-flash-latest": "gemini-3.5-flash",
  "gemini-flash-lite-latest": "gemini-3.5-flash-lite",
  "gemini-embedding-2-preview": "gemini-embedding-2",
};

/** Other names under which the price table has a Gemini model. */
export const geminiNames = (model: string): readonly string[] =>
  Object.hasOwn(LATEST, model) ? [LATEST[model] ?? model] : [];

/** The price of searches as the price table would have it, nothing for the models of others. */
export function geminiSearch(provider: string, model: string): { readonly web_searches_kcount?: number } {
  if (provider !== "google" || !model.includes("gemini")) return {};
  return { web_searches_kcount: billedByQuery(model) ? QUERIES : ANSWERS };
}

/** What a Gemini answer looked up. */
export interface SearchCounter {
  candidate(candidate: Fields): void;
  /** A step of an interaction. */
  step(step: Fields | null): void;
  /** `grounding_tool_count` of an interaction's usage, which its stream tells at the end. */
  tools(told: unknown): void;
  /** `model` decides whether queries are billed, or the answer. */
  counts(model: string): { readonly webSearches: number; readonly units: { readonly units?: Units } };
}

/** Counts what was looked up: the queries that an answer names, or one where it only shows what was found. */
export function createSearchCounter(): SearchCounter {
  const queries = new Set<string>();
  // Empty queries, which newer models name too, are not billed (ai.google.dev/gemini-api/docs/google-search, pricing).
  const add = (query: unknown): void => {
    if (query !== "") queries.add(String(query));
  };
  const counted = { web: 0, maps: 0 };
  const found = { elsewhere: false, onMaps: false, fetched: false, entry: false };
  return {
    candidate(candidate) {
      const grounding = fields(candidate.groundingMetadata);
      for (const key of ["webSearchQueries", "imageSearchQueries"]) {
        for (const query of list(grounding?.[key])) add(query);
      }
      found.entry ||= fields(grounding?.searchEntryPoint) !== null;
      found.fetched ||= fields(candidate.urlContextMetadata) !== null;
      // Searching one's own files costs nothing.
      for (const chunk of list(grounding?.groundingChunks)) {
        const { web, maps, image } = fields(chunk) ?? {};
        found.onMaps ||= maps !== undefined;
        found.elsewhere ||= (web ?? image) !== undefined;
      }
    },
    step(step) {
      if (step?.type === "google_maps_call") found.onMaps = true;
      if (step?.type !== "google_search_call") return;
      for (const query of list(fields(step.arguments)?.queries)) add(query);
    },
    tools(told) {
      for (const item of list(told)) {
        const { type, count: times } = fields(item) ?? {};
        if (type === "google_search") counted.web = count(times);
        if (type === "google_maps") counted.maps = count(times);
      }
    },
    counts(model) {
      const onMaps = found.onMaps || counted.maps > 0;
      // Pages that the request names are read at the price of their tokens, and shown as if they had been found.
      const onWeb = queries.size > 0 || counted.web > 0 || found.entry || (found.elsewhere && !found.fetched);
      if (billedByQuery(model)) {
        const asked = Math.max(queries.size, counted.web + counted.maps);
        return { webSearches: onWeb || onMaps ? Math.max(1, asked) : 0, units: {} };
      }
      return { webSearches: onWeb ? 1 : 0, units: onMaps ? { units: { searches: 1 } } : {} };
    },
  };
}
