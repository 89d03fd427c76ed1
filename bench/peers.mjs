// The same question put to others: of so many rules, each for one tenant, does any refuse this call?
// What has been spent is given to all alike, as a number: none of them counts.
import cedar from "@cedar-policy/cedar-wasm/nodejs";
import { Environment } from "@marcbachmann/cel-js";
import rulesEngine from "json-rules-engine";

/** $5 in nano-dollars. */
const LIMIT = 5_000_000_000;

/** What each is asked, for the table. */
export const asked = {
  "cel-js": 'each expression in turn, parsed once: tenant == "t5" && projected > 5000000000',
  "json-rules-engine": "engine.run({tenant, projected}) on all: tenant equal t5, projected greaterThan 5000000000",
  "cedar-wasm": 'statefulIsAuthorized: forbid(principal == Tenant::"t5", ...) when {context.projected > 5000000000}',
};

/** By name: `(tenant, projected) => refused`, or a promise of it. */
export function peers(count) {
  return { "cel-js": cel(count), "json-rules-engine": jsonRules(count), "cedar-wasm": cedarRules(count) };
}

function cel(count) {
  const environment = new Environment().registerVariable("tenant", "string").registerVariable("projected", "int");
  const rules = Array.from({ length: count }, (_, index) =>
    environment.parse(`tenant == "t${index}" && projected > ${LIMIT}`),
  );
  return (tenant, projected) => {
    const facts = { tenant, projected: BigInt(projected) };
    return rules.some((rule) => rule(facts));
  };
}

function jsonRules(count) {
  const engine = new rulesEngine.Engine();
  for (let index = 0; index < count; index++) {
    engine.addRule({
      conditions: {
        all: [
          { fact: "tenant", operator: "equal", value: `t${index}` },
          { fact: "projected", operator: "greaterThan", value: LIMIT },
        ],
      },
      event: { type: "deny" },
    });
  }
  return async (tenant, projected) => (await engine.run({ tenant, projected })).events.length > 0;
}

function cedarRules(count) {
  const forbids = Array.from(
    { length: count },
    (_, index) => `forbid(principal == Tenant::"t${index}", action, resource) when { context.projected > ${LIMIT} };`,
  );
  const preparsedPolicySetId = `rules-${count}`;
  const staticPolicies = ["permit(principal, action, resource);", ...forbids].join("\n");
  const parsed = cedar.preparsePolicySet(preparsedPolicySetId, { staticPolicies });
  if (parsed.type !== "success") throw new Error(JSON.stringify(parsed.errors[0]));
  return (tenant, projected) => {
    const answer = cedar.statefulIsAuthorized({
      principal: { type: "Tenant", id: tenant },
      action: { type: "Action", id: "call" },
      resource: { type: "Model", id: "gpt-5" },
      context: { projected },
      entities: [],
      preparsedPolicySetId,
    });
    if (answer.type !== "success") throw new Error(JSON.stringify(answer.errors[0]));
    return answer.response.decision === "deny";
  };
}
