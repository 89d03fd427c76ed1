import type { Attributes } from "@opentelemetry/api";
import type { Fired, Verdict } from "../policy/verdict.ts";
import { errorTypes, events, guard } from "./attributes.ts";
import { firedAttributes } from "./fired.ts";
import type { Decided } from "./telemetry.ts";
import { compact, money, shortened } from "./values.ts";

/**
 * What was done about a call, the later the more: all but `deny` let it go. A refusal is always `deny`; the verdict says
 * which kind. Where several things were done the last of them names it, and attributes of their own say the others.
 */
export type Decision = "allow" | "warn" | "backoff" | "hold" | "cap" | "route" | "deny";

/** A span event: one rule that spoke. */
export interface Said {
  readonly name: string;
  readonly attributes: Attributes;
}

/** Verdicts and actions that refuse at once; a `hold` refuses where no room came. */
const REFUSING: ReadonlySet<string> = new Set(["deny", "deny for", "pause"]);

/** Names what was enforced, which in shadow mode is not what the rules said. */
export function decisionOf(decided: Decided): Decision {
  if (decided.refused) return "deny";
  const { verdict, waited, mode } = decided;
  if (mode === "enforce") {
    if (decided.route !== null) return "route";
    if (decided.cap !== null) return "cap";
    if ((waited?.hold ?? 0) > 0) return "hold";
    if ((waited?.backoff ?? 0) > 0) return "backoff";
  }
  return verdict.warnings.length > 0 ? "warn" : "allow";
}

/** Names what the rules said: the kind of a refusal, else the most that they asked for. */
export function verdictOf({ verdict, refused, route, cap, waited }: Decided): string {
  if (refused || REFUSING.has(verdict.kind)) return verdict.kind;
  if (route !== null) return "route";
  if (cap !== null) return "cap";
  return (waited?.hold ?? 0) > 0 ? "hold" : verdict.kind;
}

/** The decision as attributes; all of it is known before the span starts, so that a sampler can keep refusals. */
export function decisionAttributes(decided: Decided): Attributes {
  const { call, waited } = decided;
  const deciding = decidingRule(decided);
  const would = wouldDeny(decided);
  return compact({
    [guard.decision]: decisionOf(decided),
    [guard.verdict]: verdictOf(decided),
    [guard.mode]: decided.mode,
    ...(deciding === null ? {} : firedAttributes(deciding)),
    [guard.rulesMatched]: decided.matched.length > 0 ? [...decided.matched] : undefined,
    [guard.wouldDeny]: would.length > 0 ? would.map((fired) => fired.rule.id) : undefined,
    [guard.policyId]: decided.policy.files.length > 0 ? decided.policy.files.join(", ") : undefined,
    [guard.policyHash]: decided.policy.hash === "" ? undefined : decided.policy.hash,
    ...shapeAttributes(decided),
    [guard.waitHold]: nonzero(waited?.hold),
    [guard.waitBackoff]: nonzero(waited?.backoff),
    [guard.estimateCost]: call.spending === "metered" ? money(call.cost.total) : undefined,
    [guard.estimateInputTokens]: call.spending === "metered" ? call.inputTokens : undefined,
    [guard.estimateOutputTokens]: call.spending === "metered" ? call.outputTokens : undefined,
    [guard.unpriced]: call.unpriced ? true : undefined,
    [guard.unmetered]: call.spending === "unmetered" ? true : undefined,
    [guard.repeat]: decided.repeat ? true : undefined,
    [guard.runCalls]: decided.run.calls ?? undefined,
    [guard.runCost]: decided.run.cost === null ? undefined : money(decided.run.cost),
    [guard.priceTable]: decided.priceTable === "" ? undefined : decided.priceTable,
    [guard.checkDuration]: decided.checkSeconds,
    [guard.store]: decided.store.kind,
    [guard.storeDegraded]: decided.store.degraded ? true : undefined,
  });
}

function shapeAttributes({ route, cap, unshaped }: Decided): Attributes {
  return compact({
    [guard.routeFrom]: route === null ? undefined : shortened(route.from),
    [guard.routeTo]: route === null ? undefined : shortened(route.to),
    [guard.capTokens]: cap?.tokens,
    [guard.unshaped]: unshaped.length > 0 ? [...new Set(unshaped.map(({ why }) => shortened(why)))] : undefined,
  });
}

/** Every rule that spoke, one event each: the refusal, warnings on every call over their line, shapes, waits, shadows. */
export function decisionEvents(decided: Decided): readonly Said[] {
  const { verdict, cap, route, unshaped } = decided;
  const enforced = decided.mode === "enforce";
  const said: Said[] = [];
  if (decided.refused && verdict.decided !== null) said.push(event(events.deny, verdict.decided));
  for (const fired of verdict.warnings) said.push(event(events.warn, fired));
  for (const fired of route?.fired ?? []) {
    const attributes = compact({ [guard.routeFrom]: route?.from, [guard.routeTo]: route?.to });
    said.push(event(enforced ? events.route : `${events.would}route`, fired, attributes));
  }
  for (const fired of cap?.fired ?? []) said.push(event(enforced ? events.cap : `${events.would}cap`, fired));
  for (const { fired, why } of unshaped) said.push(event(events.unshaped, fired, { [guard.unshapedReason]: why }));
  for (const fired of verdict.waits) said.push(...waitEvent(decided, fired));
  for (const fired of wouldDeny(decided)) said.push(event(`${events.would}deny`, fired));
  for (const fired of verdict.shadows) {
    if (!refuses(fired)) said.push(event(`${events.would}${fired.action.kind}`, fired));
  }
  return said;
}

/** A wait that was waited, or would have been; one that a stricter rule made needless is not said. */
function waitEvent({ mode, waited, refused, verdict }: Decided, fired: Fired): readonly Said[] {
  const kind = fired.action.kind === "hold" ? "hold" : "backoff";
  if (mode !== "enforce") return [event(`${events.would}${kind}`, fired)];
  const seconds = waited?.[kind] ?? 0;
  // A hold that ran out is the refusal itself.
  if (seconds === 0 || (refused && fired.rule.id === verdict.decided?.rule.id)) return [];
  return [event(events[kind], fired, { [kind === "hold" ? guard.waitHold : guard.waitBackoff]: seconds })];
}

/** The low-cardinality reason of a refusal. */
export function refusalType(verdict: Verdict): string {
  return verdict.decided?.rule.flag === "store.down" ? errorTypes.store : errorTypes.budget;
}

/** The rule that names the span: the one that refused, else the first that shaped, delayed or warned. */
export function decidingRule({ verdict, refused, route, cap }: Decided): Fired | null {
  if (refused || REFUSING.has(verdict.kind)) return verdict.decided;
  return route?.fired[0] ?? cap?.fired[0] ?? verdict.decided ?? verdict.waits[0] ?? verdict.warnings[0] ?? null;
}

/** Shadow rules that would have refused, and in shadow mode the rule that decided. */
export function wouldDeny({ verdict, refused }: Decided): readonly Fired[] {
  const shadows = verdict.shadows.filter(refuses);
  const { decided } = verdict;
  return !refused && decided !== null && refuses(decided) ? [decided, ...shadows] : shadows;
}

function refuses(fired: Fired): boolean {
  return REFUSING.has(fired.action.kind);
}

function event(name: string, fired: Fired, more: Attributes = {}): Said {
  return { name, attributes: { ...firedAttributes(fired), ...more } };
}

const nonzero = (seconds: number | undefined): number | undefined =>
  seconds === undefined || seconds === 0 ? undefined : seconds;
