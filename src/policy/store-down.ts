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

/** The strictest of the `store.down` rules among those whose filter holds: deny, then local, then allow; `local` where there is none. */
export function whenStoreDown(rules: readonly Rule[], call: Pick<Call, "subject">): Outage {
  let way: "local" | "allow" | null = null;
  let denying: { readonly rule: Rule; readonly action: Action } | null = null;
  for (const rule of rules) {
    if (rule.flag !== "store.down" || rule.shadow) continue;
    for (const action of rule.actions) {
      if (action.kind === "deny" && (denying === null || rule.id < denying.rule.id)) denying = { rule, action };
      else if (action.kind === "local") way = "local";
      else if (action.kind === "allow" && way === null) way = "allow";
    }
  }
  if (denying !== null) return Object.freeze({ kind: "deny", fired: fired(denying.rule, denying.action, call) });
  return way === "allow" ? ALLOW : LOCAL;
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
