/**
 * The language read naively, straight from sections 2 and 6 of its definition: nothing is compiled, indexed or counted on;
 * every figure is summed up anew from the list of all past calls. Slow, and hard to get wrong. It shares the parser's tree
 * with the package and no other code.
 * @module
 */
import type { Call } from "../../src/call/call.ts";
import type * as ast from "../../src/policy/ast.ts";

export interface File {
  readonly statements: readonly ast.StatementNode[];
}

/** What a call held when it left, and what it really used. */
export interface Past {
  readonly call: Call;
  readonly at: number;
  readonly retry: boolean;
  readonly repeat: boolean;
  end: null | {
    readonly at: number;
    readonly cost: number;
    readonly input: number;
    readonly output: number;
    readonly failed: boolean;
  };
  /** It never left: all that remains is that its run was seen. */
  released: boolean;
}

export interface World {
  readonly past: Past[];
  /** Gates: by rule, or by hand (empty rule). */
  closed: { readonly rule: string; readonly scope: Readonly<Record<string, string>>; readonly until: number }[];
  /** What the store keeps of limits: `quota a`, in nano-dollars or counts. */
  readonly kept: Map<string, number>;
  /** Tables in files, by path. */
  readonly tables: Readonly<Record<string, Readonly<Record<string, string | number>>>>;
}

export interface Answer {
  readonly kind: string;
  readonly by: string | null;
  readonly warnings: readonly string[];
  readonly waits: readonly string[];
  readonly shadows: readonly string[];
  /** Rules of any kind whose filter and conditions all hold. */
  readonly firing: readonly string[];
  readonly retry: number;
  readonly repeat: boolean;
}

const ORDER = ["allow", "warn", "backoff", "hold", "deny", "deny for", "pause"];
const MS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };
const SCALE: Readonly<Record<string, number>> = { K: 1e3, M: 1e6, B: 1e9 };
const METRICS = "cost tokens input_tokens output_tokens calls retries repeats errors concurrency runs".split(" ");
const WINDOWS = ["hourly", "daily", "weekly", "monthly", "total"];

/** What the policy says to a call at `now`; gates that its rules close are closed in `world`. */
export function judgeNaively(files: readonly File[], world: World, call: Call, now: number): Answer {
  const all = files.flatMap(({ statements }) => {
    const zone = statements.find((one) => one.kind === "Timezone")?.zone.value ?? "UTC";
    return statements.map((statement) => ({ statement, zone }));
  });
  const declared = <K extends "Budget" | "Limit">(kind: K, name: string) => {
    const found = all.find(({ statement: one }) => one.kind === kind && "name" in one && one.name?.text === name);
    return found as { statement: Extract<ast.StatementNode, { kind: K }>; zone: string } | undefined;
  };
  const valueIn = (dimension: string): string => call.subject[dimension] ?? "(none)";
  // A retry: a call of this run with the same fingerprint failed before, and none has succeeded since.
  const same = world.past.filter(
    (one) =>
      one.end !== null &&
      call.fingerprint !== null &&
      one.call.fingerprint === call.fingerprint &&
      one.call.subject.run === call.subject.run,
  );
  same.sort((a, b) => (a.end?.at ?? 0) - (b.end?.at ?? 0));
  const failures = same.slice(same.findLastIndex(({ end }) => end?.failed === false) + 1).length;
  const retry = Math.max(failures, call.sdkRetry ?? 0);
  const repeat = retry === 0 && same.length > 0;

  /** Settled amounts, or what is held while the call is under way. */
  function amount(metric: string, { call: made, end, ...one }: Past): number {
    if (metric === "concurrency") return end === null ? 1 : 0;
    if (metric === "errors") return end?.failed === true ? 1 : 0;
    if (metric === "retries" || metric === "repeats") return one[metric === "retries" ? "retry" : "repeat"] ? 1 : 0;
    const used = end ?? { cost: made.cost.total, input: made.inputTokens, output: made.outputTokens };
    const amounts: Record<string, number> = {
      cost: used.cost,
      calls: 1,
      input_tokens: used.input,
      output_tokens: used.output,
    };
    return amounts[metric] ?? used.input + used.output;
  }

  /** Calendar windows hold what was judged in them; rolling ones what was settled in them, the oldest bucket whole. */
  function within(window: string | number | null, zone: string, judged: number, ended: number | null): boolean {
    if (window === null || window === "total") return true;
    if (typeof window === "string") return period(window, zone, judged) === period(window, zone, now);
    const bucket = Math.max(1, Math.ceil(window / 30));
    return ended === null || Math.floor(ended / bucket) >= Math.floor((now - window) / bucket);
  }

  /** What a path stands at with this call. `metric` where another one of the same scopes and window is meant. */
  function figure(node: ast.SubjectNode, zone: string, metric?: string): number {
    const words = node.path.map(({ text }) => text);
    const measured = metric ?? words.find((word) => METRICS.includes(word)) ?? "cost";
    const own: Past = { call, at: now, retry: retry > 0, repeat, end: null, released: false };
    if (words[0] === "call") return measured === "retries" ? retry : amount(measured, own);
    const scopes = words.filter((word) => !METRICS.includes(word) && !WINDOWS.includes(word) && word !== "global");
    const window = node.last === null ? (words.find((word) => WINDOWS.includes(word)) ?? null) : duration(node.last);
    const counted = world.past.filter((one) =>
      scopes.every((scope) => (one.call.subject[scope] ?? "(none)") === valueIn(scope)),
    );
    if (measured === "runs") {
      const seen = counted.filter(({ at, end }) => within(window, zone, at, end?.at ?? at));
      return new Set([...seen.map((one) => one.call.subject.run), call.subject.run]).size;
    }
    const inWindow = counted.filter((one) => !one.released && within(window, zone, one.at, one.end?.at ?? null));
    return inWindow.reduce((sum, one) => sum + amount(measured, one), amount(measured, own));
  }

  /** Nano-dollars or a count; infinite for no limit. */
  function worth(node: ast.AmountNode): number {
    if (node.kind === "Money") return Math.round(number(node.value) * 1e9);
    if (node.kind === "Count") return number(node.value);
    if (node.kind !== "Ref") return Number.POSITIVE_INFINITY;
    const limit = declared("Limit", node.name.text)?.statement;
    if (limit === undefined) throw new Error(`no limit ${node.name.text}`);
    const value = valueIn(limit.by.text);
    const { source, otherwise } = limit;
    if (otherwise === null) throw new Error("a limit without else");
    if (source.kind === "FromStore") return world.kept.get(`${limit.name.text} ${value}`) ?? worth(otherwise);
    if (source.kind === "Table") return worth(source.rows.find(({ key }) => key.value === value)?.amount ?? otherwise);
    const row = world.tables[source.path.value]?.[value];
    if (row === undefined) return worth(otherwise);
    if (row === "unlimited") return Number.POSITIVE_INFINITY;
    return Math.round(Number(String(row).replace("$", "")) * 1e9);
  }

  function over({ subject, op, amount: limit }: ast.ThresholdNode, zone: string): boolean {
    const budget = declared("Budget", subject.path[0]?.text ?? "");
    const left = budget === undefined ? figure(subject, zone) : figure(budget.statement.subject, budget.zone);
    // Both sides a hundredfold, so that percents divide nothing.
    let right = 0;
    if (limit.kind === "Percent") {
      const of = limit.of === null ? budget : declared("Budget", limit.of.text);
      right = number(limit.value) * (of === undefined ? figure(subject, zone, "calls") : worth(of.statement.amount));
    } else if (limit.kind === "Rate") {
      right =
        (100 * number(limit.value) * 1e9 * (subject.last === null ? 0 : duration(subject.last))) / (MS[limit.per] ?? 0);
    } else right = 100 * worth(limit);
    return op.text === ">=" ? left * 100 >= right : left * 100 > right;
  }

  function matches(filter: ast.FilterNode | null): boolean {
    if (filter === null) return true;
    if (filter.kind === "Not") return !matches(filter.of);
    if (filter.kind === "Compare") throw new Error("a number in a filter");
    if (filter.kind !== "Match") return filter.kind === "And" ? filter.of.every(matches) : filter.of.some(matches);
    const dimension = filter.path[0]?.text ?? "";
    const value = valueIn(dimension);
    const values = filter.values.map((one) => one.value);
    if (filter.op === "missing") return value === "(none)";
    if (filter.op === "!=") return !values.includes(value);
    if (filter.op !== "matches") return values.includes(value);
    const pattern = new RegExp(`^${(values[0] ?? "").replace(/[.()-]/g, "\\$&").replaceAll("*", ".*")}$`);
    return pattern.test(value) || (dimension === "model" && pattern.test(call.modelAsSent));
  }

  world.closed = world.closed.filter(({ until }) => until > now);
  const here = (scope: Readonly<Record<string, string>>): boolean =>
    Object.entries(scope).every(([name, value]) => valueIn(name) === value);
  const said = {
    stops: [] as [string, string][],
    warnings: [] as string[],
    waits: [] as string[],
    shadows: [] as string[],
    firing: [] as string[],
  };
  const trips: World["closed"] = [];
  for (const gate of world.closed) if (gate.rule === "" && here(gate.scope)) said.stops.push(["pause", ""]);
  let shut = said.stops.length > 0;
  for (const { statement: rule, zone } of all) {
    if (rule.kind !== "Rule" || rule.name === null) continue;
    const id = rule.name.text;
    const subjects = rule.conditions.map(({ subject }) => ({
      subject,
      budget: declared("Budget", subject.path[0]?.text ?? ""),
    }));
    const lasting = subjects.find(({ subject }) => subject.path[0]?.text !== "call");
    const path = (lasting?.budget?.statement.subject ?? lasting?.subject)?.path.map(({ text }) => text) ?? [];
    const scope = Object.fromEntries(
      path
        .filter((word) => !METRICS.includes(word) && !WINDOWS.includes(word) && word !== "global")
        .map((name) => [name, valueIn(name)]),
    );
    const actions = rule.actions.map((action) =>
      action.kind === "Deny" && action.for !== null ? "deny for" : action.kind.toLowerCase(),
    );
    const strictest = actions.reduce((a, b) => (ORDER.indexOf(b) > ORDER.indexOf(a) ? b : a));
    const closing = !rule.shadow && (strictest === "deny for" || strictest === "pause");
    if (!matches(rule.when) || !subjects.every(({ budget }) => matches(budget?.statement.when ?? null))) continue;
    if (closing && world.closed.some((gate) => gate.rule === id && here(gate.scope))) {
      said.stops.push([strictest, id]);
      shut = true;
    }
    const fires = rule.conditions.every((one) =>
      one.kind === "Threshold"
        ? over(one, zone)
        : one.subject.path[1]?.text === "unpriced"
          ? call.unpriced
          : call.spending === "unmetered",
    );
    if (!fires) continue;
    said.firing.push(id);
    if (rule.shadow) {
      said.shadows.push(id);
      continue;
    }
    said.stops.push([strictest, id]);
    if (actions.includes("warn")) said.warnings.push(id);
    for (const action of actions) if (action === "hold" || action === "backoff") said.waits.push(id);
    const until = rule.actions.find((action) => action.kind === "Deny" && action.for !== null);
    if (closing)
      trips.push({
        rule: id,
        scope,
        until:
          strictest === "pause"
            ? Number.POSITIVE_INFINITY
            : now + duration((until as ast.DenyNode).for as ast.DurationNode),
      });
  }
  // What meets a closed gate closes no other.
  if (!shut) world.closed.push(...trips);
  const [kind, by] = said.stops.sort(
    (a, b) => ORDER.indexOf(b[0]) - ORDER.indexOf(a[0]) || (a[1] < b[1] ? -1 : 1),
  )[0] ?? ["allow", null];
  return {
    kind,
    by,
    warnings: said.warnings.sort(),
    waits: said.waits.sort(),
    shadows: said.shadows.sort(),
    firing: said.firing.sort(),
    retry,
    repeat,
  };
}

const number = ({ text, scale }: ast.NumberNode): number =>
  Number(text.replaceAll("_", "")) * (SCALE[scale.toUpperCase()] ?? 1);

const duration = ({ value, unit }: ast.DurationNode): number => Number(value) * (MS[unit] ?? Number.NaN);

/** The calendar period of a moment by the clocks of the zone: its hour, day, Monday or month. */
function period(window: string, zone: string, at: number): string {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    timeZoneName: "longOffset",
  });
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const day = new Date(`${part.year}-${part.month}-${part.day}T00:00:00Z`);
  if (window === "hourly") return `${day.toISOString()} ${part.hour} ${part.timeZoneName}`;
  if (window === "weekly") day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));
  return day.toISOString().slice(0, window === "monthly" ? 7 : 10);
}
