/**
 * The incident of the $47,000 agent loop, replayed through the real policy and the real ledger on a clock of its own.
 * In: one policy. Out: when it first refused, and what was spent until the replay ended.
 * @module
 */
import { type Call, NONE, type Outcome, type Subject } from "../../src/call/call.ts";
import { judge } from "../../src/judging.ts";
import { indexRules } from "../../src/policy/match.ts";
import { stops } from "../../src/policy/verdict.ts";
import { chargesFor, fingerprintKey, runOf } from "../../src/request.ts";
import { withFallback } from "../../src/store/fallback.ts";
import { openMemory } from "../../src/store/memory.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { aCall } from "../support/a-call.ts";
import { loadPlan } from "../support/load-plan.ts";

/**
 * The article's figures: 12K tokens in and 3K out at $5 and $25 per million, 22 calls a minute for eleven days, 400 calls
 * a run, and three of four calls are retries that the SDK numbers.
 */
export const traffic = { callsPerMinute: 22, callsPerRun: 400, attempts: 4, days: 11 } as const;

const NANO = 1e9;
const CALL = { input: 0.06 * NANO, output: 0.075 * NANO };
const COST = 0.135;
const START = Date.parse("2026-04-08T00:00:00Z");

/** What the whole incident costs when nobody says no, USD. */
export const unguarded = traffic.days * 24 * 60 * traffic.callsPerMinute * COST;

export interface Replay {
  /** USD that had been spent when a call was first refused; null where none was. */
  readonly firstRefusalAt: number | null;
  /** Minutes from the start to that refusal. */
  readonly afterMinutes: number | null;
  readonly rule: string | null;
  /** USD spent in the whole replay. */
  readonly spent: number;
  readonly reached: number;
  /** True where the scope is paused: no call goes until someone resumes it. */
  readonly final: boolean;
}

/** Sends the first `calls` calls of the incident at a policy. A refused call costs nothing and the loop goes on trying. */
export async function replay(policy: string, calls: number): Promise<Replay> {
  let time = START;
  const plan = loadPlan([{ file: "incident.budget", text: policy }], () => {});
  const rulesFor = indexRules(plan);
  const store = withFallback(async () => openMemory(() => time), { clock: () => time, name: "replay" });
  const log = createLog("error");
  const options = { store, plan, holdMs: 60_000, enforce: true, strict: false, localMillionths: 50_000, log };
  let reached = 0;
  let first: Pick<Replay, "firstRefusalAt" | "afterMinutes" | "rule"> = {
    firstRefusalAt: null,
    afterMinutes: null,
    rule: null,
  };
  let final = false;
  for (let index = 0; index < calls; index++) {
    time = START + Math.round((index * 60_000) / traffic.callsPerMinute);
    const call = incidentCall(index);
    const { verdict, at } = await judge(options, call, rulesFor(call));
    final = verdict.kind === "pause";
    if (stops(verdict)) {
      if (first.rule === null) {
        const rule = verdict.decided?.rule.id ?? null;
        first = { firstRefusalAt: reached * COST, afterMinutes: (time - START) / 60_000, rule };
      }
      // A pause ends by a person only: the rest of the replay is more of the same refusal.
      if (final) break;
      continue;
    }
    reached += 1;
    await store.settle({
      attempt: call.attempt,
      judgedAt: at ?? time,
      charges: chargesFor(plan, call, billOf(call), SUCCESS),
      run: runOf(call),
      fingerprint: fingerprintKey(call),
      outcome: "success",
      lessons: [],
    });
  }
  await store.shut();
  return { ...first, spent: reached * COST, reached, final };
}

const SUCCESS: Outcome = { kind: "success", status: 200 };

/** The Critic asks the Synthesizer the same thing again and again; each answer fails to parse and is asked for anew. */
function incidentCall(index: number): Call {
  const subject: Subject = {
    tenant: NONE,
    feature: "research",
    agent: "synthesizer",
    user: NONE,
    run: `run-${Math.floor(index / traffic.callsPerRun)}`,
  };
  return aCall({
    subject,
    model: "claude-opus-4-7",
    provider: "anthropic",
    operation: "messages",
    inputTokens: 12_000,
    outputTokens: 3_000,
    cost: CALL,
    sdkRetry: index % traffic.attempts,
  });
}

const billOf = (call: Call) => ({
  usage: {
    inputTokens: call.inputTokens,
    outputTokens: call.outputTokens,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    cacheWriteHourTokens: 0,
    reasoningTokens: 0,
    inputAudioTokens: 0,
    outputAudioTokens: 0,
    webSearches: 0,
    reportedCost: null,
  },
  cost: call.cost,
  source: "local" as const,
  unpriced: false,
  model: call.model,
  responseId: null,
  finishReasons: [],
  serviceTier: null,
});
