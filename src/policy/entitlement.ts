/**
 * How much a named limit allows this very call: the store's word first where the limit asks it, then the table, then `else`.
 * In: a plan, a call's subject, what the store keeps. Out: nano-dollars or a count; infinite where there is no limit.
 * @module
 */
import { NONE, type Subject } from "../call/call.ts";
import { limitKey } from "../keys.ts";
import type { Entitlement, NamedLimit, Plan } from "./plan.ts";

/** Who grants an amount: the limit whose word counts, for which value, and whether the store said it. */
export interface Grant {
  readonly limit: NamedLimit;
  readonly value: string;
  /** Nano-dollars or a count; infinite where there is no limit. */
  readonly amount: number;
  readonly live: boolean;
}

/** The amount of a named limit (by index) for this subject; `kept` holds what the store keeps, by `limitKey`. */
export function entitlementOf(
  plan: Pick<Plan, "limits">,
  limit: number,
  subject: Subject,
  kept: ReadonlyMap<string, number>,
): number {
  return grantOf(plan, limit, subject, kept)?.amount ?? Number.POSITIVE_INFINITY;
}

/** The amount with where it comes from: one limit may pass the question on to another. Null where the plan has no such limit. */
export function grantOf(
  plan: Pick<Plan, "limits">,
  limit: number,
  subject: Subject,
  kept: ReadonlyMap<string, number>,
): Grant | null {
  const named = plan.limits[limit];
  if (named === undefined) return null;
  const value = subject[named.by] ?? NONE;
  const live = named.fromStore ? kept.get(limitKey(named.name, named.by, value)) : undefined;
  // What another program wrote there may be no number.
  if (live !== undefined && !Number.isNaN(live)) return { limit: named, value, amount: live, live: true };
  const given: Entitlement = named.rows.get(value) ?? named.otherwise;
  if (given.kind === "limit") return grantOf(plan, given.limit, subject, kept);
  const amount = given.kind === "unlimited" ? Number.POSITIVE_INFINITY : given.amount;
  return { limit: named, value, amount, live: false };
}

/** The keys under which the store may keep this limit for the subject, in the order in which they count. */
export function keptKeys(plan: Pick<Plan, "limits">, limit: number, subject: Subject): readonly string[] {
  const keys: string[] = [];
  let at: number | null = limit;
  while (at !== null) {
    const named: Plan["limits"][number] | undefined = plan.limits[at];
    if (named === undefined) break;
    const value: string = subject[named.by] ?? NONE;
    if (named.fromStore) keys.push(limitKey(named.name, named.by, value));
    const next: Entitlement = named.rows.get(value) ?? named.otherwise;
    at = next.kind === "limit" ? next.limit : null;
  }
  return keys;
}
