/**
 * What `status` shows, read from the same ledger that decides: every meter with its limits, and every closed gate.
 * In: a store and the policy. Out: plain data; amounts in dollars or counts, times in ISO 8601.
 * @module
 */
import type { Mode } from "./config.ts";
import { closedGates, type Gate } from "./gates.ts";
import { meterKey, readMeterKey } from "./keys.ts";
import { type Bound, boundsOf, limitAmount } from "./limits.ts";
import { observing } from "./observing.ts";
import { windowText } from "./policy/meter.ts";
import type { Meter, Metric, Plan } from "./policy/plan.ts";
import type { MeterState, Store } from "./store/store.ts";

/** One line that a rule draws on a meter. `used`: the share of it that is spent or held; 1 is all of it. */
export interface LimitStatus {
  readonly rule: string;
  /** What happens beyond it: `deny`, `deny for`, `pause`, `warn`, `cap`. */
  readonly action: string;
  readonly shadow: boolean;
  readonly limit: number;
  readonly used: number;
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
  const states = store === null ? [] : await store.list(counted.meters);
  const meters = metersOf(counted, states);
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

function metersOf(plan: Plan, states: readonly MeterState[]): readonly MeterStatus[] {
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
    rows.push(row(found.meter, scope, state, bounds(found.index, scope), total));
  }
  return rows.sort(byShareUsed);
}

function row(
  meter: Meter,
  scope: Readonly<Record<string, string>>,
  state: MeterState,
  bounds: readonly Bound[],
  total: (meter: number) => number,
): MeterStatus {
  const limits = bounds
    .map((bound): LimitStatus => {
      const amount = limitAmount(bound.condition.limit, total);
      return {
        rule: bound.rule.id,
        action: bound.action,
        shadow: bound.rule.shadow,
        limit: shown(meter.metric, amount),
        used: share(state.spent + state.held, amount),
      };
    })
    .sort((a, b) => Number(stopping(b)) - Number(stopping(a)) || a.limit - b.limit || compare(a.rule, b.rule));
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

const stopping = ({ action, shadow }: LimitStatus): boolean => !shadow && action !== "warn" && action !== "cap";

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
