/**
 * Random policies on random histories: what must hold whatever the rules are.
 * @module
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Call } from "../../src/call/call.ts";
import { compile } from "../../src/policy/compile.ts";
import { evaluate } from "../../src/policy/evaluate.ts";
import { indexRules } from "../../src/policy/match.ts";
import type { Meter, Plan } from "../../src/policy/plan.ts";
import type { Readings } from "../../src/policy/readings.ts";
import { strictness, type Verdict } from "../../src/policy/verdict.ts";
import { aCall } from "../support/a-call.ts";
import { HOUR, NOW } from "./support.ts";

const CENT = 10_000_000;

/** A rule as facts, from which both its text and its meaning are made, each without the other. */
interface Spec {
  readonly label: string;
  readonly shadow: boolean;
  readonly scopes: readonly ("tenant" | "feature" | "run")[];
  readonly metric: "cost" | "calls" | "tokens" | "retries";
  readonly window: "hourly" | "daily" | "total" | "last 30m" | "last 3h";
  readonly orEqual: boolean;
  /** Cents, calls or hundreds of tokens; or percent of the calls. */
  readonly limit: number;
  readonly percent: boolean;
  readonly filter: FilterSpec | null;
  readonly action: "warn" | "deny" | "deny for" | "pause";
  readonly closed: boolean;
}

type FilterSpec =
  | { readonly kind: "is" | "is not" | "glob"; readonly dimension: "tenant" | "feature"; readonly value: string }
  | { readonly kind: "missing"; readonly dimension: "tenant" | "feature" }
  | { readonly kind: "and" | "or"; readonly of: readonly FilterSpec[] }
  | { readonly kind: "not"; readonly of: FilterSpec };

interface Past {
  readonly subject: { readonly tenant: string; readonly feature: string; readonly run: string };
  readonly ago: number;
  readonly cents: number;
  readonly tokens: number;
  readonly retry: boolean;
}

const value = fc.constantFrom("a", "b", "(none)");
const subject = fc.record({ tenant: value, feature: value, run: fc.constantFrom("r1", "r2") });
const dimension = fc.constantFrom("tenant" as const, "feature" as const);
const { filter } = fc.letrec<{ filter: FilterSpec }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 2 },
    fc.record({ kind: fc.constantFrom("is" as const, "is not" as const, "glob" as const), dimension, value }),
    fc.record({ kind: fc.constant("missing" as const), dimension }),
    fc.record({ kind: fc.constant("not" as const), of: tie("filter") }),
    fc.record({
      kind: fc.constantFrom("and" as const, "or" as const),
      of: fc.array(tie("filter"), { minLength: 2, maxLength: 3 }),
    }),
  ),
}));
const spec: fc.Arbitrary<Omit<Spec, "label">> = fc.record({
  shadow: fc.integer({ min: 0, max: 5 }).map((dice) => dice === 0),
  scopes: fc.subarray(["tenant", "feature", "run"] as const, { minLength: 0, maxLength: 2 }),
  metric: fc.constantFrom("cost", "calls", "tokens", "retries"),
  window: fc.constantFrom("hourly", "daily", "total", "last 30m", "last 3h"),
  orEqual: fc.boolean(),
  limit: fc.nat(60),
  percent: fc.boolean(),
  filter: fc.option(filter),
  action: fc.constantFrom("warn", "deny", "deny for", "pause"),
  closed: fc.integer({ min: 0, max: 7 }).map((dice) => dice === 0),
});
const specs = fc
  .array(spec, { minLength: 1, maxLength: 7 })
  .map((all) => all.map((one, index): Spec => ({ ...one, label: `r${index}` })));
const past: fc.Arbitrary<Past> = fc.record({
  subject,
  ago: fc.nat(30 * HOUR),
  cents: fc.nat(9),
  tokens: fc.nat(900),
  retry: fc.boolean(),
});
const scene = fc.record({ specs, history: fc.array(past, { maxLength: 12 }), now: past });

// ----------------------------------------------------------------------------------------------- text

function textOf(rule: Spec): string {
  const { metric, window } = rule;
  const path = [...(rule.scopes.length === 0 ? ["global"] : rule.scopes), ...(metric === "cost" ? [] : [metric])].join(
    ".",
  );
  const over = window.startsWith("last") ? `${path} ${window}` : `${path}.${window}`;
  const when = rule.filter === null ? "" : ` when ${filterText(rule.filter)}`;
  const action = rule.action === "deny for" ? "deny for 10m" : rule.action;
  return `${rule.shadow ? "shadow " : ""}${rule.label}: ${over} ${rule.orEqual ? ">=" : ">"} ${amountText(rule)}${when} -> ${action}`;
}

const isShare = (rule: Spec): boolean => rule.percent && rule.metric === "retries";

function amountText(rule: Spec): string {
  if (isShare(rule)) return `${rule.limit}%`;
  if (rule.metric === "cost") return `$${(rule.limit / 100).toFixed(2)}`;
  return rule.metric === "tokens" ? `${rule.limit * 100} tokens` : `${rule.limit}`;
}

function filterText(node: FilterSpec): string {
  switch (node.kind) {
    case "is":
      return `${node.dimension} == "${node.value}"`;
    case "is not":
      return `${node.dimension} != "${node.value}"`;
    case "glob":
      return `${node.dimension} matches "${node.value.slice(0, 1)}*"`;
    case "missing":
      return `${node.dimension} is missing`;
    case "not":
      return `not (${filterText(node.of)})`;
    default:
      return node.of.map((part) => `(${filterText(part)})`).join(` ${node.kind} `);
  }
}

// ------------------------------------------------------------------------------- meaning, naively

function holdsFor(node: FilterSpec, call: Past): boolean {
  switch (node.kind) {
    case "is":
      return call.subject[node.dimension] === node.value;
    case "is not":
      return call.subject[node.dimension] !== node.value;
    case "glob":
      return call.subject[node.dimension].startsWith(node.value.slice(0, 1));
    case "missing":
      return call.subject[node.dimension] === "(none)";
    case "not":
      return !holdsFor(node.of, call);
    case "and":
      return node.of.every((part) => holdsFor(part, call));
    case "or":
      return node.of.some((part) => holdsFor(part, call));
  }
}

function isWithin(window: string, { ago }: Past): boolean {
  const at = NOW - ago;
  if (window === "total") return true;
  if (window === "hourly") return Math.floor(at / HOUR) === Math.floor(NOW / HOUR);
  if (window === "daily") return Math.floor(at / (24 * HOUR)) === Math.floor(NOW / (24 * HOUR));
  return ago < (window === "last 30m" ? HOUR / 2 : 3 * HOUR);
}

function sum(metric: string, calls: readonly Past[]): number {
  return calls.reduce((total, call) => total + amountOf(metric, call), 0);
}

function amountOf(metric: string, call: Past): number {
  if (metric === "cost") return call.cents * CENT;
  if (metric === "tokens") return call.tokens;
  return metric === "calls" ? 1 : call.retry ? 1 : 0;
}

const counted = (rule: Pick<Spec, "scopes" | "window">, history: readonly Past[], now: Past): Past[] => [
  ...history.filter(
    (call) => isWithin(rule.window, call) && rule.scopes.every((scope) => call.subject[scope] === now.subject[scope]),
  ),
  { ...now, ago: 0 },
];

function firesNaively(rule: Spec, history: readonly Past[], now: Past): boolean {
  const calls = counted(rule, history, now);
  const left = sum(rule.metric, calls);
  const unit = { cost: CENT, tokens: 100, calls: 1, retries: 1 }[rule.metric];
  const right = isShare(rule) ? (rule.limit * calls.length) / 100 : rule.limit * unit;
  // Shares by whole numbers: 30% of 7 calls has no exact float.
  if (isShare(rule))
    return rule.orEqual ? left * 100 >= rule.limit * calls.length : left * 100 > rule.limit * calls.length;
  return rule.orEqual ? left >= right : left > right;
}

/** Kind and deciding rule, from nothing but the specs. */
function naively(rules: readonly Spec[], history: readonly Past[], now: Past): { kind: string; by: string | null } {
  const order = ["warn", "deny", "deny for", "pause"];
  let found: Spec | null = null;
  for (const rule of rules) {
    if (rule.shadow || (rule.filter !== null && !holdsFor(rule.filter, now))) continue;
    const closes = rule.action === "deny for" || rule.action === "pause";
    if (!(rule.closed && closes) && !firesNaively(rule, history, now)) continue;
    if (found === null || order.indexOf(rule.action) > order.indexOf(found.action)) found = rule;
    else if (rule.action === found.action && rule.label < found.label) found = rule;
  }
  return { kind: found?.action ?? "allow", by: found?.label ?? null };
}

// --------------------------------------------------------------------------------------- the real one

function planOf(files: readonly (readonly Spec[])[]): Plan {
  const sources = files.map((rules, index) => ({
    file: `f${index}.budget`,
    text: `${rules.map(textOf).join("\n")}\n`,
  }));
  const { plan, diagnostics } = compile(sources);
  if (plan === null) throw new Error(JSON.stringify(diagnostics));
  return plan;
}

function readingsOf(plan: Plan, rules: readonly Spec[], history: readonly Past[], now: Past): Readings {
  return {
    now: NOW,
    attemptNumber: 0,
    closed: new Map(
      rules.filter(({ closed }) => closed).map(({ label }) => [label, { since: NOW - 1, until: NOW + 1 }]),
    ),
    byHand: [],
    meters: plan.meters.map((meter) => {
      const calls = counted(specOf(meter), history, now).slice(0, -1);
      const add = amountOf(meter.metric, now);
      // Half of what there is counts as held by others: the two must add up.
      const total = sum(meter.metric, calls);
      const held = Math.floor(total / 2);
      return { spent: total - held, held, add, resetsAt: null };
    }),
  };
}

const specOf = ({ scopes, window }: Meter): Pick<Spec, "scopes" | "window"> => ({
  scopes: scopes as Spec["scopes"],
  window: (window.kind === "last" ? `last ${window.ms === HOUR / 2 ? "30m" : "3h"}` : window.kind) as Spec["window"],
});

const callOf = (now: Past): Call =>
  aCall({ subject: now.subject, cost: now.cents * CENT, inputTokens: now.tokens, outputTokens: 0 });

function judge(files: readonly (readonly Spec[])[], history: readonly Past[], now: Past): Verdict {
  const plan = planOf(files);
  const call = callOf(now);
  return evaluate(plan, call, indexRules(plan)(call), readingsOf(plan, files.flat(), history, now));
}

const short = (verdict: Verdict) => ({
  kind: verdict.kind as string,
  by: verdict.decided?.rule.id ?? null,
  warnings: verdict.warnings.map(({ rule }) => rule.id),
  shadows: verdict.shadows.map(({ rule }) => rule.id),
});

describe("whatever the policy", () => {
  it("the verdict is that of a naive reading of its rules", () => {
    fc.assert(
      fc.property(scene, ({ specs: rules, history, now }) => {
        const { kind, by } = short(judge([rules], history, now));
        expect({ kind, by }).toEqual(naively(rules, history, now));
      }),
      { numRuns: 2_000 },
    );
  });

  it("the order of rules and files means nothing", () => {
    fc.assert(
      fc.property(scene, fc.infiniteStream(fc.nat(6)), ({ specs: rules, history, now }, dice) => {
        const shuffled: Spec[] = [];
        for (const rule of rules) shuffled.splice((dice.next().value ?? 0) % (shuffled.length + 1), 0, rule);
        const cut = (dice.next().value ?? 0) % (rules.length + 1);
        const one = judge([rules], history, now);
        const other = judge([shuffled.slice(cut), shuffled.slice(0, cut)], history, now);
        expect(short(other)).toEqual(short(one));
      }),
      { numRuns: 500 },
    );
  });

  it("one more rule never loosens a verdict", () => {
    fc.assert(
      fc.property(scene, spec, ({ specs: rules, history, now }, extra) => {
        const before = judge([rules], history, now);
        const after = judge([rules, [{ ...extra, label: "extra" }]], history, now);
        expect(strictness[after.kind]).toBeGreaterThanOrEqual(strictness[before.kind]);
      }),
      { numRuns: 500 },
    );
  });

  it("a rule reported as unreachable fires only where another stops the call anyway", () => {
    let reported = 0;
    fc.assert(
      fc.property(scene, ({ specs: rules, history, now }) => {
        const text = rules.map(textOf);
        const { diagnostics } = compile([{ file: "f.budget", text: text.join("\n") }]);
        for (const { code, span } of diagnostics) {
          if (code !== "unreachable") continue;
          reported++;
          const line = text.join("\n").slice(0, span.start).split("\n").length - 1;
          const rule = rules[line];
          if (rule === undefined) throw new Error("no such line");
          const fires = (one: Spec): boolean =>
            (one.filter === null || holdsFor(one.filter, now)) && firesNaively(one, history, now);
          const others = rules.filter((one) => one !== rule && !one.shadow && one.action !== "warn");
          expect(!fires(rule) || others.some(fires), text.join("\n")).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(reported).toBeGreaterThan(20);
  });
});
