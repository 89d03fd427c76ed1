/**
 * A collector on loopback: takes OTLP/HTTP JSON on any path and keeps the spans.
 * @module
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A span as it came over the wire; times in ms since 1970, attributes and events as plain values. */
export interface SunkSpan {
  readonly name: string;
  readonly scope: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  /** OTLP's number: 1 INTERNAL, 3 CLIENT. */
  readonly kind: number;
  /** OTLP's number: 0 unset, 2 error. */
  readonly status: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }[];
}

export interface OtlpSink {
  readonly url: string;
  /** Variables that make an OpenTelemetry SDK deliver here. */
  readonly env: Readonly<Record<string, string>>;
  readonly spans: () => readonly SunkSpan[];
  /** Everything received, to search for what must not be there. */
  readonly received: () => string;
  readonly close: () => Promise<void>;
}

interface Value {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string | number;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values?: readonly Value[] };
}
type Pairs = readonly { readonly key: string; readonly value: Value }[];

interface WireSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly status?: { readonly code?: number };
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: Pairs;
  readonly events?: readonly { readonly name: string; readonly attributes?: Pairs }[];
}

interface WireRequest {
  readonly resourceSpans?: readonly {
    readonly scopeSpans?: readonly {
      readonly scope?: { readonly name: string };
      readonly spans?: readonly WireSpan[];
    }[];
  }[];
}

/** Starts a sink on a free port of the loopback interface. */
export async function otlpSink(): Promise<OtlpSink> {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    bodies.push(await text(request));
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" },
    spans: () => bodies.flatMap((body) => spansOf(JSON.parse(body) as WireRequest)),
    received: () => bodies.join("\n"),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function spansOf(request: WireRequest): readonly SunkSpan[] {
  const scopes = (request.resourceSpans ?? []).flatMap((resource) => resource.scopeSpans ?? []);
  return scopes.flatMap(({ scope, spans }) => (spans ?? []).map((span) => sunk(scope?.name ?? "", span)));
}

function sunk(scope: string, span: WireSpan): SunkSpan {
  return {
    name: span.name,
    scope,
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId === undefined || span.parentSpanId === "" ? null : span.parentSpanId,
    kind: span.kind,
    status: span.status?.code ?? 0,
    startedAt: Number(BigInt(span.startTimeUnixNano) / 1_000_000n),
    endedAt: Number(BigInt(span.endTimeUnixNano) / 1_000_000n),
    attributes: plain(span.attributes),
    events: (span.events ?? []).map((event) => ({ name: event.name, attributes: plain(event.attributes) })),
  };
}

function plain(pairs: Pairs = []): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue(value: Value): unknown {
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(plainValue);
  if (value.intValue !== undefined) return Number(value.intValue);
  return value.stringValue ?? value.boolValue ?? value.doubleValue ?? null;
}
