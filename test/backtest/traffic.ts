/**
 * Recorded calls for tests: OTLP spans as a collector writes them, and the traffic of the incident as a log of it.
 * @module
 */
import { traffic } from "../incident/replay.ts";

export interface SpanWishes {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly parentSpanId?: string;
  readonly name?: string;
  /** ms since 1970. */
  readonly at: number;
  readonly tookMs?: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly failed?: boolean;
}

let made = 0;

const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, "0");

/** A span in OTLP/JSON. Each has an identity of its own. */
export function aSpan(wishes: SpanWishes): Readonly<Record<string, unknown>> {
  made += 1;
  const { at, tookMs = 0, attributes, failed = false, parentSpanId } = wishes;
  return {
    traceId: wishes.traceId ?? hex(made, 32),
    spanId: wishes.spanId ?? hex(made, 16),
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name: wishes.name ?? "chat",
    kind: 3,
    startTimeUnixNano: `${at}000000`,
    endTimeUnixNano: `${at + tookMs}000000`,
    attributes: Object.entries(attributes).map(([key, value]) => ({ key, value: wire(value) })),
    status: failed ? { code: 2 } : {},
  };
}

function wire(value: string | number | boolean): Readonly<Record<string, unknown>> {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** One line of a collector's file exporter. */
export const exportOf = (
  spans: readonly unknown[],
  resource: Readonly<Record<string, string>> = { "service.name": "agents" },
): string =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: Object.entries(resource).map(([key, value]) => ({ key, value: wire(value) })) },
        scopeSpans: [{ scope: { name: "budget-guard" }, spans }],
      },
    ],
  });

/** A plain GenAI span, without a guard. */
export const aPlainSpan = (wishes: Partial<SpanWishes> & { readonly at: number }) =>
  aSpan({
    ...wishes,
    attributes: {
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "anthropic",
      "gen_ai.request.model": "claude-opus-4-7",
      "gen_ai.usage.input_tokens": 12_000,
      "gen_ai.usage.output_tokens": 3_000,
      ...wishes.attributes,
    },
  });

/** A span of the guard: $0.135 in feature research, allowed. */
export const aGuardSpan = (wishes: Partial<SpanWishes> & { readonly at: number }) =>
  aPlainSpan({
    ...wishes,
    attributes: {
      "budget_guard.decision": "allow",
      "budget_guard.outcome": "success",
      "budget_guard.feature": "research",
      "gen_ai.agent.name": "synthesizer",
      "gen_ai.usage.cost": 0.135,
      "budget_guard.estimate.cost": 0.135,
      "budget_guard.estimate.input_tokens": 12_000,
      "budget_guard.estimate.output_tokens": 3_000,
      ...wishes.attributes,
    },
  });

export const START = Date.parse("2026-04-08T00:00:00Z");

/** The first calls of the incident as a guard in shadow would have recorded them, 100 spans a line. */
export function* incidentLog(calls: number): Generator<string> {
  let spans: unknown[] = [];
  for (let index = 0; index < calls; index++) {
    const attempt = index % traffic.attempts;
    spans.push(
      aGuardSpan({
        at: START + Math.round((index * 60_000) / traffic.callsPerMinute),
        attributes: {
          "budget_guard.run.id": `run-${Math.floor(index / traffic.callsPerRun)}`,
          ...(attempt > 0 ? { "http.request.resend_count": attempt } : {}),
          // All is asked in the same words, and every answer came.
          ...(attempt === 0 && index % traffic.callsPerRun > 0 ? { "budget_guard.repeat": true } : {}),
        },
      }),
    );
    if (spans.length === 100 || index === calls - 1) {
      yield `${exportOf(spans)}\n`;
      spans = [];
    }
  }
}
