/**
 * What makes a call smaller before it is judged: the smallest cap of the rules that fire.
 * @module
 */
import type { Call } from "../call/call.ts";
import { fire, fires } from "./evaluate.ts";
import type { Plan, Rule } from "./plan.ts";
import type { Readings } from "./readings.ts";
import type { Fired } from "./verdict.ts";

export interface Shape {
  /** Output tokens, null where nothing caps the call. */
  readonly cap: number | null;
  readonly fired: readonly Fired[];
  /** True where a rule could not be decided because it looks at meters and none were read. */
  readonly needsReadings: boolean;
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

/** Whether any shape rule among these looks at a meter or the attempt number, so that the store must be read first. */
export const shapesByMeter = (rules: readonly Rule[]): boolean =>
  rules.some((rule) => isShape(rule) && needsStore(rule));

/** Shapes a call by the rules whose filter holds; without readings only rules that look at the call alone are decided. */
export function shape(plan: Plan, call: Call, rules: readonly Rule[], readings: Readings | null): Shape {
  let cap: number | null = null;
  let needsReadings = false;
  const fired: Fired[] = [];
  for (const rule of rules) {
    if (!isShape(rule)) continue;
    if (readings === null && needsStore(rule)) {
      needsReadings = true;
      continue;
    }
    const known = readings ?? UNREAD;
    if (!fires(rule, call, known)) continue;
    for (const action of rule.actions) {
      if (action.kind !== "cap") continue;
      cap = cap === null ? action.tokens : Math.min(cap, action.tokens);
      fired.push(fire(plan, call, rule, action, known, null));
    }
  }
  return Object.freeze({ cap, fired: Object.freeze(fired), needsReadings });
}

/** Shadow rules change no call. */
const isShape = (rule: Rule): boolean => !rule.shadow && rule.actions.some(({ kind }) => kind === "cap");

/** The attempt number, too, is the store's to know. */
const needsStore = (rule: Rule): boolean =>
  rule.conditions.some(({ reading }) => reading.kind === "meter" || reading.metric === "retries");

const UNREAD: Readings = Object.freeze({ now: 0, meters: [], attemptNumber: 0, closed: new Map(), byHand: [] });
