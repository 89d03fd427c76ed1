/**
 * Where `route to` leads, as far as prices say: to no known model, to a dearer one, or out of the provider.
 * @module
 */
import type { Span } from "./ast.ts";
import type { RuleDraft } from "./draft.ts";
import { conjuncts } from "./filter.ts";
import type { Finding } from "./finding.ts";
import { globs } from "./match.ts";
import type { Models } from "./models.ts";
import type { Filter } from "./plan.ts";
import { lints, rules } from "./rule-messages.ts";
import { closest } from "./suggest.ts";

/** Providers that serve their own models alone; a gateway serves those of many. */
const HOMES: ReadonlySet<string> = new Set(["openai", "anthropic", "google"]);

type Routed = Pick<RuleDraft, "filter" | "actions" | "actionSpans">;

/** An error where a rule pins a provider at which the model does not live. */
export function routeErrors(rule: Routed, models: Models): readonly Finding[] {
  const pinned = providersOf(rule.filter, models);
  const [first] = pinned;
  if (first === undefined || !pinned.every((provider) => HOMES.has(provider))) return [];
  return routes(rule).flatMap(({ model, span }) => {
    const owner = models.find(model)?.provider;
    if (owner === undefined || !HOMES.has(owner) || pinned.includes(owner)) return [];
    return rules.elsewhere(span, model, owner, first);
  });
}

/** Warnings about models without a price, and about models dearer than those that the rule routes away from. */
export function routeWarnings(rule: Routed, models: Models): readonly Finding[] {
  return routes(rule).flatMap(({ model, span }) => {
    const target = models.find(model);
    if (target === null) return lints.unpriced(span, model, closest(model, models.names));
    const from = modelsOf(rule.filter, models);
    const cheaper = from.names.filter(
      (name) => name !== model && (models.find(name)?.price ?? Infinity) < target.price,
    );
    const [first] = cheaper;
    // A pattern takes in models of all ages and prices: it is only a slip where every one of them is cheaper.
    if (first === undefined || (!from.exact && cheaper.length < from.names.length)) return [];
    return lints.dearer(span, model, first);
  });
}

const routes = ({ actions, actionSpans }: Routed): readonly { readonly model: string; readonly span: Span }[] =>
  actions.flatMap((action, at) => {
    const span = actionSpans[at];
    return action.kind === "route" && span !== undefined ? { model: action.model, span } : [];
  });

/** The providers whose calls the filter lets in, by name or by their models; none where it does not say. */
function providersOf(filter: Filter | null, models: Models): readonly string[] {
  for (const part of conjuncts(filter)) if (part.kind === "in" && part.dimension === "provider") return part.values;
  const owners = modelsOf(filter, models).names.map((name) => models.find(name)?.provider ?? null);
  return owners.includes(null) ? [] : [...new Set(owners)].filter((owner) => owner !== null);
}

/** The models that the filter lets in, where it names them. */
function modelsOf(
  filter: Filter | null,
  models: Models,
): { readonly names: readonly string[]; readonly exact: boolean } {
  for (const part of conjuncts(filter)) {
    if (part.kind === "in" && part.dimension === "model") return { names: part.values, exact: true };
    if (part.kind === "glob" && part.dimension === "model") {
      return { names: models.names.filter((name) => globs(part.pattern, name)), exact: false };
    }
  }
  return { names: [], exact: true };
}
