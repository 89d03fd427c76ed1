import { describe, expect, it } from "vitest";
import { indexRules } from "../../src/policy/match.ts";
import { whenStoreDown } from "../../src/policy/store-down.ts";
import { aCall } from "../support/a-call.ts";
import { planOf } from "./support.ts";

function wayOf(text: string, tenant = "acme") {
  const plan = planOf(text);
  const call = aCall({ subject: { tenant } });
  return whenStoreDown(indexRules(plan)(call), call);
}

describe("while the store is away", () => {
  it("the same rules go on locally unless the policy says otherwise", () => {
    expect(wayOf("tenant.daily > $5 -> deny")).toEqual({ kind: "local" });
    expect(wayOf('store.down when tenant == "acme" -> allow')).toEqual({ kind: "allow" });
    expect(wayOf('store.down when tenant == "globex" -> allow')).toEqual({ kind: "local" });
  });

  it("deny overrides local, and local overrides allow, in any order", () => {
    const rules = ["store.down -> allow", "store.down -> local", "d: store.down -> deny"];
    expect(wayOf(rules.slice(0, 2).join("\n")).kind).toBe("local");
    expect(wayOf(rules.slice(0, 2).reverse().join("\n")).kind).toBe("local");
    expect(wayOf(rules.join("\n")).kind).toBe("deny");
    expect(wayOf(rules.reverse().join("\n")).kind).toBe("deny");
  });

  it("a rule for some speaks before one for all, but never before a deny", () => {
    const hospital = 'store.down when tenant == "acme" -> allow';
    expect(wayOf(`store.down -> local\n${hospital}`)).toEqual({ kind: "allow" });
    expect(wayOf(`${hospital}\nstore.down -> local`)).toEqual({ kind: "allow" });
    expect(wayOf(`store.down -> local\n${hospital}`, "globex")).toEqual({ kind: "local" });
    expect(wayOf('store.down -> allow\nstore.down when tenant == "acme" -> local')).toEqual({ kind: "local" });
    expect(wayOf(`store.down -> deny\n${hospital}`).kind).toBe("deny");
  });

  it("a refusal names its rule, the smallest id of several", () => {
    const way = wayOf('z: store.down -> deny\nb: store.down when tenant == "acme" -> deny "No budgets for {tenant}."');
    expect(way.kind === "deny" && way.fired.message).toBe('No budgets for acme. (rule "b", p.budget:2)');
    const plain = wayOf("z: store.down -> deny");
    expect(plain.kind === "deny" && plain.fired.message).toBe(
      'the ledger cannot be reached, so no budget can be checked (rule "z", p.budget:1).',
    );
  });

  it("shadow rules decide nothing", () => {
    expect(wayOf("shadow store.down -> deny").kind).toBe("local");
  });
});
