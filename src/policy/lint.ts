/**
 * What is allowed and probably not meant: rules that cannot fire, budgets that nobody enforces.
 * @module
 */
import type { BudgetDraft, NamedLimitDraft, RuleDraft } from "./draft.ts";
import { dimensionsOf } from "./filter.ts";
import type { Finding } from "./finding.ts";
import { makeMeter, windowText } from "./meter.ts";
import type { Models } from "./models.ts";
import type { Window } from "./plan.ts";
import { coverKeys, covers, enforces, impossible, partKeys, stops } from "./reach.ts";
import { routeWarnings } from "./route.ts";
import { lints } from "./rule-messages.ts";

export interface LintInput {
  readonly rules: readonly RuleDraft[];
  readonly budgets: readonly BudgetDraft[];
  readonly limits: readonly NamedLimitDraft[];
  readonly models: Models | null;
  /** File names in load order: of two equal rules the later is reported. */
  readonly order: readonly string[];
}

type Report = (file: string, finding: Finding) => void;

/** Reports warnings and infos on a policy without errors. */
export function lint(input: LintInput, tell: Report): void {
  let warnings = 0;
  const report: Report = (file, finding) => {
    if (finding.severity === "warning") warnings++;
    tell(file, finding);
  };
  unreachable(input, report);
  for (const rule of input.rules) {
    const dimension = impossible(rule.filter);
    if (dimension !== null) report(rule.file, lints.neverMatches(rule.whenSpan ?? rule.span, dimension));
    if (rule.flag === "store.down" && rule.filter === null && rule.actions.some(({ kind }) => kind === "allow")) {
      report(rule.file, lints.failOpen(rule.span));
    }
    gate(rule, report);
    longHold(rule, report);
    for (const found of input.models === null ? [] : routeWarnings(rule, input.models)) report(rule.file, found);
  }
  for (const budget of input.budgets) {
    const enforced = input.rules.some(
      (rule) => enforces(rule) && rule.conditions.some((condition) => condition.budget === budget.name),
    );
    if (enforced) continue;
    report(budget.file, lints.unusedBudget(budget.span, budget.name));
  }
  for (const limit of unusedLimits(input)) report(limit.file, lints.unusedLimit(limit.span, limit.name));
  const first = input.rules[0];
  const bounded = input.rules.some(
    (rule) =>
      enforces(rule) &&
      rule.conditions.some(({ reading }) => reading.kind === "meter" && reading.meter.metric === "cost"),
  );
  // Whatever was warned about says it better, an unused budget above all.
  if (first !== undefined && !bounded && warnings === 0) report(first.file, lints.noCostRule(first.span));
}

/** Limits that no rule comes to, by itself, through a budget or through another limit. */
function unusedLimits({ rules, budgets, limits }: LintInput): readonly NamedLimitDraft[] {
  const byName = new Map(limits.map((limit) => [limit.name, limit]));
  const open = [...rules.flatMap(({ conditions }) => conditions), ...budgets].flatMap(({ limit }) =>
    limit.kind === "named" ? limit.limit : [],
  );
  const used = new Set<string>();
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const limit = byName.get(name);
    if (limit === undefined || used.has(name)) continue;
    used.add(name);
    for (const grant of [limit.otherwise, ...limit.rows.values()]) if (grant.kind === "limit") open.push(grant.limit);
  }
  return limits.filter(({ name }) => !used.has(name));
}

const LONG: readonly string[] = ["daily", "weekly", "monthly"];

/** Seconds of waiting, for a window that frees at its end. */
function longHold(rule: RuleDraft, report: Report): void {
  const at = rule.actions.findIndex(({ kind }) => kind === "hold");
  const span = rule.actionSpans[at];
  if (span === undefined) return;
  const waits = rule.conditions.flatMap(({ reading, path }) =>
    reading.kind === "meter" ? { path, window: reading.meter.window } : [],
  );
  const [first] = waits;
  if (first === undefined || !waits.every(({ window }) => isLong(window))) return;
  report(rule.file, lints.longHold(span, first.path, windowText(first.window) ?? "long"));
}

const isLong = (window: Window): boolean =>
  LONG.includes(window.kind) || (window.kind === "last" && window.ms >= DAY_MS);

const DAY_MS = 86_400_000;

function unreachable({ rules, order }: LintInput, report: Report): void {
  const rank = new Map(order.map((file, index) => [file, index]));
  const later = (a: RuleDraft, b: RuleDraft): boolean =>
    (rank.get(a.file) ?? 0) - (rank.get(b.file) ?? 0) > 0 || (a.file === b.file && a.span.start > b.span.start);
  const candidates = indexStops(rules);
  for (const rule of rules) {
    const hides = (other: RuleDraft): boolean =>
      other !== rule && covers(other, rule) && (later(rule, other) || !covers(rule, other));
    let by: RuleDraft | undefined;
    for (const list of candidates(rule)) by ??= list.find(hides);
    if (by === undefined) continue;
    const where = by.file === rule.file ? `line ${by.line}` : `${by.file}:${by.line}`;
    const verb = by.actions.some(({ kind }) => kind === "pause") ? "pauses" : "denies";
    report(rule.file, lints.unreachable(rule.span, where, verb));
  }
}

/**
 * A stop with a filter can only cover rules that have the same filter, or one of its values: 10,000 tenants are not
 * compared pairwise.
 */
function indexStops(rules: readonly RuleDraft[]): (rule: RuleDraft) => readonly (readonly RuleDraft[])[] {
  const general: RuleDraft[] = [];
  const byKey = new Map<string, RuleDraft[]>();
  for (const rule of rules) {
    if (!stops(rule)) continue;
    const keys = coverKeys(rule.filter);
    if (keys.length === 0) general.push(rule);
    for (const key of keys) {
      const known = byKey.get(key);
      if (known === undefined) byKey.set(key, [rule]);
      else known.push(rule);
    }
  }
  return (rule) => [general, ...partKeys(rule.filter).flatMap((key) => [byKey.get(key) ?? []])];
}

/** `when` gates, it does not count: said once a rule, for the first dimension that its subject mixes. */
function gate(rule: RuleDraft, report: Report): void {
  const condition = rule.conditions.find(({ reading }) => reading.kind === "meter");
  if (condition === undefined || condition.reading.kind !== "meter" || rule.whenSpan === null) return;
  const { scopes, metric, window } = condition.reading.meter;
  const mixed = dimensionsOf(rule.filter).find((dimension) => !scopes.includes(dimension));
  if (mixed === undefined || condition.budget === condition.path) return;
  const over = windowText(window);
  const { scopes: narrowed } = makeMeter([...scopes, mixed], metric, window);
  const words = [
    ...narrowed,
    ...(metric === "cost" ? [] : [metric]),
    ...(over === null || window.kind === "last" ? [] : [over]),
  ];
  const text = window.kind === "last" ? `${words.join(".")} ${over}` : words.join(".");
  report(rule.file, lints.gate(rule.whenSpan, mixed, condition.path, text));
}
