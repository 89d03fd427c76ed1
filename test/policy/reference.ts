/**
 * The language read naively, straight from sections 2 and 6 of its definition: nothing is compiled, indexed or counted on;
 * every figure is summed up anew from the list of all past calls. Slow, and hard to get wrong. It shares the parser's tree
 * with the package and no other code.
 * @module
 */
import type { Call } from "../../src/call/call.ts";
import type * as ast from "../../src/policy/ast.ts";
import {
  type Answer,
  duration,
  type File,
  METRICS,
  MS,
  number,
  ORDER,
  type Past,
  period,
  scopesOf,
  WINDOWS,
  type World,
} from "./world.ts";

type Declared<K extends "Budget" | "Limit"> = { statement: Extract<ast.StatementNode, { kind: K }>; zone: string };

/** What the policy says to a call at `now`; gates that its rules close are closed in `world`. */
export function judgeNaively(files: readonly File[], world: World, call: Call, now: number): Answer {
  const all = files.flatMap(({ statements }) => {
    const zone = statements.find((one) => one.kind === "Timezone")?.zone.value ?? "UTC";
    return statements.map((statement) => ({ statement, zone }));
  });
  const declared = <K extends "Budget" | "Limit">(kind: K, name = ""): Declared<K> | undefined =>
    all.find(({ statement: one }) => one.kind === kind && "name" in one && one.name?.text === name) as Declared<K>;
  const budgetOf = ({ path }: ast.SubjectNode) => declared("Budget", path[0]?.text);
  const mine = (dimension: string): string => call.subject[dimension] ?? "(none)";

  // A retry: a call of this run with the same fingerprint failed before, and none has succeeded since.
  const ended = world.past.flatMap(({ end, call: { fingerprint, subject } }) =>
    end !== null && fingerprint !== null && fingerprint === call.fingerprint && subject.run === mine("run")
      ? [end]
      : [],
  );
  ended.sort((a, b) => a.at - b.at);
  const failures = ended.slice(ended.findLastIndex(({ failed }) => !failed) + 1).length;
  const retry = Math.max(failures, call.sdkRetry ?? 0);
  const repeat = retry === 0 && ended.length > 0;
  const own: Past = { call, at: now, retry: retry > 0, repeat, end: null, released: false };

  /** Settled amounts, or what is held while the call is under way. */
  function amount(metric: string, { call: made, end, retry, repeat }: Past): number {
    const used = end ?? { cost: made.cost.total, input: made.inputTokens, output: made.outputTokens };
    if (metric === "cost") return used.cost;
    if (metric === "input_tokens") return used.input;
    if (metric === "tokens") return used.input + used.output;
    if (metric === "errors") return end?.failed === true ? 1 : 0;
    if (metric === "calls") return 1;
    return { retries: retry, repeats: repeat, concurrency: end === null }[metric] === true ? 1 : 0;
  }

  /** Calendar windows hold what was judged in them; rolling ones what was settled in them, the oldest bucket whole. */
  function within(window: string | number | null, zone: string, judged: number, settled: number | null): boolean {
    if (window === null || window === "total") return true;
    if (typeof window === "string") return period(window, zone, judged) === period(window, zone, now);
    const bucket = Math.ceil(window / 30);
    return settled === null || Math.floor(settled / bucket) >= Math.floor((now - window) / bucket);
  }

  /** What a path stands at with this call. `metric` where another one of the same scopes and window is meant. */
  function figure({ path, last }: ast.SubjectNode, zone: string, metric?: string): number {
    const words = path.map(({ text }) => text);
    const measured = metric ?? words.find((word) => METRICS.includes(word)) ?? "cost";
    if (words[0] === "call") return measured === "retries" ? retry : amount(measured, own);
    const window = last === null ? (words.find((word) => WINDOWS.includes(word)) ?? null) : duration(last);
    const ours = world.past.filter((one) =>
      scopesOf(path).every((scope) => (one.call.subject[scope] ?? "(none)") === mine(scope)),
    );
    const seen = ours.filter(({ at, end }) => within(window, zone, at, end?.at ?? at));
    if (measured === "runs") return new Set([...seen.map((one) => one.call.subject.run), mine("run")]).size;
    return ours
      .filter((one) => !one.released && within(window, zone, one.at, one.end?.at ?? null))
      .reduce((sum, one) => sum + amount(measured, one), amount(measured, own));
  }

  /** Nano-dollars or a count; infinite for no limit. */
  function worth(node: ast.AmountNode | null): number {
    if (node?.kind === "Money") return Math.round(number(node.value) * 1e9);
    if (node?.kind === "Count") return number(node.value);
    const limit = node?.kind === "Ref" ? declared("Limit", node.name.text)?.statement : undefined;
    if (limit === undefined) return Number.POSITIVE_INFINITY;
    const { name, by, source, otherwise } = limit;
    const value = mine(by.text);
    if (source.kind === "FromStore") return world.kept.get(`${name.text} ${value}`) ?? worth(otherwise);
    if (source.kind === "Table") return worth(source.rows.find(({ key }) => key.value === value)?.amount ?? otherwise);
    const row = world.tables[source.path.value]?.[value];
    if (row === undefined) return worth(otherwise);
    return row === "unlimited" ? Number.POSITIVE_INFINITY : Math.round(Number(String(row).replace("$", "")) * 1e9);
  }

  /** Both sides a hundredfold, so that percents divide nothing. */
  function over({ subject, op, amount: limit }: ast.ThresholdNode, zone: string): boolean {
    const budget = budgetOf(subject);
    const left = 100 * (budget === undefined ? figure(subject, zone) : figure(budget.statement.subject, budget.zone));
    let right = 100 * worth(limit);
    if (limit.kind === "Percent") {
      const of = limit.of === null ? budget : declared("Budget", limit.of.text);
      right = number(limit.value) * (of === undefined ? figure(subject, zone, "calls") : worth(of.statement.amount));
    } else if (limit.kind === "Rate" && subject.last !== null) {
      right = (100e9 * number(limit.value) * duration(subject.last)) / (MS[limit.per] ?? 0);
    }
    return op.text === ">=" ? left >= right : left > right;
  }

  function matches(filter: ast.FilterNode | null): boolean {
    if (filter === null) return true;
    if (filter.kind === "Not") return !matches(filter.of);
    if (filter.kind === "Compare") throw new Error("a number in a filter");
    if (filter.kind !== "Match") return filter.kind === "And" ? filter.of.every(matches) : filter.of.some(matches);
    const dimension = filter.path[0]?.text ?? "";
    const value = mine(dimension);
    const values = filter.values.map((one) => one.value);
    if (filter.op === "missing") return value === "(none)";
    if (filter.op === "!=") return !values.includes(value);
    if (filter.op !== "matches") return values.includes(value);
    const pattern = new RegExp(
      `^${values
        .join("")
        .replace(/[.()-]/g, "\\$&")
        .replaceAll("*", ".*")}$`,
    );
    return pattern.test(value) || (dimension === "model" && pattern.test(call.modelAsSent));
  }

  function holds(one: ast.ConditionNode, zone: string): boolean {
    if (one.kind === "Threshold") return over(one, zone);
    return one.subject.path[1]?.text === "unpriced" ? call.unpriced : call.spending === "unmetered";
  }

  world.closed = world.closed.filter(({ until }) => until > now);
  const gates = world.closed.filter(({ scope }) =>
    Object.entries(scope).every(([name, value]) => mine(name) === value),
  );
  const shut: { kind: string; id: string }[] = gates
    .filter(({ rule }) => rule === "")
    .map(() => ({ kind: "pause", id: "" }));
  const fired: { kind: string; id: string; actions: readonly string[]; rule: ast.RuleNode }[] = [];
  for (const { statement: rule, zone } of all) {
    if (rule.kind !== "Rule") continue;
    const id = rule.name?.text ?? "";
    const carried = rule.conditions.map(({ subject }) => budgetOf(subject)?.statement.when ?? null);
    if (![rule.when, ...carried].every(matches)) continue;
    const actions = rule.actions.map((one) =>
      one.kind === "Deny" && one.for !== null ? "deny for" : one.kind.toLowerCase(),
    );
    const kind = actions.reduce((a, b) => (ORDER.indexOf(b) > ORDER.indexOf(a) ? b : a));
    if (!rule.shadow && gates.some((gate) => gate.rule === id)) shut.push({ kind, id });
    if (rule.conditions.every((one) => holds(one, zone))) fired.push({ kind, id, actions, rule });
  }
  const real = fired.filter(({ rule }) => !rule.shadow);
  // A gate that is closed keeps its time; others close beside it.
  for (const { kind, id, rule } of real.filter((one) => gates.every((gate) => gate.rule !== one.id))) {
    const [lasting] = rule.conditions.flatMap(({ subject }) =>
      subject.path[0]?.text === "call" ? [] : [budgetOf(subject)?.statement.subject ?? subject],
    );
    const scope = Object.fromEntries(scopesOf(lasting?.path ?? []).map((name) => [name, mine(name)]));
    const [length = Number.POSITIVE_INFINITY] = rule.actions.flatMap((one) =>
      one.kind === "Deny" && one.for !== null ? [duration(one.for)] : [],
    );
    if (kind === "pause" || kind === "deny for") world.closed.push({ rule: id, scope, until: now + length });
  }
  const strictest = [...shut, ...real].sort(
    (a, b) => ORDER.indexOf(b.kind) - ORDER.indexOf(a.kind) || (a.id < b.id ? -1 : 1),
  )[0];
  const having = (...wanted: string[]) =>
    real.flatMap(({ id, actions }) => actions.filter((one) => wanted.includes(one)).map(() => id)).sort();
  return {
    kind: strictest?.kind ?? "allow",
    by: strictest?.id ?? null,
    warnings: having("warn"),
    waits: having("hold", "backoff"),
    shadows: fired.flatMap(({ id, rule }) => (rule.shadow ? [id] : [])).sort(),
    firing: fired.map(({ id }) => id).sort(),
    retry,
    repeat,
  };
}
