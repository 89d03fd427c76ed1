/**
 * One policy over recorded calls, on the clock of the record: every call is judged by the real evaluator on a real ledger.
 *
 *     record ──▶ shape ──▶ judge ─┬─ goes ──▶ held until it ended in the record, then charged what it used
 *                                 ├─ hold ──▶ waits in the record's time, judged again as calls end
 *                                 └─ stops ─▶ refused: costs nothing, and the next recorded call comes all the same
 * @module
 */
import type { Bill } from "../call/call.ts";
import type { Prices } from "../call/price.ts";
import { type Judged, judge } from "../judging.ts";
import { indexRules } from "../policy/match.ts";
import type { Plan } from "../policy/plan.ts";
import type { Fired, Verdict } from "../policy/verdict.ts";
import { stops } from "../policy/verdict.ts";
import { backoffOf, shortestHold, waitedOut } from "../policy/waits.ts";
import { chargesFor, fingerprintKey, isFailure, runOf } from "../request.ts";
import type { FallbackStore } from "../store/fallback.ts";
import { createLog } from "../telemetry/log.ts";
import { hopeless } from "../waiter.ts";
import { directStore } from "./direct.ts";
import { TimeQueue } from "./heap.ts";
import type { Recorded } from "./recorded.ts";
import { type Reshaped, reshape } from "./reshape.ts";

/** What the policy made of one call. */
export interface Fate {
  /** Which call, counted from 0. */
  readonly index: number;
  readonly recorded: Recorded;
  readonly refused: boolean;
  /** The rule that refused it; null where it went. */
  readonly by: Fired | null;
  readonly verdict: Verdict;
  /** What it costs; nothing is charged for a call that is refused. */
  readonly bill: Bill;
  readonly routed: readonly Fired[];
  readonly capped: readonly Fired[];
  /** The rules that made it wait for room. */
  readonly held: readonly Fired[];
  /** When it was decided, ms since 1970. */
  readonly at: number;
  /** How long it waited for room, ms. */
  readonly waitedMs: number;
  readonly backoffMs: number;
  /** Nano-dollars of all calls that went before it. */
  readonly spentBefore: number;
}

export interface SimulationOptions {
  readonly plan: Plan;
  readonly prices: Prices;
  /** A person resumes what was paused after so long, ms; null: nobody does. */
  readonly resumeAfterMs: number | null;
  readonly decided: (fate: Fate) => void;
}

/** A call that is being decided on. */
interface Pending extends Reshaped {
  readonly index: number;
  readonly recorded: Recorded;
  readonly arrivedAt: number;
  /** By rule: each counts once, however often the call is judged again. */
  readonly held: Map<string, Fired>;
}

interface Waiting {
  readonly pending: Pending;
  judged: Judged;
  /** When its shortest hold runs out. */
  deadline: number;
}

type Event =
  | { readonly kind: "end"; readonly pending: Pending; readonly judgedAt: number }
  | { readonly kind: "look" }
  | { readonly kind: "resume"; readonly pausedAt: number };

/** Longer than any backoff: no process can die here, so that a hold ends with its call. */
const HOLD_MS = 120_000;

export class Simulation {
  readonly #options: SimulationOptions;
  readonly #store: FallbackStore;
  readonly #rulesFor: ReturnType<typeof indexRules>;
  readonly #events = new TimeQueue<Event>();
  readonly #log = createLog("silent");
  /** Whether the policy looks at retries or repeats: else a ledger need not remember who asked what. */
  readonly #remembers: boolean;
  #waiting: Waiting[] = [];
  #now = 0;
  #spent = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#store = directStore(() => this.#now);
    this.#rulesFor = indexRules(options.plan);
    this.#remembers = remembers(options.plan);
  }

  /** The next recorded call; calls must come in their order. */
  async offer(index: number, recorded: Recorded, fingerprint: string | null): Promise<void> {
    await this.#advance(recorded.at);
    this.#now = Math.max(this.#now, recorded.at);
    const call = Object.freeze({
      ...recorded.asked,
      attempt: String(index),
      fingerprint: this.#remembers ? fingerprint : null,
    });
    const reshaped = await reshape(this.#shaping(), recorded, call);
    const pending: Pending = { ...reshaped, index, recorded, arrivedAt: this.#now, held: new Map() };
    const judged = await this.#judge(pending);
    if (judged.verdict.kind !== "hold") return this.#decide(pending, judged);
    for (const fired of judged.verdict.waits) if (fired.action.kind === "hold") pending.held.set(fired.rule.id, fired);
    // As in the guard: a call that is over the limit all alone is told so at once.
    const never = hopeless({ plan: this.#options.plan, call }, judged);
    if (never === null) this.#wait(pending, judged);
    else this.#refuse(pending, { ...judged.verdict, decided: never });
  }

  /** Lets all calls end and all waits run out. */
  async finish(): Promise<void> {
    await this.#advance(Number.POSITIVE_INFINITY);
    await this.#store.shut();
  }

  #shaping() {
    const { plan, prices } = this.#options;
    return { plan, prices, store: this.#store, clock: () => this.#now, rulesFor: this.#rulesFor };
  }

  #judge({ call, rules, recorded }: Pending): Promise<Judged> {
    const holdMs = HOLD_MS + recorded.tookMs;
    const rest = { enforce: true, strict: false, localMillionths: 1_000_000, log: this.#log };
    return judge({ store: this.#store, plan: this.#options.plan, holdMs, ...rest }, call, rules);
  }

  async #advance(to: number): Promise<void> {
    while (this.#events.next <= to) {
      const event = this.#events.pop();
      if (event === undefined) return;
      this.#now = Math.max(this.#now, event.at);
      if (event.value.kind === "end") await this.#end(event.value.pending, event.value.judgedAt);
      if (event.value.kind === "resume") await this.#resume(event.value.pausedAt);
      if (this.#waiting.length > 0) await this.#look();
    }
  }

  #decide(pending: Pending, judged: Judged): void {
    const { verdict } = judged;
    if (stops(verdict)) this.#refuse(pending, verdict);
    else this.#go(pending, judged);
  }

  #go(pending: Pending, judged: Judged): void {
    const backoffMs = backoffOf(judged.verdict, judged.attemptNumber);
    this.#tell(pending, judged.verdict, false, backoffMs);
    this.#spent += pending.bill.cost.total;
    const judgedAt = judged.at ?? this.#now;
    this.#events.push(this.#now + backoffMs + pending.recorded.tookMs, { kind: "end", pending, judgedAt });
  }

  #refuse(pending: Pending, verdict: Verdict): void {
    this.#tell(pending, verdict, true, 0);
    const { resumeAfterMs } = this.#options;
    if (verdict.kind === "pause" && verdict.decided?.closed === null && resumeAfterMs !== null) {
      this.#events.push(this.#now + resumeAfterMs, { kind: "resume", pausedAt: this.#now });
    }
  }

  #tell(
    { index, recorded, bill, routed, capped, arrivedAt, held }: Pending,
    verdict: Verdict,
    refused: boolean,
    backoffMs: number,
  ): void {
    this.#options.decided({
      index,
      recorded,
      refused,
      by: refused ? verdict.decided : null,
      verdict,
      bill,
      routed,
      capped,
      held: [...held.values()],
      at: this.#now,
      waitedMs: this.#now - arrivedAt,
      backoffMs,
      spentBefore: this.#spent,
    });
  }

  async #end(pending: Pending, judgedAt: number): Promise<void> {
    const { call, bill, recorded } = pending;
    const { outcome } = recorded;
    const reached = outcome.kind === "success" || isFailure(outcome);
    await this.#store.settle({
      attempt: call.attempt,
      judgedAt,
      charges: chargesFor(this.#options.plan, call, bill, outcome),
      run: runOf(call),
      fingerprint: fingerprintKey(call),
      outcome: outcome.kind === "success" ? "success" : reached ? "failure" : "none",
      lessons: [],
    });
  }

  #wait(pending: Pending, judged: Judged): void {
    const waiting: Waiting = { pending, judged, deadline: Number.POSITIVE_INFINITY };
    this.#waiting.push(waiting);
    this.#holdsStill(waiting, judged);
  }

  /** A hold decided: the shortest counts from the first of them; then it is looked at when room returns by itself. */
  #holdsStill(waiting: Waiting, judged: Judged): void {
    waiting.judged = judged;
    const shortest = shortestHold(judged.verdict);
    if (shortest !== null) waiting.deadline = Math.min(waiting.deadline, waiting.pending.arrivedAt + shortest.ms);
    let next = waiting.deadline;
    for (const fired of judged.verdict.waits) {
      if (fired.action.kind !== "hold") continue;
      const { figures } = fired;
      waiting.pending.held.set(fired.rule.id, fired);
      if (figures?.resetsAt != null && figures.resetsAt > this.#now) next = Math.min(next, figures.resetsAt);
    }
    this.#events.push(next, { kind: "look" });
  }

  /** Judges those who wait again, the first first; behind one that still waits for the same room nobody passes. */
  async #look(): Promise<void> {
    const still: Waiting[] = [];
    const before = new Set<string>();
    for (const waiting of this.#waiting) {
      const { pending } = waiting;
      if (this.#now >= waiting.deadline) {
        this.#refuse(pending, waitedOut(waiting.judged.verdict, this.#now - pending.arrivedAt));
        continue;
      }
      if (before.has(roomOf(waiting.judged))) {
        still.push(waiting);
        continue;
      }
      const judged = await this.#judge(pending);
      if (judged.verdict.kind === "hold") {
        this.#holdsStill(waiting, judged);
        before.add(roomOf(judged));
        still.push(waiting);
      } else this.#decide(pending, judged);
    }
    this.#waiting = still;
  }

  /** Somebody resumes all that was paused by then. */
  async #resume(pausedAt: number): Promise<void> {
    const paused = (await this.#store.gates()).filter(({ until, since }) => until === null && since <= pausedAt);
    await this.#store.open(paused.map(({ key }) => key));
  }
}

const remembers = ({ meters, rules }: Plan): boolean =>
  meters.some(({ metric }) => metric === "retries" || metric === "repeats") ||
  rules.some(({ conditions, actions }) => {
    const asks = conditions.some(({ reading }) => reading.kind === "call" && reading.metric === "retries");
    // A backoff grows with the attempt number, which is the ledger's to know.
    return asks || actions.some(({ kind }) => kind === "backoff");
  });

/** What a held call waits for: the same rule over the same scope. */
const roomOf = ({ verdict }: Judged): string =>
  `${verdict.decided?.rule.id} ${JSON.stringify(verdict.decided?.figures?.scope ?? null)}`;
