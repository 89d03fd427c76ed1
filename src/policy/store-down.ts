/**
 * What to do with a call while the ledger is away.
 * @module
 */
import type { Call } from "../call/call.ts";
import type { Action, Rule } from "./plan.ts";
import type { Fired } from "./verdict.ts";

/** `local`: the same rules on counters in this process. */
export type Outage = { readonly kind: "local" | "allow" } | { readonly kind: "deny"; readonly fired: Fired };

const LOCAL: Outage = Object.freeze({ kind: "local" });
const ALLOW: Outage = Object.freeze({ kind: "allow" });

/**
 * What the `store.down` rules say whose filter holds. `deny` always wins. Of the others one with a filter speaks before
 * one without, or `store.down when tenant == "hospital" -> allow` could never be said beside `store.down -> local`;
 * among equals `local` wins. Where there is none: `local`.
 */
export function whenStoreDown(rules: readonly Rule[], call: Pick<Call, "subject">): Outage {
  const ways = new Set<string>();
  let denying: { readonly rule: Rule; readonly action: Action } | null = null;
  for (const rule of rules) {
    if (rule.flag !== "store.down" || rule.shadow) continue;
    for (const action of rule.actions) {
      if (action.kind === "deny" && (denying === null || rule.id < denying.rule.id)) denying = { rule, action };
      else ways.add(`${action.kind}${rule.filter === null ? " for all" : ""}`);
    }
  }
  if (denying !== null) return Object.freeze({ kind: "deny", fired: fired(denying.rule, denying.action, call) });
  if (ways.has("local")) return LOCAL;
  if (ways.has("allow")) return ALLOW;
  return ways.has("allow for all") && !ways.has("local for all") ? ALLOW : LOCAL;
}

function fired(rule: Rule, action: Action, { subject }: Pick<Call, "subject">): Fired {
  const own = "message" in action ? action.message : null;
  const text = own?.replace(/\{([^{}\s]*)\}/g, (whole, name: string) => subject[name] ?? whole);
  const source = ` (rule "${rule.id}", ${rule.file}:${rule.line})`;
  return Object.freeze({
    rule,
    action,
    figures: null,
    closed: null,
    message:
      text === undefined ? `the ledger cannot be reached, so no budget can be checked${source}.` : `${text}${source}`,
  });
}
