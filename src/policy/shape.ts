/**
 * What changes a call before it is judged: the smallest cap and the other models of the rules that fire.
 * @module
 */
import type { Call } from "../call/call.ts";
import { keptKeys } from "./entitlement.ts";
import { fire, fires } from "./evaluate.ts";
import type { Condition, Plan, Rule } from "./plan.ts";
import type { Readings } from "./readings.ts";
import type { Fired } from "./verdict.ts";

export interface Shape {
  /** Output tokens, null where nothing caps the call. */
  readonly cap: number | null;
  /** What capped it. */
  readonly fired: readonly Fired[];
  /** Models that rules send the call to, by name, each once: the cheapest of them counts, also where it is the call's own. */
  readonly routes: readonly Route[];
  /** True where a rule could not be decided because it looks at what only the store knows, and nothing was read. */
  readonly needsReadings: boolean;
}

export interface Route {
  /** As the policy writes it. */
  readonly model: string;
  readonly fired: readonly Fired[];
}

/** Whether the plan shapes any call at all: most do not, and their calls need not look. */
export function shapes(plan: Plan): boolean {
  let found = shaping.get(plan);
  if (found === undefined) {
    found = plan.rules.some(isShape);
    shaping.set(plan, found);
  }
  return found;
}

const shaping = new WeakMap<Plan, boolean>();

/** Shapes a call by the rules whose filter holds; without readings only rules that look at the call alone are decided. */
export function shape(plan: Plan, call: Call, rules: readonly Rule[], readings: Readings | null): Shape {
  let cap: number | null = null;
  let needsReadings = false;
  const capped: Fired[] = [];
  const routed = new Map<string, Fired[]>();
  for (const rule of rules) {
    if (!isShape(rule)) continue;
    if (readings === null && rule.conditions.some((condition) => needsStore(condition, plan, call))) {
      needsReadings = true;
      continue;
    }
    const known = readings ?? UNREAD;
    if (!fires(plan, call, rule, known)) continue;
    for (const action of rule.actions) {
      if (action.kind === "cap") {
        cap = cap === null ? action.tokens : Math.min(cap, action.tokens);
        capped.push(fire(plan, call, rule, action, known, null));
      } else if (action.kind === "route") {
        const fired = routed.get(action.model) ?? [];
        routed.set(action.model, fired);
        fired.push(fire(plan, call, rule, action, known, null));
      }
    }
  }
  const routes = [...routed].map(([model, fired]) => Object.freeze({ model, fired: Object.freeze(fired) }));
  routes.sort((a, b) => (a.model < b.model ? -1 : 1));
  return Object.freeze({ cap, fired: Object.freeze(capped), routes: Object.freeze(routes), needsReadings });
}

/** Shadow rules change no call. */
const isShape = (rule: Rule): boolean =>
  !rule.shadow && rule.actions.some(({ kind }) => kind === "cap" || kind === "route");

/** Meters, the attempt number and some limits are the store's to know. */
const needsStore = ({ reading, limit }: Condition, plan: Plan, { subject }: Call): boolean =>
  reading.kind === "meter" ||
  reading.metric === "retries" ||
  (limit.kind === "named" && keptKeys(plan, limit.limit, subject).length > 0);

const UNREAD: Readings = Object.freeze({
  now: 0,
  meters: [],
  attemptNumber: 0,
  closed: new Map(),
  byHand: [],
  limits: new Map(),
});
