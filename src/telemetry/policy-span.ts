import type { Tracer } from "@opentelemetry/api";
import type { Api } from "./api.ts";
import { conventional, errorTypes, events, guard } from "./attributes.ts";
import type { PolicyEvent } from "./telemetry.ts";

/** A span of its own, no call's child, for a changed policy that was not taken up; `at` is in ms since 1970. */
export function policySpan(api: Api, tracer: Tracer, event: PolicyEvent, at: number): void {
  const attributes = {
    [guard.policyId]: event.files.join(", "),
    [guard.policyHash]: event.hash,
    [guard.policyRules]: event.rules,
    [guard.policyDiagnostics]: event.diagnostics,
  };
  const span = tracer.startSpan(
    events.policy,
    {
      kind: api.SpanKind.INTERNAL,
      startTime: at,
      attributes: { ...attributes, [conventional.errorType]: errorTypes.policy },
    },
    api.ROOT_CONTEXT,
  );
  span.addEvent(events.policy, attributes, at);
  const errors = event.diagnostics === 1 ? "1 error" : `${event.diagnostics} errors`;
  span.setStatus({
    code: api.SpanStatusCode.ERROR,
    message: `the changed policy has ${errors}; the last good one (${event.hash}) stays in force`,
  });
  span.end(at);
}
