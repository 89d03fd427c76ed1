/**
 * One call through a policy without a network or a ledger: shaped, matched and judged by the functions of the guard.
 * In: a plan, the facts of a call, and what the meters read. Out: everything that the guard would have known and done.
 * @module
 */
import type { Call } from "../call/call.ts";
import { evaluate, fires } from "./evaluate.ts";
import type { RuleIndex } from "./match.ts";
import type { Plan, Rule } from "./plan.ts";
import type { Readings } from "./readings.ts";
import { shape } from "./shape.ts";
import { askingFor, type CallFacts, callOf, cappedAt, type Estimator } from "./simulate-call.ts";
import { type Outage, whenStoreDown } from "./store-down.ts";
import type { Fired, Verdict } from "./verdict.ts";

export interface Simulation {
  readonly plan: Plan;
  readonly rulesFor: RuleIndex;
  readonly estimator: Estimator;
}

/** What the ledger says of a call: asked again where a rule has changed the call. */
export type Read = (call: Call) => Readings | Promise<Readings>;

/** A call at one of the two moments at which rules look at it. */
export interface Moment {
  readonly call: Call;
  /** The rules whose filter holds. */
  readonly rules: readonly Rule[];
  readonly readings: Readings;
}

export interface Simulated {
  /** As it came, which is what `route to` and `cap` look at. */
  readonly asked: Moment;
  /** As it would leave, which is what is judged. */
  readonly judged: Moment;
  readonly route: { readonly from: string; readonly to: string; readonly fired: readonly Fired[] } | null;
  readonly cap: { readonly tokens: number; readonly fired: readonly Fired[] } | null;
  /** Rules that would have changed the call and cannot. */
  readonly unshaped: readonly { readonly fired: Fired; readonly why: string }[];
  /** Null while the store can be reached. */
  readonly outage: Outage | null;
  readonly verdict: Verdict;
  /** Ids of all rules that fired, whatever was decided. */
  readonly fired: ReadonlySet<string>;
}

/** Shapes and judges the call that the facts describe. */
export async function simulate(
  simulation: Simulation,
  facts: CallFacts,
  read: Read,
  storeDown = false,
): Promise<Simulated> {
  const { plan, rulesFor, estimator } = simulation;
  const first = callOf(facts, plan.dimensions, estimator);
  const moment = async (call: Call): Promise<Moment> => ({ call, rules: rulesFor(call), readings: await read(call) });
  const asked = await moment(first);
  const wanted = shape(plan, first, asked.rules, asked.readings);
  const routed = cheapest(first, facts, wanted.routes, estimator);
  const capped = limited(routed.call, facts, wanted.cap, estimator);
  const judged = capped === first ? asked : await moment(capped);
  const outage = storeDown ? whenStoreDown(judged.rules, judged.call) : null;
  const verdict = verdictOf(plan, judged, outage);
  const shapers = [...wanted.fired, ...wanted.routes.flatMap(({ fired }) => fired)];
  return Object.freeze({
    asked,
    judged,
    route: routed.route,
    cap: capped === routed.call || wanted.cap === null ? null : { tokens: wanted.cap, fired: wanted.fired },
    unshaped: routed.unshaped,
    outage,
    verdict,
    fired: new Set([...shapers.map(({ rule }) => rule.id), ...judging(plan, judged, storeDown, outage)]),
  });
}

/** Whether a rule does nothing but change calls, so that only the call as it came concerns it. */
export const onlyShapes = ({ shadow, actions }: Rule): boolean =>
  !shadow && actions.every(({ kind }) => kind === "cap" || kind === "route");

type Routes = ReturnType<typeof shape>["routes"];
type Routed = Pick<Simulated, "route" | "unshaped"> & { readonly call: Call };

/** The cheapest of the models, as the guard picks it: ties go to the smallest name, its own model changes nothing. */
function cheapest(first: Call, facts: CallFacts, routes: Routes, estimator: Estimator): Routed {
  const unshaped: Simulated["unshaped"][number][] = [];
  let best: { readonly call: Call; readonly model: string; readonly fired: readonly Fired[] } | null = null;
  for (const { model, fired } of routes) {
    const own = estimator.canonical(model) === first.model;
    const why = own ? null : whyNot(first, facts, model, estimator);
    if (why !== null) {
      unshaped.push(...fired.map((one) => ({ fired: one, why })));
      continue;
    }
    const call = own ? first : askingFor(first, facts, model, estimator);
    if (best === null || call.cost.total < best.call.cost.total) best = { call, model, fired };
  }
  if (best === null || best.call === first) return { call: first, route: null, unshaped };
  return { call: best.call, route: { from: first.modelAsSent, to: best.model, fired: best.fired }, unshaped };
}

function whyNot(call: Call, facts: CallFacts, model: string, estimator: Estimator): string | null {
  if (call.spending !== "metered") return "the endpoint cannot be metered";
  return facts.model === null ? null : estimator.whyElsewhere(call.provider, facts.model, model);
}

/** The call with the smallest cap, or the same call where it asks for no more. */
function limited(call: Call, facts: CallFacts, tokens: number | null, estimator: Estimator): Call {
  if (tokens === null || call.spending !== "metered") return call;
  return call.maxTokens !== null && call.maxTokens <= tokens ? call : cappedAt(call, facts, tokens, estimator);
}

function verdictOf(plan: Plan, { call, rules, readings }: Moment, outage: Outage | null): Verdict {
  if (outage?.kind === "deny") return { ...NOTHING, kind: "deny", decided: outage.fired };
  return outage?.kind === "allow" ? NOTHING : evaluate(plan, call, rules, readings);
}

const NOTHING: Verdict = Object.freeze({ kind: "allow", decided: null, warnings: [], waits: [], shadows: [] });

/** Rules that fire on the call as it is judged; while the ledger is away some are not asked. */
function judging(
  plan: Plan,
  { call, rules, readings }: Moment,
  storeDown: boolean,
  outage: Outage | null,
): readonly string[] {
  const asksAll = outage === null || outage.kind === "local";
  const up = (rule: Rule): boolean => {
    if (rule.flag === "store.down") return storeDown;
    return asksAll && !onlyShapes(rule) && (readings.closed.has(rule.id) || fires(plan, call, rule, readings));
  };
  return rules.filter(up).map(({ id }) => id);
}
