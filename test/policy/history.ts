/**
 * One history lived twice: by the package over a real ledger in memory, and by the naive reading of the same text.
 * @module
 */
import type { Bill, Call } from "../../src/call/call.ts";
import { type Judged, judge } from "../../src/judging.ts";
import { gateKey, limitKey } from "../../src/keys.ts";
import { compile, type ReadFile } from "../../src/policy/compile.ts";
import { renderAll, type Source } from "../../src/policy/diagnostics.ts";
import { indexRules } from "../../src/policy/match.ts";
import type { Plan } from "../../src/policy/plan.ts";
import { parsePolicy } from "../../src/policy/syntax.ts";
import type { Verdict } from "../../src/policy/verdict.ts";
import { chargesFor, fingerprintKey, runOf } from "../../src/request.ts";
import { type FallbackStore, withFallback } from "../../src/store/fallback.ts";
import { openMemory } from "../../src/store/memory.ts";
import type { Judgement } from "../../src/store/store.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { aCall, aCost } from "../support/a-call.ts";
import { type CallStep, type OtherStep, TABLES } from "./random-policy.ts";
import { judgeNaively } from "./reference.ts";
import type { Answer, File, World } from "./world.ts";

export const CENT = 10_000_000;
const MINUTE = 60_000;

/** Reads imports among these files, and the tables that random policies name. */
export const reader =
  (files: readonly Source[]): ReadFile =>
  (_, path) => {
    const file = path.replace(/^\.\//, "");
    const text = file in TABLES ? JSON.stringify(TABLES["limits.json"]) : files.find((one) => one.file === file)?.text;
    return text === undefined ? { why: "there is no such file" } : { file, text };
  };

/** The plan of named files; throws what is wrong with them. */
export function planOf(named: readonly Source[], read: ReadFile): Plan {
  const { plan, diagnostics, sources } = compile(named, { read });
  if (plan === null) throw new Error(renderAll(diagnostics, sources));
  return plan;
}

/** The plan of these texts, a file each. */
export const planOfFiles = (texts: readonly string[]): Plan =>
  planOf(
    texts.map((text, at) => ({ file: `f${at}.budget`, text })),
    reader([]),
  );

/** The ledger of one history, and the calls that are under way. */
export class Life {
  readonly store: FallbackStore;
  readonly plan: Plan;
  time: number;
  /** As the store answered the latest judgement. */
  judgement: Judgement | null = null;
  readonly underWay: { readonly call: Call; readonly at: number }[] = [];

  /** Calls are counted on the meters of `plan`. */
  constructor(plan: Plan, time: number) {
    this.plan = plan;
    this.time = time;
    const clock = () => this.time;
    this.store = withFallback(
      async () => {
        const memory = openMemory(clock);
        return { ...memory, judge: async (request) => (this.judgement = await memory.judge(request)) };
      },
      { clock, deadlineMs: 30_000, patienceMs: 30_000 },
    );
  }

  /** Judges by `rules`, by default those of the plan, and holds the call where it may go. */
  async judge(call: Call, rules = indexRules(this.plan)(call)): Promise<Judged> {
    const judged = await judge(
      {
        store: this.store,
        plan: this.plan,
        holdMs: 86_400_000,
        enforce: true,
        strict: false,
        localMillionths: 50_000,
        log: createLog("silent", () => {}),
      },
      call,
      rules,
    );
    if (judged.degraded) throw new Error("the ledger was away");
    if (judged.held) this.underWay.push({ call, at: this.time });
    return judged;
  }

  /** Any step that is no call. */
  async live(step: OtherStep): Promise<void> {
    if (step.kind === "limit") {
      const amount = step.amount === null ? null : step.name === "quota" ? step.amount * CENT * 5 : step.amount;
      await this.store.setLimit(limitKey(step.name, step.name === "quota" ? "tenant" : "plan", step.of), amount);
    } else if (step.kind === "end") {
      const [ended] = this.underWay.splice(step.which % Math.max(1, this.underWay.length), 1);
      if (ended === undefined) return;
      const { call, at } = ended;
      const outcome =
        step.how === "failure"
          ? { kind: "provider-error" as const, status: 500 }
          : { kind: "success" as const, status: 200 };
      const released = step.how === "released";
      await this.store.settle({
        attempt: call.attempt,
        judgedAt: at,
        charges: released ? [] : chargesFor(this.plan, call, billOf(step), outcome),
        run: runOf(call),
        fingerprint: fingerprintKey(call),
        outcome: released ? "none" : step.how === "failure" ? "failure" : "success",
        lessons: [],
      });
    } else {
      const key = gateKey("", ["tenant"], { tenant: step.tenant });
      if (step.kind === "pause") await this.store.close(key, step.minutes === null ? null : step.minutes * MINUTE);
      else await this.store.open([key]);
    }
  }
}

/** The same in the naive reading: a list of what happened. */
export class NaiveLife {
  readonly files: readonly File[];
  readonly world: World = { past: [], closed: [], kept: new Map(), tables: TABLES };
  readonly #underWay: World["past"] = [];

  constructor(texts: readonly string[]) {
    this.files = texts.map((text) => ({ statements: parsePolicy(text).statements }));
  }

  judge(call: Call, now: number): Answer {
    const answer = judgeNaively(this.files, this.world, call, now);
    if (["allow", "warn", "backoff"].includes(answer.kind)) {
      const { retry, repeat } = answer;
      const made: World["past"][number] = { call, at: now, retry: retry > 0, repeat, end: null, released: false };
      this.world.past.push(made);
      this.#underWay.push(made);
    }
    return answer;
  }

  live(step: OtherStep, now: number): void {
    const { world } = this;
    if (step.kind === "limit") {
      const key = `${step.name} ${step.of}`;
      if (step.amount === null) world.kept.delete(key);
      else world.kept.set(key, step.name === "quota" ? step.amount * CENT * 5 : step.amount);
    } else if (step.kind === "end") {
      const [ended] = this.#underWay.splice(step.which % Math.max(1, this.#underWay.length), 1);
      if (ended === undefined) return;
      if (step.how === "released") ended.released = true;
      else {
        const { input, output } = step;
        ended.end = { at: now, cost: step.cents * CENT, input, output, failed: step.how === "failure" };
      }
    } else {
      const scope = { tenant: step.tenant };
      world.closed = world.closed.filter((gate) => gate.rule !== "" || gate.scope.tenant !== step.tenant);
      const until = step.minutes === null ? Number.POSITIVE_INFINITY : now + step.minutes * MINUTE;
      if (step.kind === "pause") world.closed.push({ rule: "", scope, until });
    }
  }
}

/** The call of a step. A model may be sent under a longer name. */
export function callOf(step: CallStep): Call {
  return aCall({
    subject: step.subject,
    model: step.model,
    modelAsSent: step.input % 2 === 0 ? step.model : `azure/${step.model}`,
    cost: step.cents * CENT,
    inputTokens: step.input,
    outputTokens: step.output,
    fingerprint: step.fingerprint,
    sdkRetry: step.sdkRetry,
    unpriced: step.odd === "unpriced",
    spending: step.odd === "unmetered" ? "unmetered" : "metered",
  });
}

function billOf({ cents, input, output }: Extract<OtherStep, { kind: "end" }>): Bill {
  return {
    usage: {
      inputTokens: input,
      outputTokens: output,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      cacheWriteHourTokens: 0,
      reasoningTokens: 0,
      inputAudioTokens: 0,
      outputAudioTokens: 0,
      webSearches: 0,
      reportedCost: null,
    },
    cost: aCost({ input: cents * CENT }),
    source: "provider",
    unpriced: false,
    model: "gpt-5",
    responseId: null,
    finishReasons: [],
    serviceTier: null,
  };
}

const idsOf = (fired: Verdict["waits"]): readonly string[] => fired.map(({ rule }) => rule.id).sort();

/** A verdict as far as the naive reading tells it. */
export const told = (verdict: Verdict) => ({
  kind: verdict.kind as string,
  by: verdict.decided?.rule.id ?? null,
  warnings: idsOf(verdict.warnings),
  waits: idsOf(verdict.waits),
  shadows: idsOf(verdict.shadows),
});
