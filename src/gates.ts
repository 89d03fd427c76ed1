/**
 * Gates as people see them: what is closed, closing one by hand, and opening again.
 * In: a store, the policy, scope values. Out: the same gates that `judge` asks about.
 * @module
 */
import { NONE } from "./call/call.ts";
import { clean } from "./call/identity.ts";
import { canonicalModel } from "./call/model.ts";
import { combinationsOf } from "./combinations.ts";
import { wantsKey } from "./key-scope.ts";
import { gateKey, meterKey, readGateKey } from "./keys.ts";
import { keptBy, limitAmount } from "./limits.ts";
import type { Condition, Meter, Plan, Rule } from "./policy/plan.ts";
import { closest } from "./policy/suggest.ts";
import { scopes as vocabulary } from "./policy/vocabulary.ts";
import type { ClosedGate, MeterReading, Store } from "./store/store.ts";

/** Scope name → value; empty is global. */
export type Scope = Readonly<Record<string, string>>;

/** A gate that is closed now. */
export interface Gate {
  readonly key: string;
  /** Null: closed by hand. */
  readonly rule: string | null;
  readonly scope: Scope;
  /** `paused` stays until someone opens it or its time is over; `tripped` is a breaker that reopens by itself. */
  readonly kind: "paused" | "tripped";
  /** ms since 1970. */
  readonly since: number;
  readonly until: number | null;
  /** Closed by a rule that the policy no longer holds: it refuses nothing. */
  readonly stale: boolean;
}

/** Where the meter of a rule stands that had closed a gate. Amounts: nano-dollars or counts. */
export interface Standing {
  readonly rule: Rule;
  readonly meter: Meter;
  readonly scope: Scope;
  /** Spent and held. */
  readonly amount: number;
  readonly limit: number;
  /** When room returns, ms since 1970; null: never by itself. */
  readonly resetsAt: number | null;
}

/** All closed gates, the oldest first. */
export async function closedGates(store: Pick<Store, "gates">, plan: Plan | null): Promise<readonly Gate[]> {
  const rules = rulesById(plan);
  return (await store.gates()).map((gate) => gateOf(gate, rules)).sort((a, b) => a.since - b.since);
}

/** The scope with its values as calls count by them: `openai/gpt-5-2025-08-07` is `gpt-5`, blanks at the ends are none. */
export const asCounted = (scope: Scope): Scope =>
  Object.fromEntries(
    Object.entries(scope).map(([name, value]) => {
      const plain = clean(value) ?? NONE;
      return [name, name === "model" ? canonicalModel(plain) : plain];
    }),
  );

/** Closes the gate of these scope values by hand, for `ms` or until someone opens it. Ask `whyNotPausable` first. */
export async function pauseScope(store: Pick<Store, "close">, plan: Plan | null, scope: Scope, ms: number | null) {
  const counted = asCounted(scope);
  await store.close(gateKey("", order(plan, counted), counted), ms);
}

/** Opens the gates that `wanted` picks, whether a rule or a person closed them; returns those that were closed. */
export async function openGates(
  store: Pick<Store, "gates" | "open">,
  plan: Plan | null,
  wanted: (gate: Gate) => boolean,
): Promise<readonly Gate[]> {
  const found = (await closedGates(store, plan)).filter(wanted);
  if (found.length > 0) await store.open(found.map(({ key }) => key));
  return found;
}

/** Whether the gate's scope is exactly these values. */
export function isExactly(gate: Pick<Gate, "scope">, scope: Scope): boolean {
  const wanted = Object.entries(asCounted(scope));
  return (
    wanted.length === Object.keys(gate.scope).length && wanted.every(([name, value]) => gate.scope[name] === value)
  );
}

/**
 * Of the gates that were opened: rules that are likely to close theirs again soon, because each of their meters is at
 * least half full. A rule closes before its limit is passed, so the meter stands somewhat below it.
 */
export async function standings(
  store: Pick<Store, "read" | "limits">,
  plan: Plan,
  opened: readonly Gate[],
): Promise<readonly Standing[]> {
  const rules = rulesById(plan);
  const found: Standing[] = [];
  for (const gate of opened) {
    const rule = gate.rule === null ? undefined : rules.get(gate.rule);
    const standing = rule === undefined ? null : await standingOf(store, plan, rule, gate.scope);
    if (standing !== null) found.push(standing);
  }
  return found;
}

/** What can be paused: names of scopes, built in and declared. Calls have a name for their key only where a policy looks at it. */
export const scopeNames = (plan: Plan | null): readonly string[] => [
  ...vocabulary.filter((name) => name !== "global" && (name !== "key" || (plan !== null && wantsKey(plan)))),
  ...(plan?.dimensions ?? []),
];

/**
 * Why this scope cannot be paused, as a sentence; null where it can. A call asks about the gates of everything, of each
 * single scope and of the combinations that the policy counts by: another combination would close a gate that nobody asks about.
 */
export function whyNotPausable(plan: Plan | null, scope: Scope): string | null {
  const names = Object.keys(scope);
  const known = scopeNames(plan);
  for (const name of names) {
    if (known.includes(name)) continue;
    const guess = closest(name, known);
    return `There is no scope "${name}".${guess === null ? ` There are ${known.join(", ")}.` : ` Did you mean ${guess}=${scope[name]}?`}`;
  }
  if (names.length < 2 || combination(plan, names) !== undefined) return null;
  return `No rule counts by ${names.join(" and ")} together, so no call would be stopped. Pause one of them: ${names
    .map((name) => `${name}=${scope[name]}`)
    .join(", or ")}.`;
}

const combination = (plan: Plan | null, names: readonly string[]): readonly string[] | undefined =>
  plan === null
    ? undefined
    : combinationsOf(plan).find((all) => all.length === names.length && names.every((name) => all.includes(name)));

/** Scope names in the order that the guard uses in keys. */
const order = (plan: Plan | null, scope: Scope): readonly string[] =>
  combination(plan, Object.keys(scope)) ?? Object.keys(scope);

const rulesById = (plan: Plan | null): ReadonlyMap<string, Rule> =>
  new Map((plan?.rules ?? []).map((rule) => [rule.id, rule]));

function gateOf({ key, since, until }: ClosedGate, rules: ReadonlyMap<string, Rule>): Gate {
  const { rule: id, scope } = readGateKey(key);
  const rule = id === null ? undefined : rules.get(id);
  const trips = rule === undefined ? id !== null && until !== null : !rule.actions.some(({ kind }) => kind === "pause");
  return Object.freeze({
    key,
    rule: id,
    scope,
    kind: trips ? "tripped" : "paused",
    since,
    until,
    stale: id !== null && rule === undefined,
  });
}

/** The rule's fullest meter; null where one of them is less than half full, or counts by more than the gate tells. */
async function standingOf(
  store: Pick<Store, "read" | "limits">,
  plan: Plan,
  rule: Rule,
  scope: Scope,
): Promise<Standing | null> {
  let fullest: Standing | null = null;
  for (const condition of rule.conditions) {
    const found = await readCondition(store, plan, rule, condition, scope);
    if (found === null || found.amount * 2 < found.limit) return null;
    if (fullest === null || found.amount * fullest.limit > fullest.amount * found.limit) fullest = found;
  }
  return fullest;
}

async function readCondition(
  store: Pick<Store, "read" | "limits">,
  plan: Plan,
  rule: Rule,
  { reading, limit }: Condition,
  scope: Scope,
): Promise<Standing | null> {
  const meter = reading.kind === "meter" ? plan.meters[reading.meter] : undefined;
  if (meter === undefined || meter.scopes.some((name) => !(name in scope))) return null;
  const other = limit.kind === "share" ? plan.meters[limit.of] : undefined;
  const asked = other === undefined ? [meter] : [meter, other];
  const [own, of] = await store.read(asked.map((one) => ({ key: meterKey(one, scope), window: one.window })));
  const kept = limit.kind === "named" ? await keptBy(store, plan) : NOTHING_KEPT;
  const most = limitAmount(plan, limit, scope, { total: () => total(of), kept });
  if (typeof most === "string" || most === Number.POSITIVE_INFINITY) return null;
  return {
    rule,
    meter,
    scope: Object.fromEntries(meter.scopes.map((name) => [name, scope[name] ?? ""])),
    amount: total(own),
    limit: most,
    resetsAt: own?.resetsAt ?? null,
  };
}

const NOTHING_KEPT: ReadonlyMap<string, number> = new Map();

const total = (reading: MeterReading | undefined): number => (reading === undefined ? 0 : reading.spent + reading.held);
