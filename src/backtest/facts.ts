/**
 * A span's fields as plain values: OTLP's own form, and the plain objects that some exporters write.
 * @module
 */
import { type Fields, fields, list } from "../call/json.ts";

/** What a span says. Times in ms since 1970. */
export interface SpanFacts {
  readonly id: string;
  readonly parent: string | null;
  readonly traceId: string;
  readonly start: number;
  readonly end: number;
  readonly failed: boolean;
  /** Its own attributes, with those of its resource behind them. */
  readonly attributes: Fields;
}

/** The span, or null where it has no identity or no time. */
export function spanFacts(span: Fields, resource: Fields | null): SpanFacts | null {
  const { traceId, spanId, parentSpanId } = span;
  const [start, end] = [msOf(span.startTimeUnixNano), msOf(span.endTimeUnixNano)];
  if (typeof traceId !== "string" || typeof spanId !== "string" || start === null || end === null) return null;
  const parent = typeof parentSpanId === "string" && parentSpanId !== "" ? `${traceId}/${parentSpanId}` : null;
  const code = fields(span.status)?.code;
  return {
    id: `${traceId}/${spanId}`,
    parent,
    traceId,
    start,
    end: Math.max(start, end),
    failed: code === 2 || code === "STATUS_CODE_ERROR",
    attributes: { ...(resource === null ? {} : plain(resource.attributes)), ...plain(span.attributes) },
  };
}

/** Nanoseconds since 1970 as ms; they come as text, since no double holds them. */
function msOf(nanos: unknown): number | null {
  if (typeof nanos === "number" && Number.isFinite(nanos) && nanos > 0) return nanos / 1e6;
  if (typeof nanos !== "string" || !/^\d{7,20}$/.test(nanos)) return null;
  return Number(nanos.slice(0, -6)) + Number(nanos.slice(-6)) / 1e6;
}

/** A list of `{key, value: {stringValue}}` as an object. */
function plain(attributes: unknown): Fields {
  if (!Array.isArray(attributes)) return fields(attributes) ?? {};
  const found: Record<string, unknown> = {};
  for (const pair of attributes) {
    const { key, value } = fields(pair) ?? {};
    if (typeof key === "string") found[key] = plainValue(value);
  }
  return found;
}

function plainValue(value: unknown): unknown {
  const given = fields(value);
  if (given === null) return value;
  if ("intValue" in given) return Number(given.intValue);
  if ("arrayValue" in given) return list(fields(given.arrayValue)?.values).map(plainValue);
  return given.stringValue ?? given.doubleValue ?? given.boolValue ?? null;
}
