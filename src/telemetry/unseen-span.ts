import type { Attributes, Context, Span, Tracer } from "@opentelemetry/api";
import type { Api } from "./api.ts";
import { conventional, errorTypes, events, guard } from "./attributes.ts";
import type { Arrival, Unseen } from "./telemetry.ts";
import { compact } from "./values.ts";

/** An event on the span in which the request was made, or, where none is recorded, on one of its own. */
export function unseenSpan(api: Api, tracer: Tracer, { at, context }: Arrival, unseen: Unseen): void {
  const attributes: Attributes = compact({
    [conventional.provider]: unseen.provider,
    [conventional.serverAddress]: unseen.host,
    [conventional.serverPort]: unseen.port,
    [guard.transport]: unseen.transport,
    [guard.decision]: unseen.refused ? "deny" : "allow",
    [guard.ruleId]: unseen.rule ?? undefined,
    [guard.sent]: unseen.sent,
  });
  const within = (context as Context | null) ?? api.ROOT_CONTEXT;
  const around: Span | undefined = api.trace.getSpan(within);
  if (around?.isRecording() === true) {
    around.addEvent(events.unseen, attributes, at);
    return;
  }
  const options = { kind: api.SpanKind.INTERNAL, startTime: at, attributes };
  const span = tracer.startSpan(events.unseen, options, within);
  span.addEvent(events.unseen, attributes, at);
  if (unseen.refused) {
    span.setAttribute(conventional.errorType, errorTypes.budget);
    span.setStatus({ code: api.SpanStatusCode.ERROR, message: "a request that no hook saw was refused" });
  }
  span.end(at);
}
