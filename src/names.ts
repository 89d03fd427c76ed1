/**
 * All the names that the ledger has for what concerns one subject: made once, since a process calls for few at a time.
 * @module
 */
import { NONE, type Subject } from "./call/call.ts";
import { combinationsOf } from "./combinations.ts";
import { gateKey, meterKey } from "./keys.ts";
import type { Plan, Rule } from "./policy/plan.ts";

/** A gate that is asked about, and what it stands for. */
export type AskedGate =
  | { readonly kind: "rule"; readonly rule: string; readonly key: string }
  | { readonly kind: "hand"; readonly scope: Readonly<Record<string, string>>; readonly key: string };

export interface Names {
  /** Keys in the order of the plan's meters. */
  readonly meters: readonly string[];
  /** The gates that a person can close: everything, any one scope, and the combinations that the policy itself uses. */
  readonly byHand: readonly AskedGate[];
  /** The gate that a rule closes. */
  gate(rule: Rule): AskedGate;
}

const known = new WeakMap<Plan, WeakMap<Subject, Names>>();

/** The names of a subject under a plan; subjects with the same values are one object, so that few are made. */
export function namesFor(plan: Plan, subject: Subject): Names {
  let ofPlan = known.get(plan);
  if (ofPlan === undefined) {
    ofPlan = new WeakMap();
    known.set(plan, ofPlan);
  }
  let names = ofPlan.get(subject);
  if (names === undefined) {
    names = nameAll(plan, subject);
    ofPlan.set(subject, names);
  }
  return names;
}

function nameAll(plan: Plan, subject: Subject): Names {
  const gates = new Map<Rule, AskedGate>();
  return Object.freeze({
    meters: Object.freeze(plan.meters.map((meter) => meterKey(meter, subject))),
    byHand: Object.freeze(gatesByHand(plan, subject)),
    gate(rule: Rule) {
      let gate = gates.get(rule);
      if (gate === undefined) {
        gate = Object.freeze({ kind: "rule", rule: rule.id, key: gateKey(rule.id, rule.closes, subject) });
        gates.set(rule, gate);
      }
      return gate;
    },
  });
}

function gatesByHand(plan: Plan, subject: Subject): readonly AskedGate[] {
  const gate = (scopes: readonly string[]): AskedGate => {
    const scope = Object.fromEntries(scopes.map((name) => [name, subject[name] ?? NONE]));
    return Object.freeze({ kind: "hand", scope: Object.freeze(scope), key: gateKey("", scopes, subject) });
  };
  const single = Object.keys(subject).map((scope) => [scope]);
  return [[], ...single, ...combinationsOf(plan)].map(gate);
}
