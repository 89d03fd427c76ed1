/**
 * The whole road of a call, the only file that sees all of it. Read it from top to bottom.
 *
 *     hook → call → policy → store → verdict → (out) → response → settle → telemetry
 * @module
 */
import { attemptNames } from "./attempts.ts";
import type { Call } from "./call/call.ts";
import { currentBudget } from "./call/context.ts";
import { identify } from "./call/identity.ts";
import type { Prices } from "./call/price.ts";
import { readCall, reestimate } from "./call/read.ts";
import type { Recognised, Recogniser } from "./call/recognise.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { RefusalDetail } from "./errors.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { Departure, Gatekeeper, Passage, Tap } from "./hook/exchange.ts";
import type { Incomings } from "./incoming.ts";
import { type Judged, judge } from "./judging.ts";
import type { Teacher } from "./learned.ts";
import type { RuleIndex } from "./policy/match.ts";
import type { Plan, Rule } from "./policy/plan.ts";
import { refusalDetail } from "./policy/refusal-detail.ts";
import { stops } from "./policy/verdict.ts";
import { priceTable } from "./price-table.ts";
import { refusal, refusalUnjudged } from "./refusing.ts";
import { reporter } from "./reporting.ts";
import { releaseOf, settleAtEnd } from "./settling.ts";
import { type Shaped, shapeCall } from "./shaping.ts";
import type { FallbackStore } from "./store/fallback.ts";
import type { Log } from "./telemetry/log.ts";
import type { Arrival, Decided, Telemetry } from "./telemetry/telemetry.ts";

/** What the guard is made of. Prices are loaded with the first call, since most processes make none. */
export interface Parts {
  readonly config: Config;
  readonly plan: Plan;
  readonly rulesFor: RuleIndex;
  readonly recognise: Recogniser;
  readonly prices: () => Promise<Prices>;
  readonly learned: Teacher;
  readonly store: FallbackStore;
  readonly heartbeat: Heartbeat;
  readonly telemetry: Telemetry;
  readonly incoming: Incomings;
  /** The run of calls that have no other. */
  readonly processId: string;
  readonly log: Log;
  readonly clock: Clock;
}

export interface Guard extends Gatekeeper {
  /** Resolves when the calls whose responses have ended are settled; it does not wait for calls under way. */
  settled(): Promise<void>;
}

/** Everything about one request that later stretches of the road need. */
interface Traveller {
  readonly departure: Departure;
  readonly arrival: Arrival;
  readonly recognised: Recognised;
  readonly prices: Prices;
  readonly removeHeaders: readonly string[];
}

/** A gatekeeper for the hooks, made of parts that know nothing of each other. */
export function createGuard(parts: Parts): Guard {
  const { config, plan, store, telemetry, log } = parts;
  const enforce = config.mode === "enforce";
  const judging = { store, plan, enforce, log, ...config.storeOptions };
  const report = reporter(plan, parts.incoming, log);
  const settling = new Set<Promise<void>>();
  const nextAttempt = attemptNames();

  return {
    async settled() {
      await Promise.allSettled(settling);
    },

    concerns(hostname, port, method, path) {
      const recognised = parts.recognise(hostname, port, method, path);
      return recognised === null ? null : recognised.spending === "metered" ? WITH_BODY : WITHOUT_BODY;
    },

    async decide(departure, signal) {
      try {
        return await road(departure, signal);
      } catch (error) {
        // A defect of ours must neither break the application nor pass in silence.
        if (enforce && config.storeOptions.strict) {
          log.error(`a call was refused because the guard itself failed: ${told(error)}`);
          return refusalUnjudged(config.refusal, told(error));
        }
        log.error(`a call was let go unjudged because the guard itself failed: ${told(error)}`);
        return go(departure.headers);
      }
    },
  };

  async function road(departure: Departure, signal: AbortSignal): Promise<Passage> {
    const arrival = telemetry.arrive();
    const serving = parts.incoming.current();
    const identity = identify({
      context: currentBudget(),
      headers: departure.headers,
      incoming: serving?.identity ?? null,
      baggage: byScope(arrival.baggage),
      environment: config.identity,
      dimensions: plan.dimensions,
      traceId: arrival.traceId,
      requestId: serving?.id ?? null,
      processId: parts.processId,
    });
    const { hostname, port, method, path, headers, body } = departure;
    const recognised = parts.recognise(hostname, port, method, path);
    if (recognised === null || recognised.spending === "free") return go(headers);
    // A fetch that is aborted at once hands out no body. What its caller broke off no provider can read, and judged as
    // if it were all it could pause a tenant.
    if (body !== null && body.length < Number(headers["content-length"])) return go(headers);

    // call: what is it, and what may it cost?
    const prices = await parts.prices();
    const attempt = nextAttempt();
    const first = readCall({ attempt, recognised, host: hostname, port, path, headers, body, identity, prices });
    if (first === null) return go(headers);
    const { provider, model, subject } = first.call;
    const learned = await parts.learned(provider, model, subject.feature ?? "");
    const read = reestimate(first, recognised, prices, learned);

    // policy: whose rules apply, and do they make it smaller?
    const rules = parts.rulesFor(read.call);
    const shaped = await shapeCall(
      { plan, store, rules, enforce, log, clock: parts.clock },
      read,
      recognised,
      body,
      (tokens) => reestimate(read, recognised, prices, learned, tokens),
    );
    const { call } = shaped.read;

    // A caller who has left must not close a gate for the others.
    if (signal.aborted) return gone();

    // store: does it fit? Then it is held.
    const judged = await judge(judging, call, rules);
    if (signal.aborted) return givenUp(call, judged);
    const traveller = { departure, arrival, recognised, prices, removeHeaders: identity.removeHeaders };
    return enforce && stops(judged.verdict)
      ? refuse(traveller, call, rules, shaped, judged)
      : letGo(traveller, shaped, rules, judged, signal);
  }

  function refuse({ arrival }: Traveller, call: Call, rules: readonly Rule[], shaped: Shaped, judged: Judged): Passage {
    if (judged.held) release(call, judged);
    telemetry.begin(arrival, decided(arrival, call, rules, shaped, judged, true));
    const fired = judged.verdict.decided;
    if (fired === null) throw new Error("a verdict that stops must name its rule");
    const detail: RefusalDetail = refusalDetail(fired, call);
    log.info(`refused a call to ${call.model}: ${fired.message}`);
    return refusal(config.refusal, fired.message, detail);
  }

  function letGo(
    traveller: Traveller,
    shaped: Shaped,
    rules: readonly Rule[],
    judged: Judged,
    signal: AbortSignal,
  ): Passage {
    const { arrival, recognised, prices } = traveller;
    const { call, facts } = shaped.read;
    report(call, judged.verdict);
    const sight = telemetry.begin(arrival, decided(arrival, call, rules, shaped, judged, false));
    let left = false;
    if (judged.held) parts.heartbeat.add(call.attempt);
    const tap = settleAtEnd({
      call,
      provider: recognised.provider,
      plan,
      prices,
      judgedAt: judged.at ?? arrival.at,
      attemptNumber: judged.attemptNumber,
      textTokens: Math.ceil(facts.textBytes / 3),
      mediaTokens: facts.mediaTokens + facts.audioTokens,
      asked: facts.terms,
      sight,
      clock: parts.clock,
      log,
      settle: (settlement) => store.settle(settlement),
      left: () => left || !signal.aborted,
      ending: (work) => {
        track(work);
        void work.finally(() => parts.heartbeat.remove(call.attempt));
      },
    });
    return {
      kind: "go",
      body: shaped.body,
      removeHeaders: traveller.removeHeaders,
      tap,
      run: (fn) => {
        left = true;
        return sight.run(fn);
      },
    };
  }

  /** The caller hung up while the store was asked: nothing has left. */
  function givenUp(call: Call, judged: Judged): Passage {
    if (judged.held) release(call, judged);
    return gone();
  }

  function release(call: Call, judged: Judged): void {
    const settled = store.settle(releaseOf(call, judged.at ?? parts.clock()));
    track(settled.catch((error) => log.error(`a hold could not be given back: ${told(error)}`)));
  }

  /** Work that `settled` waits for; it never rejects. */
  function track(work: Promise<void>): void {
    settling.add(work);
    void work.finally(() => settling.delete(work));
  }

  function decided(
    arrival: Arrival,
    call: Call,
    rules: readonly Rule[],
    shaped: Shaped,
    judged: Judged,
    refused: boolean,
  ): Decided {
    return {
      call,
      verdict: judged.verdict,
      cap: shaped.cap,
      mode: enforce ? "enforce" : "shadow",
      refused,
      store: { kind: store.kind, degraded: judged.degraded },
      checkSeconds: (parts.clock() - arrival.at) / 1000,
      attemptNumber: judged.attemptNumber,
      repeat: judged.repeat,
      run: judged.run,
      matched: rules.map((rule) => rule.id),
      policy: { files: plan.files, hash: plan.hash },
      priceTable: priceTable(),
    };
  }
}

const gone = (): Passage => ({
  kind: "throw",
  error: new DOMException("This operation was aborted", "AbortError"),
});

const WITH_BODY = Object.freeze({ body: true });
const WITHOUT_BODY = Object.freeze({ body: false });

const NO_TAP: Tap = Object.freeze({ head() {}, chunk() {}, end() {}, fail() {} });

/** Past the guard uncounted: it cannot spend. Our own headers stay behind all the same. */
const go = (headers: Departure["headers"]): Passage => ({
  kind: "go",
  body: null,
  removeHeaders: Object.keys(headers).filter((name) => name.startsWith("x-budget-")),
  tap: NO_TAP,
  run: (fn) => fn(),
});

/** `tenant.id` in baggage is the tenant; any other key stands for itself. */
function byScope(baggage: Readonly<Record<string, string>>): Readonly<Record<string, string>> | null {
  const entries = Object.entries(baggage);
  if (entries.length === 0) return null;
  return Object.fromEntries(entries.map(([key, value]) => [key.replace(/\.id$/, ""), value]));
}

const told = (error: unknown): string => (error instanceof Error ? error.message : String(error));
