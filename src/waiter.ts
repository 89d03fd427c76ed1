/**
 * One call that waits for room: what it waits for, for how long, and what it is told when its time is up.
 * @module
 */
import type { Call } from "./call/call.ts";
import type { Attempt, Passed } from "./holding.ts";
import type { Judged } from "./judging.ts";
import type { Line } from "./line.ts";
import { namesFor } from "./names.ts";
import { entitlementOf, keptKeys } from "./policy/entitlement.ts";
import { evaluate, fires } from "./policy/evaluate.ts";
import type { Metric, Plan, Rule } from "./policy/plan.ts";
import type { Readings } from "./policy/readings.ts";
import type { Fired } from "./policy/verdict.ts";
import { shortestHold, waitedOut } from "./policy/waits.ts";

/** What rules hold a call on: by a name that is the same for all calls that wait for the same room. */
export type WaitingSet = ReadonlyMap<string, Awaited>;

interface Awaited {
  /** Keys of the meters that the rule looks at. */
  readonly meters: readonly string[];
  /** True where every call takes the same of them: one slot, one call. */
  readonly alike: boolean;
  /** The rule's hold, ms. */
  readonly ms: number;
}

const ALIKE: ReadonlySet<Metric> = new Set(["calls", "concurrency", "runs", "retries", "repeats", "errors"]);
const NOTHING_KEPT: ReadonlyMap<string, number> = new Map();

/** What these rules would hold the call on. */
export function waitingSet(plan: Plan, call: Call, rules: readonly Rule[]): WaitingSet {
  const keys = namesFor(plan, call.subject).meters;
  const set = new Map<string, Awaited>();
  for (const rule of rules) {
    const meters = new Set<number>();
    const limits: string[] = [];
    for (const { reading, limit } of rule.conditions) {
      if (reading.kind === "meter") meters.add(reading.meter);
      if (limit.kind === "share") meters.add(limit.of);
      if (limit.kind !== "named") continue;
      limits.push(...keptKeys(plan, limit.limit, call.subject));
      limits.push(String(entitlementOf(plan, limit.limit, call.subject, NOTHING_KEPT)));
    }
    const names = [...meters].map((meter) => keys[meter] ?? "");
    set.set([rule.id, ...names, ...limits].join(" & "), {
      meters: names,
      alike: [...meters].every((meter) => ALIKE.has(plan.meters[meter]?.metric ?? "cost")),
      ms: Math.min(...rule.actions.map((action) => (action.kind === "hold" ? action.ms : Number.POSITIVE_INFINITY))),
    });
  }
  return set;
}

/** Whether a call wants no less than another one, in money and in tokens. */
export const wantsAsMuch = (call: Call, as: Call): boolean =>
  call.cost.total >= as.cost.total && call.inputTokens + call.outputTokens >= as.inputTokens + as.outputTokens;

/** The hold for which no waiting will ever make room, because the call alone is over a limit that does not change. */
export function hopeless({ plan, call }: Pick<Attempt, "plan" | "call">, { verdict, readings }: Judged): Fired | null {
  if (readings === null) return null;
  const alone: Readings = { ...readings, meters: readings.meters.map((meter) => ({ ...meter, spent: 0, held: 0 })) };
  const fixed = (rule: Rule): boolean =>
    rule.conditions.every(({ limit }) => {
      return (
        limit.kind === "fixed" || (limit.kind === "named" && keptKeys(plan, limit.limit, call.subject).length === 0)
      );
    });
  const found = verdict.waits.filter(({ action, rule }) => {
    return action.kind === "hold" && fixed(rule) && fires(plan, call, rule, alone);
  });
  return found.sort((a, b) => (a.rule.id < b.rule.id ? -1 : 1))[0] ?? null;
}

interface Done {
  readonly resolve: (passed: Passed) => void;
  readonly reject: (why: unknown) => void;
}

/** One call in a line. */
export class Waiter {
  readonly attempt: Attempt;
  /** When it began to wait, and when its time is up, ms on the clock of `elapsed`. */
  readonly since: number;
  deadline: number;
  set: WaitingSet;
  /** Its last judgement, and when that was. */
  #judged: Judged;
  #judgedAt: number;
  readonly #elapsed: () => number;
  readonly #done: Done;
  readonly #onAbort = (): void => this.#end(this.#judged);
  /** The line that it stands in. */
  line: Line | null = null;
  gone = false;

  /** `behind`: what the line waits for behind which it stands though no rule holds it. */
  constructor(attempt: Attempt, judged: Judged, behind: WaitingSet, elapsed: () => number, done: Done) {
    this.attempt = attempt;
    this.#elapsed = elapsed;
    this.#done = done;
    this.#judged = judged;
    this.#judgedAt = elapsed();
    this.since = this.#judgedAt;
    this.deadline = Number.POSITIVE_INFINITY;
    this.set = behind;
    if (judged.verdict.kind === "hold") this.holdsStill(judged);
    else for (const { ms } of this.set.values()) this.deadline = Math.min(this.deadline, this.since + ms);
    attempt.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  get isLate(): boolean {
    return this.#elapsed() >= this.deadline;
  }

  /** ms until room returns by itself, as of its last judgement; infinite where that is unknown. */
  get resetMs(): number {
    const { verdict, at } = this.#judged;
    let first = Number.POSITIVE_INFINITY;
    for (const { figures, action } of verdict.waits) {
      if (action.kind !== "hold" || at === null || figures === null || figures.resetsAt === null) continue;
      if (figures.resetsAt > at) first = Math.min(first, figures.resetsAt - at);
    }
    return first - (this.#elapsed() - this.#judgedAt);
  }

  /** It was judged again, and a `hold` decided again. */
  holdsStill(judged: Judged): void {
    this.#judged = judged;
    this.#judgedAt = this.#elapsed();
    const { plan, call } = this.attempt;
    const rules = judged.verdict.waits.filter(({ action }) => action.kind === "hold").map(({ rule }) => rule);
    this.set = waitingSet(plan, call, rules);
    const shortest = shortestHold(judged.verdict);
    if (shortest !== null) this.deadline = Math.min(this.deadline, this.since + shortest.ms);
  }

  /** Its wait is over: it fits, or something stricter decides. */
  leave(judged: Judged): void {
    this.#end(judged);
  }

  /**
   * Its time is up. `other`: what a call that wants no more has just been told, so that this one need not be judged
   * once more to be refused by today's figures.
   */
  giveUp(other: Waiter | null): void {
    const judged = other === null ? this.#judged : this.#inViewOf(other);
    this.#end({ ...judged, verdict: waitedOut(judged.verdict, this.#elapsed() - this.since) });
  }

  /** It could not be judged again. */
  fail(error: unknown): void {
    if (this.#over()) this.#done.reject(error);
  }

  /** Whether a judgement of its own has ever held it: only then can it be refused without another one. */
  get wasHeld(): boolean {
    return this.#judged.verdict.kind === "hold";
  }

  #inViewOf(other: Waiter): Judged {
    const { plan, call, rules } = this.attempt;
    const [own, seen] = [this.#judged.readings, other.#judged.readings];
    if (own === null || seen === null || plan !== other.attempt.plan) return this.#judged;
    const shared = new Set([...this.set.values()].flatMap(({ meters }) => meters));
    const keys = namesFor(plan, call.subject).meters;
    const meters = own.meters.map((meter, index) => {
      return shared.has(keys[index] ?? "") ? { ...meter, ...seen.meters[index], add: meter.add } : meter;
    });
    const readings = { ...own, now: seen.now, meters, limits: new Map([...own.limits, ...seen.limits]) };
    const verdict = evaluate(plan, call, rules, readings);
    return verdict.kind === "hold" ? { ...this.#judged, readings, verdict } : this.#judged;
  }

  #end(judged: Judged): void {
    const waitedMs = this.#elapsed() - this.since;
    if (this.#over()) this.#done.resolve({ judged, waitedMs });
  }

  /** Steps out of its line, once. */
  #over(): boolean {
    if (this.gone) return false;
    this.gone = true;
    this.attempt.signal.removeEventListener("abort", this.#onAbort);
    this.line?.remove(this);
    return true;
  }
}
