/**
 * Names under which the ledger keeps things: meter × scope values, and gates. Written here, read back by `status`.
 * @module
 */
import { NONE, type Subject } from "./call/call.ts";
import type { Meter } from "./policy/plan.ts";

/** Values may hold anything a header may; only what would break a key apart is escaped. */
const escaped = (value: string): string => value.replace(/[%|,=]/g, encodeURIComponent);

/** `tenant.feature.cost.daily|acme|research`. */
export function meterKey(meter: Meter, subject: Subject): string {
  let key = meter.id;
  for (const scope of meter.scopes) key += `|${escaped(subject[scope] ?? NONE)}`;
  return key;
}

/** The meter id and scope values of a key that `meterKey` made. */
export function readMeterKey(key: string): { readonly id: string; readonly values: readonly string[] } {
  const [id = "", ...values] = key.split("|");
  return { id, values: values.map(decodeURIComponent) };
}

/** `quota|tenant=acme`: a limit that the store keeps for one value. */
export function limitKey(limit: string, by: string, value: string): string {
  return `${limit}|${by}=${escaped(value)}`;
}

/** The limit's name, its dimension and the value of a key that `limitKey` made. */
export function readLimitKey(key: string): { readonly limit: string; readonly by: string; readonly value: string } {
  const cut = key.lastIndexOf("|");
  const [by = "", value = ""] = key.slice(cut + 1).split("=");
  return { limit: key.slice(0, cut), by, value: decodeURIComponent(value) };
}

/** `<rule id>|tenant=acme,feature=research`; the rule id is empty for a gate closed by hand. */
export function gateKey(rule: string, scopes: readonly string[], subject: Subject): string {
  const values = scopes.map((scope) => `${scope}=${escaped(subject[scope] ?? NONE)}`);
  return `${rule}|${values.join(",")}`;
}

/** The rule (null: closed by hand) and scope values of a key that `gateKey` made. */
export function readGateKey(key: string): {
  readonly rule: string | null;
  readonly scope: Readonly<Record<string, string>>;
} {
  const cut = key.lastIndexOf("|");
  const scope: Record<string, string> = {};
  for (const part of key.slice(cut + 1).split(",")) {
    const [name = "", value = ""] = part.split("=");
    if (name !== "") scope[name] = decodeURIComponent(value);
  }
  return { rule: cut <= 0 ? null : key.slice(0, cut), scope };
}
