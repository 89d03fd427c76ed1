/**
 * OpenAI's endpoints that process within a region: the newer models cost a tenth more there
 * (developers.openai.com/api/docs/pricing, data residency, as of 2026-06).
 */
import type { Operation } from "../call.ts";
import type { AnswerHead, Provider, ResponseFacts, Terms } from "../provider.ts";

/** `eu.api.openai.com` and its likes; the plain host is in no region. */
const REGION = /^([a-z]{2})\.api\.openai\.com$/;

/** The same provider with the terms of the region that a host belongs to; itself where it belongs to none. */
export function inRegion(provider: Provider, hostname: string): Provider {
  const region = REGION.exec(hostname)?.[1];
  if (region === undefined) return provider;
  const known = made.get(region) ?? regional(provider, region);
  made.set(region, known);
  return known;
}

const made = new Map<string, Provider>();

function regional(provider: Provider, region: string): Provider {
  const there = (terms: Terms): Terms => ({ ...terms, region });
  return Object.freeze({
    ...provider,
    readRequest(...given: Parameters<Provider["readRequest"]>) {
      const facts = provider.readRequest(...given);
      return { ...facts, terms: there(facts.terms) };
    },
    usageReader(operation: Operation, head: AnswerHead) {
      const inner = provider.usageReader(operation, head);
      const facts = (): ResponseFacts => {
        const told = inner.facts();
        return { ...told, terms: there(told.terms) };
      };
      return { take: inner.take, facts };
    },
  });
}
