/**
 * What `status` shows, read from the same ledger that decides: every meter with its limits, and every closed gate.
 * In: a store and the policy. Out: plain data; amounts in dollars or counts, times in ISO 8601.
 * @module
 */
import type { Mode } from "./config.ts";
import { closedGates, type Gate } from "./gates.ts";
import { meterKey, readMeterKey } from "./keys.ts";
import { type Bound, boundsOf, keptBy, limitAmount } from "./limits.ts";
import { observing } from "./observing.ts";
import { windowText } from "./policy/meter.ts";
import type { Meter, Metric, Plan } from "./policy/plan.ts";
import type { MeterState, Store } from "./store/store.ts";

/** One line that a rule draws on a meter. `used`: the share of it that is spent or held; 1 is all of it. */
export interface LimitStatus {
  readonly rule: string;
  /** What happens beyond it: `deny`, `deny for`, `pause`, `hold`, `backoff`, `warn`, `route`, `cap`. */
  readonly action: string;
  readonly shadow: boolean;
  /** Null where there is none for this subject, or where it depends on the call: `by` tells. */
  readonly limit: number | null;
  readonly used: number | null;
  /** The limit of the policy that it names, such as `quota`. */
  readonly named?: string;
  /** The dimension whose value in the call decides, where the subject does not tell. */
  readonly by?: string;
}

/** One meter of one subject. `limit`, `rule` and `used` are those of the tightest limit that stops calls. */
export interface MeterStatus {
  readonly meter: string;
  readonly scope: Readonly<Record<string, string>>;
  readonly metric: Metric;
  readonly window: string;
  readonly spent: number;
  readonly held: number;
  readonly limit: number | null;
  readonly unit: string;
  readonly resets_at: string | null;
  readonly rule: string | null;
  readonly used: number | null;
  /** All limits: those that stop first, each kind with the tightest first. */
  readonly limits: readonly LimitStatus[];
}

/** A gate that is closed now. `rule` null: by hand. */
export interface ClosedStatus {
  readonly rule: string | null;
  readonly scope: Readonly<Record<string, string>>;
  readonly kind: "paused" | "tripped";
  readonly since: string;
  readonly until: string | null;
  /** Closed by a rule that this policy no longer holds: it refuses nothing. */
  readonly stale: boolean;
}

export interface Status {
  readonly store: string;
  readonly mode: Mode;
  readonly policy: { readonly files: readonly string[]; readonly hash: string; readonly rules: number } | null;
  /** By share used, the fullest first. */
  readonly meters: readonly MeterStatus[];
  /** Meters of the policy on which nothing is spent or held. */
  readonly idle: readonly string[];
  readonly closed: readonly ClosedStatus[];
}

/** Reads the ledger; `store` null where there is none yet, which is the same as nothing spent. */
export async function readStatus(store: Store | null, name: string, plan: Plan, mode: Mode): Promise<Status> {
  const counted = observing(plan);
  const [states, kept] =
    store === null
      ? [[], new Map<string, number>()]
      : await Promise.all([store.list(counted.meters), keptBy(store, counted)]);
  const meters = metersOf(counted, states, kept);
  const seen = new Set(meters.map(({ meter }) => meter));
  return Object.freeze({
    store: store?.name ?? name,
    mode,
    policy: plan.files.length === 0 ? null : { files: plan.files, hash: plan.hash, rules: plan.rules.length },
    meters,
    idle: counted.meters
      .map(({ id }) => id)
      .filter((id) => !seen.has(id))
      .sort(),
    closed: store === null ? [] : (await closedGates(store, plan)).map(closedStatus),
  });
}

const closedStatus = ({ rule, scope, kind, since, until, stale }: Gate): ClosedStatus => ({
  rule,
  scope,
  kind,
  since: isoTime(since),
  until: until === null ? null : isoTime(until),
  stale,
});

function metersOf(
  plan: Plan,
  states: readonly MeterState[],
  kept: ReadonlyMap<string, number>,
): readonly MeterStatus[] {
  const byId = new Map(plan.meters.map((meter, index) => [meter.id, { meter, index }]));
  const totals = new Map(states.map(({ key, spent, held }) => [key, spent + held]));
  const bounds = boundsOf(plan);
  const rows: MeterStatus[] = [];
  for (const state of states) {
    const { id, values } = readMeterKey(state.key);
    const found = byId.get(id);
    if (found === undefined) continue;
    const scope = Object.fromEntries(found.meter.scopes.map((name, at) => [name, values[at] ?? ""]));
    const total = (index: number): number => {
      const other = plan.meters[index];
      return other === undefined ? 0 : (totals.get(meterKey(other, scope)) ?? 0);
    };
    const amount = ({ condition }: Bound): number | string =>
      limitAmount(plan, condition.limit, scope, { total, kept });
    const limits = bounds(found.index, scope).map((bound) => limitOf(plan, found.meter, state, bound, amount(bound)));
    rows.push(row(found.meter, scope, state, limits));
  }
  return rows.sort(byShareUsed);
}

function limitOf(
  plan: Plan,
  { metric }: Meter,
  { spent, held }: MeterState,
  { rule, condition, action }: Bound,
  amount: number | string,
): LimitStatus {
  const known = typeof amount === "number" && amount !== Number.POSITIVE_INFINITY;
  const { limit } = condition;
  const named = limit.kind === "named" ? plan.limits[limit.limit] : undefined;
  return {
    rule: rule.id,
    action,
    shadow: rule.shadow,
    limit: known ? shown(metric, amount) : null,
    used: known ? share(spent + held, amount) : null,
    ...(named !== undefined && { named: named.name }),
    ...(typeof amount === "string" && { by: amount }),
  };
}

function row(
  meter: Meter,
  scope: Readonly<Record<string, string>>,
  state: MeterState,
  unsorted: readonly LimitStatus[],
): MeterStatus {
  const limits = [...unsorted].sort(
    (a, b) =>
      Number(stopping(b)) - Number(stopping(a)) ||
      (a.limit ?? Number.MAX_VALUE) - (b.limit ?? Number.MAX_VALUE) ||
      compare(a.rule, b.rule),
  );
  const first = limits.find(stopping);
  return {
    meter: meter.id,
    scope,
    metric: meter.metric,
    window: windowText(meter.window) ?? meter.window.kind,
    spent: shown(meter.metric, state.spent),
    held: shown(meter.metric, state.held),
    limit: first?.limit ?? null,
    unit: unitOf(meter.metric),
    resets_at: state.resetsAt === null ? null : isoTime(state.resetsAt),
    rule: first?.rule ?? null,
    used: first?.used ?? null,
    limits,
  };
}

const STOPPING: ReadonlySet<string> = new Set(["deny", "deny for", "pause", "hold"]);

const stopping = ({ action, shadow }: LimitStatus): boolean => !shadow && STOPPING.has(action);

/** Of a limit of nothing, nothing is all. */
const share = (amount: number, limit: number): number => (limit > 0 ? amount / limit : 1);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function byShareUsed(a: MeterStatus, b: MeterStatus): number {
  return (
    (b.used ?? -1) - (a.used ?? -1) ||
    compare(a.meter, b.meter) ||
    compare(Object.values(a.scope).join("|"), Object.values(b.scope).join("|"))
  );
}

const shown = (metric: Metric, amount: number): number => (metric === "cost" ? amount / 1e9 : amount);

/** `USD`, else the noun that the amount counts. */
export const unitOf = (metric: Metric): string =>
  metric === "cost" ? "USD" : metric.endsWith("tokens") ? "tokens" : metric === "concurrency" ? "calls" : metric;

/** ISO 8601 in UTC, without milliseconds where there are none. */
export const isoTime = (ms: number): string => new Date(ms).toISOString().replace(".000Z", "Z");
