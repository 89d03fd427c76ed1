/**
 * What is counted where there is no policy, so that `status` shows what a first one should limit.
 * @module
 */
import { makeMeter } from "./policy/meter.ts";
import type { Plan } from "./policy/plan.ts";

const daily = { kind: "daily", timezone: "UTC" } as const;
const meters = Object.freeze([
  makeMeter([], "cost", daily),
  makeMeter([], "calls", daily),
  makeMeter(["tenant"], "cost", daily),
]);

/** The plan itself; one without any file gets a few meters and still no rules. */
export const observing = (plan: Plan): Plan => (plan.files.length > 0 ? plan : Object.freeze({ ...plan, meters }));
