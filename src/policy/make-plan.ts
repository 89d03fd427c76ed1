/**
 * Drafts to a plan: meters and limits get their numbers, rules their order, and everything is frozen.
 * @module
 */
import type { BudgetDraft, ConditionDraft, Grant, LimitDraft, NamedLimitDraft, Names, RuleDraft } from "./draft.ts";
import type { Condition, Entitlement, Limit, Meter, NamedLimit, Plan, Rule } from "./plan.ts";

/** The number of each meter and limit in the plan. */
interface Numbers {
  readonly meter: (meter: Meter) => number;
  readonly limit: (name: string) => number;
}

/** The plan of drafts that have no error. */
export function makePlan(
  drafts: readonly RuleDraft[],
  budgets: readonly BudgetDraft[],
  named: readonly NamedLimitDraft[],
  names: Pick<Names, "dimensions" | "units">,
  whole: Pick<Plan, "files" | "hash">,
): Plan {
  const byId = new Map<string, Meter>();
  const add = (meter: Meter): void => {
    byId.set(meter.id, meter);
  };
  for (const { conditions } of drafts) {
    for (const { reading, limit } of conditions) {
      if (reading.kind === "meter") add(reading.meter);
      if (limit.kind === "share") add(limit.of);
    }
  }
  for (const { meter } of budgets) add(meter);
  const meters = [...byId.values()].sort((a, b) => compare(a.id, b.id));
  const limits = [...named].sort((a, b) => compare(a.name, b.name));
  const meterNumber = new Map(meters.map(({ id }, index) => [id, index]));
  const limitNumber = new Map(limits.map(({ name }, index) => [name, index]));
  const numbers: Numbers = {
    meter: ({ id }) => meterNumber.get(id) ?? -1,
    limit: (name) => limitNumber.get(name) ?? -1,
  };
  return Object.freeze({
    meters: Object.freeze(meters),
    rules: Object.freeze(distinct(drafts).map((draft) => makeRule(draft, numbers))),
    budgets: Object.freeze(
      budgets
        .map(({ name, limit, meter }) =>
          Object.freeze({ name, limit: makePlainLimit(limit, numbers), meter: numbers.meter(meter) }),
        )
        .sort((a, b) => compare(a.name, b.name)),
    ),
    limits: Object.freeze(limits.map((limit) => makeNamedLimit(limit, names, numbers))),
    dimensions: Object.freeze([...names.dimensions].sort(compare)),
    files: Object.freeze(whole.files),
    hash: whole.hash,
  });
}

/** The same rule twice is one rule. Sorted by id, so that the order of files and statements cannot matter. */
function distinct(drafts: readonly RuleDraft[]): RuleDraft[] {
  const sorted = inTheirZones(drafts).sort(
    (a, b) => compare(a.id, b.id) || compare(a.text, b.text) || compare(a.file, b.file) || a.line - b.line,
  );
  return sorted.filter((draft, at) => draft.id !== sorted[at - 1]?.id);
}

/** The same words in files of two time zones are two rules: those that are not in UTC say so in their id. */
function inTheirZones(drafts: readonly RuleDraft[]): RuleDraft[] {
  const zones = new Map<string, Set<string>>();
  for (const draft of drafts) {
    const known = zones.get(draft.id);
    if (known === undefined) zones.set(draft.id, new Set([zoneOf(draft)]));
    else known.add(zoneOf(draft));
  }
  return drafts.map((draft) => {
    const zone = zoneOf(draft);
    return zone === "UTC" || zones.get(draft.id)?.size === 1 ? draft : { ...draft, id: `${draft.id} @${zone}` };
  });
}

/** `UTC`, or the other zones that a rule's calendar windows are in. */
function zoneOf({ conditions }: RuleDraft): string {
  const zones = new Set<string>();
  for (const { reading } of conditions) {
    if (reading.kind === "meter" && "timezone" in reading.meter.window) zones.add(reading.meter.window.timezone);
  }
  zones.delete("UTC");
  return zones.size === 0 ? "UTC" : [...zones].sort().join("+");
}

function makeRule(draft: RuleDraft, numbers: Numbers): Rule {
  const { id, text, doc, file, line, shadow, flag, filter, actions, closes } = draft;
  const conditions = Object.freeze(draft.conditions.map((condition) => makeCondition(condition, numbers)));
  return Object.freeze({ id, text, doc, file, line, shadow, conditions, flag, filter, actions, closes });
}

function makeCondition({ reading, op, limit, text, budget }: ConditionDraft, numbers: Numbers): Condition {
  return Object.freeze({
    reading: Object.freeze(reading.kind === "meter" ? { kind: "meter", meter: numbers.meter(reading.meter) } : reading),
    op,
    limit: makeLimit(limit, numbers),
    text,
    budget,
  });
}

const makeLimit = (limit: LimitDraft, numbers: Numbers): Limit =>
  limit.kind === "share" ? Object.freeze({ ...limit, of: numbers.meter(limit.of) }) : makePlainLimit(limit, numbers);

const makePlainLimit = (limit: BudgetDraft["limit"], numbers: Numbers): Exclude<Limit, { kind: "share" }> =>
  Object.freeze(limit.kind === "named" ? { ...limit, limit: numbers.limit(limit.limit) } : limit);

function makeNamedLimit(draft: NamedLimitDraft, { units }: Pick<Names, "units">, numbers: Numbers): NamedLimit {
  const { name, by, fromStore, unit } = draft;
  const rows = new Map([...draft.rows].map(([value, grant]) => [value, makeEntitlement(grant, numbers)]));
  return Object.freeze({
    name,
    by,
    unit: unit ?? units.get(name) ?? "money",
    rows: Object.freeze(rows),
    fromStore,
    otherwise: makeEntitlement(draft.otherwise, numbers),
  });
}

const makeEntitlement = (grant: Grant, numbers: Numbers): Entitlement =>
  Object.freeze(grant.kind === "limit" ? { kind: "limit", limit: numbers.limit(grant.limit) } : grant);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
