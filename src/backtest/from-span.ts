/**
 * A span as a call: the guard's own spans with all that it decided on, and any other GenAI span with what it tells.
 * @module
 */
import { type Bill, type Call, type Cost, NONE, type Operation, type Outcome, type Usage } from "../call/call.ts";
import { costAs, costOf, NO_COST } from "../call/cost.ts";
import { clean } from "../call/identity.ts";
import { type Fields, list } from "../call/json.ts";
import { canonicalModel } from "../call/model.ts";
import type { Prices } from "../call/price.ts";
import { subjectOf } from "../call/subject.ts";
import { usage } from "../call/usage.ts";
import { conventional, costs, guard } from "../telemetry/attributes.ts";
import type { SpanFacts } from "./facts.ts";
import type { Recorded, Understood } from "./recorded.ts";

/** Names of providers by the conventions, and what they are called here. */
const PROVIDERS: Readonly<Record<string, string>> = {
  "azure.ai.openai": "azure",
  "azure.ai.inference": "azure",
  az: "azure",
  "aws.bedrock": "bedrock",
  "gcp.gemini": "google",
  "gcp.gen_ai": "google",
  "gcp.vertex_ai": "vertex",
  vertex_ai: "vertex",
  mistral_ai: "mistral",
  moonshot_ai: "moonshot",
  x_ai: "xai",
};

/** `gen_ai.operation.name` of one inference; agents, tools and workflows hold inferences and would count them twice. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  chat: "chat",
  text_completion: "completions",
  generate_content: "chat",
  embeddings: "embeddings",
};

/** Reads one span; `prices` prices what the span does not. */
export function callOfSpan(span: SpanFacts, prices: Prices): Understood {
  const of = reader(span.attributes);
  const decision = of.text(guard.decision);
  const operation = OPERATIONS[of.text(conventional.operation) ?? ""] ?? null;
  if (decision === null && operation === null) return { kind: "other" };
  const sent = of.text(guard.routeFrom) ?? of.text(conventional.requestModel) ?? of.text(conventional.responseModel);
  const unmetered = of.yes(guard.unmetered);
  if (sent === null && !unmetered) return { kind: "unusable", why: "it names no model" };
  const refused = decision === "deny";
  const used = usageOf(of);
  const known = used !== null || of.number(guard.estimateCost) !== null || unmetered;
  if (!known && !span.failed) return { kind: "unusable", why: "it tells neither tokens nor a cost" };
  const asked = askedOf(span, of, sent ?? NONE, operation ?? "other", used, prices);
  const waited = (of.number(guard.waitHold) ?? 0) + (of.number(guard.waitBackoff) ?? 0);
  const leftAs = of.text(guard.routeTo) ?? of.text(conventional.requestModel);
  const recorded: Recorded = {
    id: span.id,
    at: span.start,
    tookMs: refused ? 0 : Math.max(0, span.end - span.start - waited * 1_000),
    asked,
    leftFor: leftAs === null ? asked.model : canonicalModel(leftAs),
    bill: refused ? expected(asked) : billOf(of, asked, used, prices),
    outcome: refused ? SUCCESS : outcomeOf(of, span.failed),
    refused,
    attemptNumber: of.number(conventional.resendCount) ?? 0,
    repeat: of.yes(guard.repeat),
    tellsRepeats: decision !== null,
    parent: span.parent,
    guarded: decision !== null,
  };
  return { kind: "call", recorded };
}

const SUCCESS: Outcome = Object.freeze({ kind: "success", status: 200 });

interface Reader {
  text(name: string): string | null;
  number(name: string): number | null;
  yes(name: string): boolean;
  readonly all: Fields;
}

const reader = (all: Fields): Reader => ({
  all,
  text: (name) => (typeof all[name] === "string" && all[name] !== "" ? all[name] : null),
  number: (name) => (typeof all[name] === "number" && all[name] >= 0 && all[name] < 1e15 ? all[name] : null),
  yes: (name) => all[name] === true,
});

function askedOf(
  span: SpanFacts,
  of: Reader,
  sent: string,
  operation: Operation,
  used: Usage | null,
  prices: Prices,
): Call {
  const named = of.text(conventional.provider) ?? of.text("gen_ai.system") ?? "openai";
  const provider = PROVIDERS[named] ?? named;
  const model = canonicalModel(sent);
  const unmetered = of.yes(guard.unmetered);
  const inputTokens = Math.ceil(of.number(guard.estimateInputTokens) ?? used?.inputTokens ?? 0);
  const outputTokens = Math.ceil(of.number(guard.estimateOutputTokens) ?? used?.outputTokens ?? 0);
  const priced = prices.of(provider, sent, operation);
  const shape = costOf(
    used !== null && of.number(guard.estimateInputTokens) === null ? used : usage({ inputTokens, outputTokens }),
    priced.card,
  );
  // What was estimated was estimated for the model that it left for.
  const estimate = of.text(guard.routeFrom) === null ? of.number(guard.estimateCost) : null;
  const attempts = of.number(conventional.resendCount) ?? 0;
  return Object.freeze({
    attempt: span.id,
    provider,
    operation: provider === "anthropic" && operation === "chat" ? "messages" : operation,
    spending: unmetered ? "unmetered" : "metered",
    model,
    modelAsSent: sent,
    host: of.text(conventional.serverAddress) ?? "",
    port: of.number(conventional.serverPort) ?? 443,
    path: "",
    subject: subjectOf(identityOf(span, of), model, provider),
    runSource: of.text(guard.runId) === null ? "trace" : "explicit",
    stream: of.yes(conventional.requestStream),
    maxTokens: of.number(conventional.requestMaxTokens),
    inputTokens,
    outputTokens,
    cost: unmetered ? NO_COST : estimate === null ? shape : costAs(Math.round(estimate * 1e9), shape),
    unpriced: priced.unpriced,
    fingerprint: null,
    sdkRetry: attempts > 0 ? attempts : null,
  });
}

/** The scopes that the guard writes, and the trace as the run where no run is named. */
function identityOf(span: SpanFacts, of: Reader): Record<string, string> {
  const named: Record<string, string | null> = {
    tenant: of.text(conventional.tenantId),
    feature: of.text(guard.feature),
    agent: of.text(conventional.agentName),
    user: of.text(conventional.userId),
    run: of.text(guard.runId) ?? span.traceId,
    session: of.text(conventional.sessionId),
    conversation: of.text(conventional.conversationId),
    key: of.text(guard.key),
  };
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(named)) {
    const known = clean(value);
    if (known !== null || IDENTITY.has(name)) values[name] = known ?? NONE;
  }
  for (const [name, value] of Object.entries(of.all)) {
    if (name.startsWith(guard.dimension)) values[name.slice(guard.dimension.length)] = clean(value) ?? NONE;
  }
  return values;
}

const IDENTITY: ReadonlySet<string> = new Set(["tenant", "feature", "agent", "user", "run"]);

/** Tokens by the conventions, under today's names or those of 2024; null where none are told. */
function usageOf(of: Reader): Usage | null {
  const input = of.number(conventional.inputTokens) ?? of.number("gen_ai.usage.prompt_tokens");
  const output = of.number(conventional.outputTokens) ?? of.number("gen_ai.usage.completion_tokens");
  if (input === null && output === null) return null;
  const cacheRead = of.number(conventional.cacheReadTokens) ?? 0;
  const cacheWrite =
    of.number(conventional.cacheCreationTokens) ?? of.number("gen_ai.usage.cache_write.input_tokens") ?? 0;
  return usage({
    inputTokens: Math.ceil(input ?? 0),
    outputTokens: Math.ceil(output ?? 0),
    cacheReadTokens: Math.ceil(cacheRead),
    cacheWriteTokens: Math.ceil(cacheWrite),
    reasoningTokens: Math.ceil(of.number(conventional.reasoningTokens) ?? 0),
  });
}

/** What a call that was refused would have been charged, as far as anybody knows. */
const expected = ({ inputTokens, outputTokens, cost, unpriced, model }: Call): Bill => ({
  usage: usage({ inputTokens, outputTokens }),
  cost,
  source: "estimate",
  unpriced,
  model,
  responseId: null,
  finishReasons: [],
  serviceTier: null,
});

function billOf(of: Reader, asked: Call, used: Usage | null, prices: Prices): Bill {
  const tokens = used ?? usage({});
  const answered = of.text(conventional.responseModel);
  const model = answered ?? of.text(conventional.requestModel) ?? asked.modelAsSent;
  const priced = prices.of(asked.provider, model, asked.operation);
  const shape = asked.spending === "unmetered" ? NO_COST : costOf(tokens, priced.card);
  return {
    usage: tokens,
    cost: costToldOr(of, shape),
    source: "local",
    unpriced: of.yes(guard.unpriced) || priced.unpriced,
    model: canonicalModel(model),
    responseId: of.text(conventional.responseId),
    finishReasons: list(of.all[conventional.finishReasons]).filter((reason) => typeof reason === "string"),
    serviceTier: of.text(conventional.serviceTier),
  };
}

/** The guard's own cost stands as it is; what others wrote stands only where nothing else is known. */
function costToldOr(of: Reader, priced: Cost): Cost {
  const told =
    of.number(costs.genAi) ?? of.number(costs.logfire) ?? of.number(costs.openInferenceTotal) ?? sumOfParts(of);
  if (told === null || (of.text(guard.decision) === null && priced.total > 0)) return priced;
  return costAs(Math.round(told * 1e9), priced);
}

function sumOfParts(of: Reader): number | null {
  const parts = [
    guard.costInput,
    guard.costOutput,
    guard.costCacheRead,
    guard.costCacheWrite,
    guard.costReasoning,
    guard.costTools,
  ];
  const told = parts.flatMap((name) => of.number(name) ?? []);
  return told.length === 0 ? null : told.reduce((sum, part) => sum + part, 0);
}

function outcomeOf(of: Reader, failed: boolean): Outcome {
  const kind = of.text(guard.outcome);
  const error = of.text(conventional.errorType);
  const status = of.number(conventional.statusCode) ?? (error !== null && /^\d{3}$/.test(error) ? Number(error) : null);
  if (kind === "aborted" || kind === "timeout") return { kind, status };
  if (kind === "network-error") return { kind, code: error ?? "" };
  if (kind === "provider-error" || (kind === null && (failed || error !== null))) {
    return { kind: "provider-error", status: status ?? 500 };
  }
  return { kind: "success", status: status ?? 200 };
}
