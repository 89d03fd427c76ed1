/**
 * A line of the guard's own audit log as a call.
 * @module
 */
import type { Bill, Call, Outcome } from "../call/call.ts";
import { costOf } from "../call/cost.ts";
import { canonicalModel } from "../call/model.ts";
import type { Prices } from "../call/price.ts";
import { subjectOf } from "../call/subject.ts";
import { usage } from "../call/usage.ts";
import { type AuditLine, nanoCost } from "../telemetry/audit-line.ts";
import type { Recorded } from "./recorded.ts";

/** Reads one line; `prices` prices what the application asked for where a rule sent the call elsewhere. */
export function callOfLine(line: AuditLine, prices: Prices): Recorded {
  const refused = line.outcome === "refused";
  const asked = askedOf(line, prices);
  const waited = line.waited === null ? 0 : line.waited.hold + line.waited.backoff;
  return {
    id: line.attempt,
    at: Date.parse(line.time),
    tookMs: refused ? 0 : Math.max(0, (line.seconds - waited) * 1_000),
    asked,
    leftFor: line.model.canonical,
    bill: billOf(line),
    outcome: outcomeOf(line),
    refused,
    attemptNumber: line.attemptNumber,
    repeat: line.repeat,
    tellsRepeats: true,
    parent: null,
    guarded: true,
  };
}

function askedOf(line: AuditLine, prices: Prices): Call {
  const { provider, operation, estimate } = line;
  const sent = line.route?.from ?? line.model.asked;
  const model = line.route === null ? line.model.canonical : canonicalModel(sent);
  const { model: _model, provider: _provider, ...identity } = line.subject;
  const { inputTokens, outputTokens } = estimate;
  const priced = line.route === null ? null : prices.of(provider, sent, operation);
  const retry = Math.max(line.sdkRetry ?? 0, line.attemptNumber);
  return Object.freeze({
    attempt: line.attempt,
    provider,
    operation,
    spending: line.spending,
    model,
    modelAsSent: sent,
    host: line.host,
    port: line.port,
    path: "",
    subject: subjectOf(identity, model, provider),
    runSource: line.runSource,
    stream: line.stream,
    maxTokens: line.maxTokens,
    inputTokens,
    outputTokens,
    // What was estimated was estimated for the model that it left for.
    cost: priced === null ? nanoCost(estimate.cost) : costOf(usage({ inputTokens, outputTokens }), priced.card),
    unpriced: priced === null ? line.unpriced : priced.unpriced,
    fingerprint: line.fingerprint,
    sdkRetry: retry > 0 ? retry : null,
  });
}

function billOf({ bill, estimate, unpriced, model }: AuditLine): Bill {
  const rest = {
    unpriced,
    model: model.answered ?? model.canonical,
    responseId: null,
    finishReasons: [],
    serviceTier: null,
  };
  const { inputTokens, outputTokens } = estimate;
  return bill === null
    ? { ...rest, usage: usage({ inputTokens, outputTokens }), cost: nanoCost(estimate.cost), source: "estimate" }
    : { ...rest, usage: usage(bill.usage), cost: nanoCost(bill.cost), source: bill.source };
}

function outcomeOf({ outcome, status }: AuditLine): Outcome {
  switch (outcome) {
    case "aborted":
    case "timeout":
      return { kind: outcome, status };
    case "network-error":
      return { kind: outcome, code: "" };
    case "provider-error":
      return { kind: outcome, status: status ?? 500 };
    default:
      return { kind: "success", status: status ?? 200 };
  }
}
