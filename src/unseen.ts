/**
 * A request to a provider that no hook could hold back. Nobody has read it and nobody can wait for the ledger, so it is
 * judged by what is known at once: rules that need no figures can refuse it, `call.unmetered -> deny` above all, and where
 * the deployment lets no call go unjudged (`"store": {"strict": true}`) so does that. Otherwise it goes, and is told of: in the log
 * once per host, as a span event and in a metric every time. It is in no meter, since nobody knows what it was.
 * @module
 */
import type { Call } from "./call/call.ts";
import { NO_ESTIMATE } from "./call/estimate.ts";
import { UNKNOWN_MODEL } from "./call/model.ts";
import type { Recognised, Recogniser } from "./call/recognise.ts";
import { subjectOf } from "./call/subject.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { Sighting } from "./hook/exchange.ts";
import { refusalError } from "./hook/refusal.ts";
import type { Incomings } from "./incoming.ts";
import { evaluate, type Readings } from "./policy/evaluate.ts";
import type { Plan, Rule } from "./policy/plan.ts";
import { refusalDetail } from "./policy/refusal-detail.ts";
import { type Fired, strictness } from "./policy/verdict.ts";
import { strictRefusal } from "./refusing.ts";
import type { LivePolicy } from "./reloading.ts";
import type { Log } from "./telemetry/log.ts";
import type { Arrival, Telemetry } from "./telemetry/telemetry.ts";
import { lookAround, whoseCall } from "./whose.ts";

interface UnseenParts {
  readonly config: Config;
  readonly policy: LivePolicy;
  readonly recognise: Recogniser;
  readonly telemetry: Telemetry;
  readonly incoming: Incomings;
  readonly processId: string;
  readonly log: Log;
  readonly clock: Clock;
}

/** What the safety net asks: the error to refuse a request with, null to let it go. Never throws. */
export function unseenBy(parts: UnseenParts): (sighting: Sighting) => Error | null {
  const { config, log, telemetry } = parts;

  return function unseen(sighting) {
    try {
      return judge(sighting);
    } catch (error) {
      log.once("unseen", "error", `a request that no hook saw could not be judged: ${String(error)}`);
      return null;
    }
  };

  function judge(sighting: Sighting): Error | null {
    const { hostname, port, method, path, transport, sent } = sighting;
    const recognised = parts.recognise(hostname, port, method ?? "POST", path ?? "/");
    // A path alone does not make an LLM call of a request to just any host: its body would have to speak for it.
    if (recognised === null || !recognised.certain) return null;
    if (path !== null && recognised.spending === "free") return null;
    const arrival = telemetry.arrive();
    const by = config.mode === "enforce" ? refuser(sighting, recognised, arrival) : null;
    const provider = recognised.provider.name;
    const rule = by?.rule ?? null;
    telemetry.unseen(arrival, { provider, host: hostname, port, transport, sent, refused: by !== null, rule });
    const where = `${hostname}:${port}`;
    const fate = by === null ? GONE : sent ? "It was broken off after its first bytes may have left" : "It was refused";
    const ruled = by === null ? "" : ` (${by.rule})`;
    log.once(
      `unseen ${where} ${transport} ${rule}`,
      "warn",
      `${MADE_BY[transport]} to ${where} ${PAST}. ${fate}${ruled}. ${ADVICE}`,
    );
    return by?.error ?? null;
  }

  /** What refuses the request, null where nothing does. */
  function refuser(
    sighting: Sighting,
    recognised: Recognised,
    arrival: Arrival,
  ): { readonly rule: string; readonly error: Error } | null {
    const { plan, rulesFor } = parts.policy.current();
    const call = callOf(sighting, recognised, arrival, plan);
    const rules = rulesFor(call).filter(needsNoFigures);
    const { kind, decided } = evaluate(plan, call, rules, { ...NO_READINGS, now: parts.clock() });
    if (decided !== null && strictness[kind] >= strictness.hold) {
      return { rule: decided.rule.id, error: refusalError(saying(decided), refusalDetail(decided, call)) };
    }
    if (!config.storeOptions.strict) return null;
    const { message, detail } = strictRefusal("the request was made past every hook");
    return { rule: detail.rule, error: refusalError(message, detail) };
  }

  function callOf(
    { hostname, port, path }: Sighting,
    { provider, operation }: Recognised,
    arrival: Arrival,
    plan: Plan,
  ): Call {
    const around = lookAround(arrival, parts.incoming);
    const { values, runSource } = whoseCall(parts, plan, around, { headers: {}, path: path ?? "" });
    return Object.freeze({
      attempt: "unseen",
      provider: provider.name,
      operation,
      spending: "unmetered",
      model: UNKNOWN_MODEL,
      modelAsSent: UNKNOWN_MODEL,
      host: hostname,
      port,
      path: path ?? "/",
      subject: subjectOf(values, UNKNOWN_MODEL, provider.name),
      runSource,
      stream: false,
      maxTokens: null,
      ...NO_ESTIMATE,
      fingerprint: null,
      sdkRetry: null,
    });
  }
}

/** `call.unmetered -> deny`, and whatever else refuses all calls of those whom its filter names. */
const needsNoFigures = ({ conditions }: Rule): boolean => conditions.length === 0;

const NO_READINGS: Omit<Readings, "now"> = Object.freeze({
  meters: [],
  attemptNumber: 0,
  closed: new Map(),
  byHand: [],
  limits: new Map(),
});

const saying = ({ message }: Fired): string => `${message} The request was made past every hook of the guard.`;

const MADE_BY: Readonly<Record<Sighting["transport"], string>> = {
  undici: "a request of undici",
  http: "a request of node:http",
  http2: "a request of node:http2",
  socket: "what was written to a bare socket",
};

const PAST = "went past every hook, so that nobody could judge or charge it";
const GONE = "It was let go";
const ADVICE = "`npx budget-guard doctor` shows what is covered; `call.unmetered -> deny` refuses such requests.";
