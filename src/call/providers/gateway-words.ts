/**
 * What gateways say of a call above its body, whoever's dialect it is in: what it cost them, who answered, and whether
 * an answer came from their cache and so cost nothing.
 */
import type { AnswerHead, ResponseFacts, UsageReader } from "../provider.ts";
import { usage } from "../usage.ts";

/** The same reader, heeding the gateway's headers. Most answers carry none, and their reader is left as it is. */
export function heedGateway(inner: UsageReader, { headers }: AnswerHead): UsageReader {
  const cost = fromCache(headers) ? 0 : reported(headers["x-litellm-response-cost"]);
  const answerer = headers["x-portkey-provider"]?.trim().toLowerCase() ?? "";
  if (cost === null && answerer === "") return inner;
  return { take: inner.take, facts: () => said(inner.facts(), cost, answerer) };
}

function said(facts: ResponseFacts, cost: number | null, answerer: string): ResponseFacts {
  const { model } = facts;
  // `openai/gpt-4o` is looked up at OpenAI.
  const owned = answerer === "" || model === null || model.includes("/") ? model : `${answerer}/${model}`;
  const named = { ...facts, model: owned };
  return cost === null ? named : withCost(named, cost);
}

/** The same facts with this as the cost of all of it. */
export function withCost(facts: ResponseFacts, cost: number): ResponseFacts {
  const [first, ...rest] = facts.portions;
  const portion = first ?? { model: null, usage: usage({}) };
  return {
    ...facts,
    portions: [
      { ...portion, usage: usage({ ...portion.usage, reportedCost: cost }) },
      ...rest.map((other) => ({ ...other, usage: usage({ ...other.usage, reportedCost: null }) })),
    ],
  };
}

/** developers.cloudflare.com/ai-gateway, "Caching"; portkey.ai/docs, "Cache". */
function fromCache(headers: AnswerHead["headers"]): boolean {
  return (
    headers["cf-aig-cache-status"] === "HIT" ||
    /^(cache )?(semantic )?hit$/i.test(headers["x-portkey-cache-status"] ?? "")
  );
}

/** USD; LiteLLM writes 0 or None where it has no price, which is no bill (docs.litellm.ai, "Response headers"). */
function reported(header: string | undefined): number | null {
  const cost = header === undefined ? Number.NaN : Number(header);
  return Number.isFinite(cost) && cost > 0 ? cost : null;
}
