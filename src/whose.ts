/**
 * Whose call is it? Every source of an identity, asked in one way for the calls of the hooks and for those past them.
 * @module
 */
import { currentBudget } from "./call/context.ts";
import { IDENTITY_SCOPES, type Identity, type IdentitySources, identify } from "./call/identity.ts";
import type { Config } from "./config.ts";
import type { Incoming, Incomings } from "./incoming.ts";
import { wantsKey } from "./key-scope.ts";
import type { Plan } from "./policy/plan.ts";
import { closest } from "./policy/suggest.ts";
import type { Arrival } from "./telemetry/telemetry.ts";

/** What surrounds a call in its own tick and async context. */
export interface Surroundings {
  readonly arrival: Arrival;
  readonly context: IdentitySources["context"];
  readonly serving: Incoming | null;
}

/** Looks around where the call is made; later it may be elsewhere. */
export const lookAround = (arrival: Arrival, incoming: Pick<Incomings, "current">): Surroundings => ({
  arrival,
  context: currentBudget(),
  serving: incoming.current(),
});

/** The identity of a call under a plan; `request` is what of it can be seen. */
export function whoseCall(
  { config, processId }: { readonly config: Pick<Config, "identity">; readonly processId: string },
  plan: Plan,
  { arrival, context, serving }: Surroundings,
  { headers, path }: { readonly headers: IdentitySources["headers"]; readonly path: string },
): Identity {
  return identify({
    context,
    headers,
    incoming: serving?.identity ?? null,
    baggage: byScope(arrival.baggage),
    environment: config.identity,
    dimensions: plan.dimensions,
    wantsKey: wantsKey(plan) && path,
    traceId: arrival.traceId,
    requestId: serving?.id ?? null,
    processId,
  });
}

/**
 * Names that `withBudget` gives and nobody counts by, though they look like one that is: `tennant` would count all tenants
 * as none. A name that looks like no other may be there for another policy.
 */
export function slipsOf(context: Surroundings["context"], { dimensions }: Pick<Plan, "dimensions">): readonly Slip[] {
  const known: readonly string[] = [...IDENTITY_SCOPES, ...dimensions];
  return Object.keys(context).flatMap((name) => {
    const meant = known.includes(name) ? null : closest(name, known);
    return meant === null ? [] : [{ name, meant }];
  });
}

export interface Slip {
  readonly name: string;
  readonly meant: string;
}

/** `tenant.id` in baggage is the tenant; any other key stands for itself. */
function byScope(baggage: Readonly<Record<string, string>>): Readonly<Record<string, string>> | null {
  const entries = Object.entries(baggage);
  if (entries.length === 0) return null;
  return Object.fromEntries(entries.map(([key, value]) => [key.replace(/\.id$/, ""), value]));
}
