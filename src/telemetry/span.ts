import type { Context, Span, Tracer } from "@opentelemetry/api";
import type { CostConvention } from "../config.ts";
import type { Api } from "./api.ts";
import { conventional } from "./attributes.ts";
import {
  costAttributes,
  endingAttributes,
  errorOf,
  partsOf,
  responseAttributes,
  statusOf,
  totalAttributes,
  usageAttributes,
} from "./bill.ts";
import { decisionAttributes, decisionEvents, refusalType } from "./decision.ts";
import { requestAttributes, spanName } from "./request.ts";
import type { Arrival, Decided, Ended, Sight, SpanPlace } from "./telemetry.ts";

/** What every kind of sight needs to know of one attempt. */
export interface Scene {
  readonly api: Api;
  readonly tracer: Tracer;
  /** The caller's context, the parent of what we make. */
  readonly context: Context;
  readonly arrival: Arrival;
  readonly decided: Decided;
  /** ms since 1970: when the decision fell. */
  readonly decidedAt: number;
  readonly conventions: readonly CostConvention[];
}

/** Nothing to see: no SDK records, so nothing is made. */
export const unseen: Sight = Object.freeze({ run: <T>(fn: () => T): T => fn(), end: () => {} });

/** One CLIENT span of our own for one attempt, begun when the request arrived; a refusal ends it at once. */
export function ownSpan(scene: Scene): Sight & { readonly span: Span } {
  const { api, tracer, arrival, decided } = scene;
  const span = tracer.startSpan(
    spanName(decided.call),
    {
      kind: api.SpanKind.CLIENT,
      startTime: arrival.at,
      attributes: { ...requestAttributes(decided), ...decisionAttributes(decided) },
    },
    scene.context,
  );
  say(span, scene);
  if (decided.refused) refuse(span, scene);
  const inside = api.trace.setSpan(scene.context, span);
  return {
    span,
    place: () => placeOf(span),
    run: (fn) => api.context.with(inside, fn),
    end: (ended) => {
      if (span.isRecording()) bill(span, scene, ended);
      span.end(Math.max(ended.endedAt, arrival.at));
    },
  };
}

/** Where a span is; null for one that nobody can see. */
export function placeOf(span: Span): SpanPlace | null {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return /^0*$/.test(spanId) ? null : { traceId, spanId, traceFlags };
}

/** Adds one event for each rule that spoke. */
export function say(span: Span, { decided, decidedAt }: Scene): void {
  if (!span.isRecording()) return;
  for (const said of decisionEvents(decided)) span.addEvent(said.name, said.attributes, decidedAt);
}

/** Marks a span as the refusal it is, and ends it. */
export function refuse(span: Span, { api, arrival, decided, decidedAt }: Scene): void {
  span.setAttribute(conventional.errorType, refusalType(decided.verdict));
  const message = decided.verdict.decided?.message;
  span.setStatus({ code: api.SpanStatusCode.ERROR, ...(message === undefined ? {} : { message }) });
  span.end(Math.max(decidedAt, arrival.at));
}

function bill(span: Span, { api, arrival, decided, conventions }: Scene, ended: Ended): void {
  const { outcome } = ended;
  const error = errorOf(outcome);
  const status = statusOf(outcome);
  span.setAttributes({ ...responseAttributes(arrival, decided, ended), ...endingAttributes(ended) });
  // A call that cannot be counted has no cost, which is not the same as a cost of $0.
  if (decided.call.spending === "metered" && ended.work === undefined) {
    const parts = partsOf(ended);
    span.setAttributes({
      ...usageAttributes(ended.bill),
      ...totalAttributes(parts, conventions),
      ...costAttributes(parts),
    });
  }
  if (status !== undefined) span.setAttribute(conventional.statusCode, status);
  if (error === null) return;
  span.setAttribute(conventional.errorType, error);
  span.setStatus({ code: api.SpanStatusCode.ERROR });
}
