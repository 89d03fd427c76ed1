/**
 * What people should hear of though nothing is refused: each thing once.
 * @module
 */
import type { Call } from "./call/call.ts";
import type { Incomings } from "./incoming.ts";
import type { Plan } from "./policy/plan.ts";
import { strictness, type Verdict } from "./policy/verdict.ts";
import type { Log } from "./telemetry/log.ts";

/** Tells of calls that are let go, as far as there is something to tell. */
export function reporter(incoming: Incomings, log: Log): (plan: Plan, call: Call, verdict: Verdict) => void {
  return function report(plan, call, verdict) {
    for (const { message, rule, figures } of verdict.warnings) {
      log.once(`warn ${rule.id} ${JSON.stringify(figures?.scope)}`, "warn", message);
    }
    // A rule is put in the shadow to learn what it would do; without a tracing backend this is where one learns it.
    const unheeded =
      strictness[verdict.kind] >= strictness.hold && verdict.decided !== null
        ? [verdict.decided, ...verdict.shadows]
        : verdict.shadows;
    for (const { message, rule, figures, action } of unheeded) {
      const what = action.kind === "hold" ? "held until there is room" : "stopped";
      const told = `a call to ${call.model} would have been ${what}, but for shadow: ${message}`;
      log.once(`shadow ${rule.id} ${JSON.stringify(figures?.scope)}`, "warn", told);
    }
    if (plan.rules.length === 0) log.once("no policy", "warn", NO_POLICY);
    if (call.note !== undefined)
      log.once(`note ${call.note}`, "warn", `a call to ${call.provider} is unmetered: ${call.note}`);
    if (call.unpriced) {
      const advice = `Give it one under "prices" in budget-guard.json, or refuse it with \`call.unpriced -> deny\`.`;
      const message = `no price is known for ${call.modelAsSent}: it is charged at ${call.provider}'s dearest. ${advice}`;
      log.once(`unpriced ${call.modelAsSent}`, "warn", message);
    }
    if (call.runSource === "process" && incoming.served && countsRuns(plan)) log.once("strangers", "warn", STRANGERS);
  };
}

const countsRuns = (plan: Plan): boolean =>
  plan.meters.some(({ scopes, metric }) => metric === "runs" || scopes.includes("run"));

const NO_POLICY =
  "no policy was found: calls are counted and none is refused. `npx budget-guard init` writes a first one.";

const STRANGERS =
  "this process serves requests, and a call outside of them named no run: run limits add up whatever runs here. " +
  "Name runs with withBudget({ run: id }, fn) or the header x-budget-run.";
