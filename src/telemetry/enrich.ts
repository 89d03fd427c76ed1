import type { Attributes, Context, Span } from "@opentelemetry/api";
import type { Api } from "./api.ts";
import { conventional, guard } from "./attributes.ts";
import {
  addParts,
  costAttributes,
  endingAttributes,
  type Parts,
  partsOf,
  responseAttributes,
  totalAttributes,
} from "./bill.ts";
import { decisionAttributes, refusalType } from "./decision.ts";
import { requestAttributes } from "./request.ts";
import { placeOf, refuse, type Scene, say } from "./span.ts";
import type { Ended, Sight } from "./telemetry.ts";

/** A span that shows its attributes, as the spans of OpenTelemetry's own SDKs do. */
interface OpenSpan extends Span {
  readonly attributes: Attributes;
}

/** `gen_ai.operation.name` of spans that stand for one inference. */
const INFERENCE: ReadonlySet<unknown> = new Set(["chat", "text_completion", "generate_content", "embeddings"]);

/** `ai.operationId` of the Vercel AI SDK's spans around one request: `ai.streamText.doStream`. */
const AI_SDK_REQUEST = /\.do(Generate|Stream|Embed)$/;

/** What the attempts under one logical span cost so far: its cost is the cost of all of them. */
const spent = new WeakMap<Span, Parts>();

/** The active span, if another instrumentation made it for this very inference and it still records. */
export function inferenceSpan(api: Api, context: Context): OpenSpan | null {
  const span = api.trace.getSpan(context);
  if (span === undefined || !isOpen(span) || !span.isRecording()) return null;
  const operation = span.attributes[conventional.operation];
  const aiOperation = span.attributes[conventional.aiOperationId];
  const matches = INFERENCE.has(operation) || (typeof aiOperation === "string" && AI_SDK_REQUEST.test(aiOperation));
  return matches ? span : null;
}

/** Puts what we know on the span of another instrumentation; a refusal becomes a span of its own under it. */
export function enrichedSpan(scene: Scene, parent: OpenSpan): Sight {
  if (scene.decided.refused) {
    checkSpan(scene, parent);
  } else {
    addMissing(parent, requestAttributes(scene.decided));
    parent.setAttributes(decisionAttributes(scene.decided));
    say(parent, scene);
  }
  return {
    place: () => placeOf(parent),
    // The caller's own span stays the parent of what is made below.
    run: (fn) => fn(),
    end: (ended) => (parent.isRecording() ? bill(scene, parent, ended) : lateBill(scene, ended)),
  };
}

function bill(scene: Scene, parent: OpenSpan, ended: Ended): void {
  addMissing(parent, responseAttributes(scene.arrival, scene.decided, ended));
  parent.setAttributes(endingAttributes(ended));
  if (scene.decided.call.spending !== "metered" || ended.work !== undefined) return;
  const before = spent.get(parent);
  const parts = before === undefined ? partsOf(ended) : addParts(before, partsOf(ended));
  spent.set(parent, parts);
  parent.setAttributes({ ...totalAttributes(parts, scene.conventions), ...costAttributes(parts) });
}

/**
 * The other span ended before the bill came (a stream's last bytes are read after the caller has them): our figures get
 * an INTERNAL span beside it, without model, tokens or `gen_ai` cost, so that no backend counts the inference twice.
 */
function lateBill({ api, tracer, context, arrival, decided }: Scene, ended: Ended): void {
  const span = tracer.startSpan(
    "budget_guard.settle",
    {
      kind: api.SpanKind.INTERNAL,
      startTime: arrival.at,
      attributes: {
        ...decisionAttributes(decided),
        ...endingAttributes(ended),
        ...(decided.call.spending === "metered" && ended.work === undefined ? costAttributes(partsOf(ended)) : {}),
      },
    },
    context,
  );
  span.end(Math.max(ended.endedAt, arrival.at));
}

function checkSpan(scene: Scene, parent: OpenSpan): void {
  const { api, tracer, decided } = scene;
  const rule = decided.verdict.decided?.rule.id;
  const span = tracer.startSpan(
    rule === undefined ? "budget_guard.check" : `budget_guard.check ${rule}`,
    {
      kind: api.SpanKind.INTERNAL,
      startTime: scene.arrival.at,
      attributes: { ...ours(requestAttributes(decided)), ...decisionAttributes(decided) },
    },
    scene.context,
  );
  say(span, scene);
  refuse(span, scene);
  parent.setAttributes({
    [conventional.errorType]: refusalType(decided.verdict),
    [guard.decision]: "deny",
    ...(rule === undefined ? {} : { [guard.ruleId]: rule }),
  });
}

/** A check is no inference: without these names no backend takes it for one. */
function ours(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !name.startsWith("gen_ai.")));
}

/** Another instrumentation's word stands: only what it left open is filled in. */
function addMissing(span: OpenSpan, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && (name.startsWith("budget_guard.") || span.attributes[name] === undefined)) {
      span.setAttribute(name, value);
    }
  }
}

function isOpen(span: Span): span is OpenSpan {
  return "attributes" in span && typeof span.attributes === "object" && span.attributes !== null;
}
