/**
 * Sessions as the guard judges them: what their responses need of the road that calls take.
 * @module
 */
import type { Call } from "./call/call.ts";
import type { Prices } from "./call/price.ts";
import type { RequestFacts } from "./call/provider.ts";
import type { Recognised } from "./call/recognise.ts";
import type { Clock } from "./clock.ts";
import type { Considered } from "./decided.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { Departure, Tap } from "./hook/exchange.ts";
import type { Judged } from "./judging.ts";
import { strictness } from "./policy/verdict.ts";
import { followSession, type SessionParts, type Standing } from "./realtime.ts";
import type { Policy } from "./reloading.ts";
import type { Shaped } from "./shaping.ts";
import type { Settlement } from "./store/store.ts";
import type { Log } from "./telemetry/log.ts";
import type { Arrival, Decided, Sight, Telemetry } from "./telemetry/telemetry.ts";

/** The stretches of the road that a response takes like any call. */
export interface Stretches {
  readonly enforce: boolean;
  readonly policy: () => Policy;
  readonly heartbeat: Heartbeat;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly log: Log;
  readonly name: () => string;
  readonly consider: (
    policy: Policy,
    shaped: Shaped,
    signal: AbortSignal,
  ) => Promise<{ readonly judged: Judged; readonly waitedMs: number | null }>;
  readonly decided: (arrival: Arrival, policy: Policy, considered: Considered, refused: boolean) => Decided;
  readonly report: (policy: Policy, call: Call, judged: Judged) => void;
  readonly release: (policy: Policy, call: Call, judged: Judged) => void;
  readonly settle: (policy: Policy, call: Call, settlement: Settlement) => Promise<void>;
  readonly track: (work: Promise<void>) => void;
}

/** A handshake that was let go. */
export interface Handshake {
  readonly arrival: Arrival;
  readonly prices: Prices;
  readonly policy: Policy;
  readonly considered: Considered;
}

/** A WebSocket at an address that cannot spend otherwise: nobody knows what is said on it. */
export function asSession<T extends Pick<Recognised, "operation" | "spending">>(
  recognised: T | null,
  headers: Departure["headers"],
): T | null {
  // HTTP/2 has no key, and names the protocol alone (RFC 8441).
  const opens = headers["sec-websocket-key"] !== undefined || headers.upgrade?.toLowerCase() === "websocket";
  if (recognised?.spending !== "free" || !opens) return recognised;
  return Object.freeze({ ...recognised, operation: "realtime", spending: "unmetered" });
}

/** Whether a call opens a session whose messages can be read. */
export const isSession = ({ operation, spending }: Call): boolean => operation === "realtime" && spending === "metered";

/** A sight of a handshake: the session's responses have spans of their own, so that only a failure needs one. */
export const sightOfFailure = (begin: () => Sight): Sight => ({
  run: (fn) => fn(),
  end: (ended) => begin().end(ended),
});

/** The tap of a handshake: where a session begins it is followed, and where the server answers otherwise nothing was spent. */
export function sessionTap(stretches: Stretches, handshake: Handshake, failing: Tap): Tap {
  const { policy, considered, arrival } = handshake;
  const first = standingOf(stretches, policy, arrival, considered);
  let status = 0;
  return {
    head(code, headers) {
      status = code;
      failing.head(code, headers);
    },
    chunk: (bytes) => failing.chunk(bytes),
    end: () => (status >= 400 ? failing.end() : first.release()),
    fail: (failure) => failing.fail(failure),
    upgrade: (_headers, line) => followSession(partsOf(stretches, handshake), first, line),
  };
}

function partsOf(stretches: Stretches, { arrival, prices, considered }: Handshake): SessionParts {
  const { facts } = considered.shaped.read;
  return {
    prices,
    arrival,
    planNow: () => stretches.policy().plan,
    clock: stretches.clock,
    log: stretches.log,
    name: stretches.name,
    judge: (call, signal) => judgeResponse(stretches, arrival, call, facts, signal),
    settle: (call, settlement) => stretches.settle(stretches.policy(), call, settlement),
    show: (at, decided) => stretches.telemetry.begin(at, decided),
    track: stretches.track,
  };
}

/** By the policy of now: a session outlives many a version of it. */
async function judgeResponse(
  stretches: Stretches,
  arrival: Arrival,
  call: Call,
  facts: RequestFacts,
  signal: AbortSignal,
): Promise<Standing> {
  const policy = stretches.policy();
  const at = { ...arrival, at: stretches.clock() };
  const rules = policy.rulesFor(call);
  // A session's messages are never rewritten, so nothing caps or routes them.
  const shaped: Shaped = { read: { call, facts }, rules, body: null, path: null, cap: null, route: null, unshaped: [] };
  const { judged, waitedMs } = await stretches.consider(policy, shaped, signal);
  if (judged.held) stretches.heartbeat.add(call.attempt);
  return standingOf(stretches, policy, at, { shaped, judged, waited: { hold: waitedMs, backoff: null } });
}

function standingOf(stretches: Stretches, policy: Policy, arrival: Arrival, considered: Considered): Standing {
  const { judged, shaped } = considered;
  const { call } = shaped.read;
  const refused = stretches.enforce && strictness[judged.verdict.kind] >= strictness.hold;
  if (!refused) stretches.report(policy, call, judged);
  return {
    plan: policy.plan,
    decided: stretches.decided(arrival, policy, considered, refused),
    refused,
    judgedAt: judged.at,
    at: stretches.clock(),
    release() {
      stretches.heartbeat.remove(call.attempt);
      if (judged.held) stretches.release(policy, call, judged);
    },
  };
}
