/**
 * What the telemetry tests share: a decision, a bill and a telemetry over an in-memory exporter of a real SDK.
 * @module
 */
import * as api from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import type { Bill, Cost } from "../../src/call/call.ts";
import type { CostConvention } from "../../src/config.ts";
import type { Action, Rule } from "../../src/policy/plan.ts";
import type { Fired, Verdict } from "../../src/policy/verdict.ts";
import { fixedSource } from "../../src/telemetry/api.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { createTelemetry } from "../../src/telemetry/otel.ts";
import type { Decided, Ended, Telemetry } from "../../src/telemetry/telemetry.ts";
import { aCall, aCost } from "../support/a-call.ts";

/** 2026-11-22T10:00:00Z. */
export const T0 = Date.UTC(2026, 10, 22, 10);

export interface Stage {
  readonly telemetry: Telemetry;
  readonly tracer: api.Tracer;
  /** Turns the clock forward, ms. */
  readonly pass: (ms: number) => void;
  readonly spans: () => readonly ReadableSpan[];
  readonly lines: readonly string[];
}

export interface StageWishes {
  readonly cost?: readonly CostConvention[];
  readonly baggage?: readonly string[];
  readonly sampler?: Sampler;
  /** One more span processor of the application. */
  readonly processor?: SpanProcessor;
  readonly otel?: "auto" | "api" | "off";
  /** Path of the audit log. */
  readonly audit?: string;
  readonly meters?: api.MeterProvider;
}

/** Makes the API's contexts work in this test process; providers stay private to each stage. */
export function useContexts(): void {
  new NodeTracerProvider().register();
}

/** A telemetry whose spans end in memory. */
export function stage(wishes: StageWishes = {}): Stage {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter), ...(wishes.processor === undefined ? [] : [wishes.processor])],
    ...(wishes.sampler === undefined ? {} : { sampler: wishes.sampler }),
  });
  const lines: string[] = [];
  let at = T0;
  const telemetry = createTelemetry({
    config: {
      root: process.cwd(),
      mode: "enforce",
      audit: wishes.audit === undefined ? null : { file: wishes.audit },
      otel: wishes.otel ?? "api",
      baggage: wishes.baggage ?? [],
      telemetry: { cost: wishes.cost ?? ["gen_ai", "openinference", "logfire"] },
    },
    log: createLog("debug", (line) => lines.push(line)),
    clock: () => at,
    version: "1.2.3",
    source: fixedSource(api, provider, wishes.meters),
  });
  return {
    telemetry,
    tracer: provider.getTracer("application"),
    pass: (ms) => {
      at += ms;
    },
    spans: () => exporter.getFinishedSpans(),
    lines,
  };
}

/** The only span, or a complaint that says how many there are. */
export function only(spans: readonly ReadableSpan[]): ReadableSpan {
  const [span] = spans;
  if (span === undefined || spans.length !== 1) {
    throw new Error(`expected one span, got ${spans.length}: ${spans.map((one) => one.name).join(", ")}`);
  }
  return span;
}

export function aRule(id: string, action: Action, wishes: Partial<Rule> = {}): Rule {
  return {
    id,
    text: `tenant.hourly > $50 -> ${action.kind}`,
    doc: null,
    file: "policies/starter.budget",
    line: 3,
    shadow: false,
    conditions: [],
    flag: null,
    filter: null,
    actions: [action],
    closes: [],
    ...wishes,
  };
}

/** A rule on the tenant's hour that fired at $49.87 of $50, with $0.10 held. */
export function fired(id: string, action: Action, wishes: Partial<Fired> = {}): Fired {
  return {
    rule: aRule(id, action),
    action,
    figures: {
      meter: "tenant.cost.hourly",
      metric: "cost",
      scope: { tenant: "acme" },
      window: "hourly",
      spent: 49_870_000_000,
      held: 100_000_000,
      estimate: 50_000_000,
      limit: 50_000_000_000,
      resetsAt: T0 + 3_600_000,
    },
    closed: null,
    message: `tenant "acme" would reach $50.02 of $50.00 this hour`,
    ...wishes,
  };
}

export const deny: Action = { kind: "deny", message: null };
export const warn: Action = { kind: "warn", message: null };

export function verdict(kind: Verdict["kind"], wishes: Partial<Verdict> = {}): Verdict {
  return { kind, decided: null, warnings: [], waits: [], shadows: [], ...wishes };
}

export function decided(wishes: Partial<Decided> = {}): Decided {
  return {
    call: aCall(),
    verdict: verdict("allow"),
    cap: null,
    route: null,
    unshaped: [],
    waited: null,
    mode: "enforce",
    refused: false,
    store: { kind: "memory", degraded: false },
    checkSeconds: 0.002,
    attemptNumber: 0,
    repeat: false,
    run: { calls: null, cost: null },
    matched: [],
    policy: { files: ["policies/starter.budget"], hash: "0123456789ab" },
    priceTable: "genai-prices 0.1.8",
    ...wishes,
  };
}

/** A decision that refuses by `fired("hourly", deny)`. */
export function refused(wishes: Partial<Decided> = {}): Decided {
  const stop = fired("hourly", deny);
  return decided({ verdict: verdict("deny", { decided: stop }), refused: true, matched: ["hourly"], ...wishes });
}

export function ended(
  wishes: Omit<Partial<Ended>, "bill"> & { bill?: Partial<Bill>; cost?: Partial<Omit<Cost, "total">> } = {},
): Ended {
  const { bill, cost, ...rest } = wishes;
  return {
    outcome: { kind: "success", status: 200 },
    firstByteAt: T0 + 300,
    endedAt: T0 + 1_500,
    wasted: false,
    ...rest,
    bill: {
      usage: {
        inputTokens: 1_200,
        outputTokens: 300,
        cacheReadTokens: 800,
        cacheWriteTokens: 0,
        cacheWriteHourTokens: 0,
        reasoningTokens: 100,
        inputAudioTokens: 0,
        outputAudioTokens: 0,
        webSearches: 0,
        reportedCost: null,
      },
      cost: aCost(cost ?? { input: 500_000, output: 2_000_000, cacheRead: 100_000, reasoning: 1_000_000 }),
      source: "local",
      unpriced: false,
      model: "gpt-5",
      responseId: "chatcmpl-1",
      finishReasons: ["stop"],
      serviceTier: "default",
      ...bill,
    },
  };
}
