/**
 * A session over WebSocket is metered as it runs: each of its responses is a call of its own, and one more is always held for.
 *
 *     handshake judged ── hold ──▶ response: charged, the hold given back ──▶ the next one judged ── hold ──▶ response ...
 *                                                                                   └── refused ──▶ the session is closed
 * @module
 */
import { createHash } from "node:crypto";
import type { Bill, Call, Outcome, Usage } from "./call/call.ts";
import type { Prices } from "./call/price.ts";
import { sessionReader } from "./call/providers/realtime.ts";
import type { SessionReader, Unfinished, Used } from "./call/providers/realtime-reader.ts";
import { usage } from "./call/usage.ts";
import type { Clock } from "./clock.ts";
import type { Failure, Line, Session } from "./hook/exchange.ts";
import { expectedNext, nextCall } from "./next-response.ts";
import type { Plan } from "./policy/plan.ts";
import { refusalDetail } from "./policy/refusal-detail.ts";
import { chargesFor, isPlausible, runOf } from "./request.ts";
import { bill } from "./response/bill.ts";
import { NO_RESPONSE, type ResponseReading } from "./response/reader.ts";
import type { Settlement } from "./store/store.ts";
import type { Log } from "./telemetry/log.ts";
import type { Arrival, Decided, Sight } from "./telemetry/telemetry.ts";

/** A call that was judged for a response which is yet to come. */
export interface Standing {
  readonly plan: Plan;
  readonly decided: Decided;
  /** True where the policy ends the session. */
  readonly refused: boolean;
  /** The store's clock at the judgement, and ours, ms since 1970; the store's is null where none judged. */
  readonly judgedAt: number | null;
  readonly at: number;
  /** Gives back what is held for it. */
  readonly release: () => void;
}

export interface SessionParts {
  readonly prices: Prices;
  readonly arrival: Arrival;
  readonly planNow: () => Plan;
  readonly clock: Clock;
  readonly log: Log;
  /** A name for the next attempt. */
  readonly name: () => string;
  /** Judges a call by the policy in force, and holds for it where it may go. */
  readonly judge: (call: Call, signal: AbortSignal) => Promise<Standing>;
  readonly settle: (call: Call, settlement: Settlement) => Promise<void>;
  readonly show: (arrival: Arrival, decided: Decided) => Sight;
  /** Work that never rejects, for whoever waits until all is settled. */
  readonly track: (work: Promise<void>) => void;
}

/** RFC 6455, section 7.4.1: the endpoint ends the connection for what goes against its policy. */
const POLICY_VIOLATION = 1008;

/** How long a judgement stands while nothing is asked. */
const STALE_MS = 30_000;

/** Follows a session from its handshake, which was judged as its first response. */
export function followSession(parts: SessionParts, handshake: Standing, line: Line): Session {
  return new MeteredSession(parts, handshake, line);
}

class MeteredSession implements Session {
  readonly #parts: SessionParts;
  readonly #line: Line;
  readonly #reader: SessionReader;
  readonly #left = new AbortController();
  /** By which the provider's responses are told apart where it names no session. */
  readonly #ownName: string;
  #standing: Standing;
  /** The last one that was let go: what came since then came by its leave. */
  #allowed: Standing;
  #held = true;
  #model: string | null;
  #expected: Usage | null = null;
  #readable = true;
  /** Bills on their way to the ledger: what comes next is judged after them. */
  #settling = new Set<Promise<void>>();
  #judging: Promise<void> = Promise.resolve();
  #due = false;
  #responseBegan: number;

  constructor(parts: SessionParts, handshake: Standing, line: Line) {
    this.#parts = parts;
    this.#line = line;
    this.#standing = handshake;
    this.#allowed = handshake;
    const { call } = handshake.decided;
    this.#reader = sessionReader(call.path);
    this.#model = this.#reader.model();
    this.#ownName = call.attempt;
    this.#responseBegan = parts.clock();
  }

  wants(from: "client" | "server"): boolean {
    return this.#readable && this.#reader.wants(from);
  }

  message(from: "client" | "server", bytes: Buffer): void {
    const used = this.#reader.take(from, bytes);
    for (const one of used) {
      this.#charge(one.id, one.model, readingOf(one), outcomeOf(one));
      const tells = one.kind === "response" || this.#expected === null;
      if (one.usage !== null && tells) this.#expected = expectedNext(one.usage, this.#expected);
    }
    const model = this.#reader.model();
    const renamed = model !== null && model !== this.#model;
    this.#model = model;
    if (used.length > 0 || renamed || this.#isStale()) this.#judgeNext();
  }

  /** A response has begun on a judgement that is old: a gate may have closed since, and a window may have begun. */
  #isStale(): boolean {
    const age = this.#parts.clock() - this.#standing.at;
    return age > STALE_MS && !this.#standing.refused && this.#reader.unfinished().length > 0;
  }

  unreadable(): void {
    if (!this.#readable) return;
    this.#readable = false;
    const { model } = this.#standing.decided.call;
    this.#parts.log.once(
      "unreadable session",
      "warn",
      `a session of ${model} cannot be read: it is charged as one response, and unmetered from here`,
    );
    this.#charge("unreadable", null, { ...NO_RESPONSE, status: 200 }, { kind: "success", status: 200 });
    this.#judgeNext();
  }

  end(failure: Failure | null): void {
    this.#left.abort();
    // The provider stops where its client leaves, and charges for what it made until then.
    for (const one of this.#reader.unfinished()) this.#charge(one.id, null, partOf(one), brokenOff(failure));
    this.#parts.track(this.#judging.then(() => this.#giveBack()));
  }

  /** One response becomes spend at once, under a name that is its own in whichever process reads of it. */
  #charge(id: string, model: string | null, reading: ResponseReading, outcome: Outcome): void {
    const [parts, standing] = [this.#parts, this.#allowed];
    const { clock, log } = parts;
    const attempt = attemptOf(standing.decided.call.provider, this.#reader.id() ?? this.#ownName, id);
    const call = this.#next(attempt, true);
    const endedAt = clock();
    const named = { ...reading, model: model ?? this.#model };
    const billed = this.#bill(call, named, outcome);
    const settled = parts
      .settle(call, {
        attempt,
        // A session may rest for hours: its spend belongs to the window in which it is spent.
        judgedAt: (standing.judgedAt ?? standing.at) + endedAt - standing.at,
        charges: chargesFor(standing.plan, call, billed, outcome, parts.planNow()),
        run: runOf(call),
        fingerprint: null,
        outcome: outcome.kind === "aborted" ? "none" : outcome.kind === "success" ? "success" : "failure",
        lessons: [],
      })
      .catch((error) => log.error(`a response could not be settled: ${told(error)}`))
      .finally(() => this.#settling.delete(settled));
    this.#settling.add(settled);
    parts.track(settled);
    const sight = parts.show({ ...parts.arrival, at: this.#responseBegan }, { ...standing.decided, call });
    sight.end({ bill: billed, outcome, firstByteAt: null, endedAt, wasted: outcome.kind !== "success" });
    this.#responseBegan = endedAt;
  }

  /** The bill; where the provider claims what cannot be, all that was held for the response. */
  #bill(call: Call, reading: ResponseReading, outcome: Outcome): Bill {
    const { prices } = this.#parts;
    try {
      const billed = bill({ call, reading, outcome, prices });
      if (isPlausible(billed)) return billed;
    } catch {
      // Figures so large that they cannot be multiplied end here too.
    }
    return bill({ call, reading: NO_RESPONSE, outcome: { kind: "timeout", status: null }, prices });
  }

  #judgeNext(): void {
    if (this.#due) return;
    this.#due = true;
    this.#judging = this.#judging
      .then(() => this.#judge())
      .catch((error) => this.#parts.log.error(`a session goes on unjudged because the guard failed: ${told(error)}`));
    this.#parts.track(this.#judging);
  }

  async #judge(): Promise<void> {
    await Promise.all(this.#settling);
    this.#due = false;
    this.#giveBack();
    if (this.#left.signal.aborted || this.#standing.refused) return;
    const next = this.#next(this.#parts.name(), this.#readable);
    this.#standing = await this.#parts.judge(next, this.#left.signal);
    this.#held = true;
    if (this.#standing.refused) this.#close(this.#standing);
    else this.#allowed = this.#standing;
  }

  /** The call that a response is, by what is known of the session by now. */
  #next(attempt: string, metered: boolean): Call {
    const before = this.#standing.decided.call;
    const { prices } = this.#parts;
    return nextCall(before, { attempt, model: this.#model, expected: this.#expected, metered, prices });
  }

  #giveBack(): void {
    if (this.#held) this.#standing.release();
    this.#held = false;
  }

  #close({ decided }: Standing): void {
    const fired = decided.verdict.decided;
    if (fired === null || this.#left.signal.aborted) return;
    this.#parts.show({ ...this.#parts.arrival, at: this.#parts.clock() }, decided);
    // Clients show little of why a socket was closed.
    this.#parts.log.warn(`closed a session of ${decided.call.model}: ${fired.message}`);
    const message = `budget-guard closed this session: ${fired.message}`;
    const words = this.#reader.lastWords(message, refusalDetail(fired, decided.call));
    this.#line.close(POLICY_VIOLATION, `budget-guard: ${fired.message}`, words);
  }
}

/** The same in every process and on every connection that hears of this response. */
function attemptOf(provider: string, session: string, response: string): string {
  const hash = createHash("sha256").update(JSON.stringify([provider, session, response]));
  return `rt.${hash.digest("base64url").slice(0, 24)}`;
}

function readingOf(used: Used): ResponseReading {
  const portions = used.usage === null ? [] : [{ model: used.model, usage: used.usage }];
  const status = used.failed ? 500 : 200;
  return { ...NO_RESPONSE, status, streamed: true, portions, responseId: used.id, finishReasons: [used.finishReason] };
}

const outcomeOf = ({ failed }: Used): Outcome =>
  failed ? { kind: "provider-error", status: 500 } : { kind: "success", status: 200 };

function partOf({ id, outputTokens, outputAudioTokens }: Unfinished): ResponseReading {
  const portions = [{ model: null, usage: usage({ outputTokens, outputAudioTokens }) }];
  return { ...NO_RESPONSE, status: 200, streamed: true, portions, responseId: id };
}

function brokenOff(failure: Failure | null): Outcome {
  if (failure?.kind === "network") return { kind: "network-error", code: failure.code };
  return failure?.kind === "timeout" ? { kind: "timeout", status: 200 } : { kind: "aborted", status: 200 };
}

const told = (error: unknown): string => (error instanceof Error ? error.message : String(error));
