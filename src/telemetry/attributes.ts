/** Names of the GenAI semantic conventions 1.37-1.41, the versions that backends read today, and of HTTP, server and user. */
export const conventional = {
  operation: "gen_ai.operation.name",
  provider: "gen_ai.provider.name",
  requestModel: "gen_ai.request.model",
  requestStream: "gen_ai.request.stream",
  requestMaxTokens: "gen_ai.request.max_tokens",
  responseModel: "gen_ai.response.model",
  responseId: "gen_ai.response.id",
  finishReasons: "gen_ai.response.finish_reasons",
  timeToFirstChunk: "gen_ai.response.time_to_first_chunk",
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  cacheReadTokens: "gen_ai.usage.cache_read.input_tokens",
  /** Newest drafts say `cache_write`; Langfuse does not know that name and would count the tokens twice. */
  cacheCreationTokens: "gen_ai.usage.cache_creation.input_tokens",
  reasoningTokens: "gen_ai.usage.reasoning.output_tokens",
  agentName: "gen_ai.agent.name",
  conversationId: "gen_ai.conversation.id",
  sessionId: "session.id",
  tenantId: "tenant.id",
  userId: "user.id",
  serverAddress: "server.address",
  serverPort: "server.port",
  serviceTier: "openai.response.service_tier",
  statusCode: "http.response.status_code",
  resendCount: "http.request.resend_count",
  errorType: "error.type",
  /** Written by the Vercel AI SDK on its own spans; only read here. */
  aiOperationId: "ai.operationId",
} as const;

/**
 * Names that carry the cost in USD, by who reads them: Langfuse and Laminar, OpenInference (Arize), Logfire.
 * The draft `gen_ai.usage.cost.amount` is left out: Langfuse takes it for a kind of token.
 */
export const costs = {
  genAi: "gen_ai.usage.cost",
  logfire: "operation.cost",
  openInferenceTotal: "llm.cost.total",
  openInferencePrompt: "llm.cost.prompt",
  openInferenceCompletion: "llm.cost.completion",
  openInferenceInput: "llm.cost.prompt_details.input",
  openInferenceCacheRead: "llm.cost.prompt_details.cache_read",
  openInferenceCacheWrite: "llm.cost.prompt_details.cache_write",
  openInferenceOutput: "llm.cost.completion_details.output",
  openInferenceReasoning: "llm.cost.completion_details.reasoning",
} as const;

/**
 * Our own names. Money is USD as a double, durations are seconds, tokens and counts are integers, times are ISO 8601 in
 * UTC. What has no value is left out: absent is neither zero nor empty.
 */
export const guard = {
  /** What was done: allow, warn, backoff, hold, cap, route, deny. */
  decision: "budget_guard.decision",
  /**
   * What the rules said: the same words, and `deny for` and `pause` for kinds of refusal. Differs from the decision in
   * shadow mode; a refusal with verdict `hold` waited for room in vain.
   */
  verdict: "budget_guard.verdict",
  /** enforce, shadow. */
  mode: "budget_guard.mode",
  /** The rule's sentence to people, with this call's figures. */
  message: "budget_guard.message",
  /** The rule that refused; else the first that routed, capped, delayed or warned. Its label, else its text. */
  ruleId: "budget_guard.rule.id",
  /** Its `##` lines. */
  ruleDoc: "budget_guard.rule.doc",
  /** `policies/starter.budget:3`. */
  ruleSource: "budget_guard.rule.source",
  /** deny, deny for, pause, hold, backoff, route, cap, warn. */
  ruleAction: "budget_guard.rule.action",
  /** Ids of the rules whose filter holds for the call, as it left. */
  rulesMatched: "budget_guard.rules.matched",
  /** Ids of the rules that would have refused the call, were they or the process not in shadow. */
  wouldDeny: "budget_guard.would_deny",
  /** Policy files, and 12 hex digits over their text. */
  policyId: "budget_guard.policy.id",
  policyHash: "budget_guard.policy.hash",
  /** Of a span about a changed policy: how many rules are in force, and how many errors the text has that was not taken. */
  policyRules: "budget_guard.policy.rules",
  policyDiagnostics: "budget_guard.policy.diagnostics",
  /** The named budget that the rule is about. */
  budgetName: "budget_guard.budget.name",
  /** The condition as its author wrote it, named limit and all: `tenant.monthly > quota`. */
  budgetCondition: "budget_guard.budget.condition",
  /** `tenant.cost.hourly`, or `call.cost` and the like. */
  budgetMeter: "budget_guard.budget.meter",
  /** `tenant=acme,feature=research`, or `global`. */
  budgetScope: "budget_guard.budget.scope",
  /** hourly, daily, `last 15m`, run, ... */
  budgetWindow: "budget_guard.budget.window",
  /** USD, token, run, call. The five below are in it, as they stood at the decision. */
  budgetUnit: "budget_guard.budget.unit",
  /** Absent where a named limit says `unlimited`. */
  budgetLimit: "budget_guard.budget.limit",
  budgetUsed: "budget_guard.budget.used",
  budgetHeld: "budget_guard.budget.held",
  budgetRemaining: "budget_guard.budget.remaining",
  budgetResetAt: "budget_guard.budget.reset_at",
  /** Where the rule had closed its scope before this call; no end: until someone resumes it. */
  closedSince: "budget_guard.closed.since",
  closedUntil: "budget_guard.closed.until",
  /** Models as sent: what the application asked for, and what was asked in its place. */
  routeFrom: "budget_guard.route.from",
  routeTo: "budget_guard.route.to",
  /** The output limit, tokens. */
  capTokens: "budget_guard.cap.tokens",
  /** Why rules that would have changed the request could not; the rules have an event each. */
  unshaped: "budget_guard.unshaped",
  /** The reason on that event. */
  unshapedReason: "budget_guard.unshaped.reason",
  /** How long rules made the call wait: for room, and before a retry. */
  waitHold: "budget_guard.wait.hold",
  waitBackoff: "budget_guard.wait.backoff",
  /** What the call was judged by. */
  estimateCost: "budget_guard.estimate.cost",
  estimateInputTokens: "budget_guard.estimate.input_tokens",
  estimateOutputTokens: "budget_guard.estimate.output_tokens",
  /** The parts of the cost; they add up to `gen_ai.usage.cost`. */
  costInput: "budget_guard.cost.input",
  costOutput: "budget_guard.cost.output",
  costCacheRead: "budget_guard.cost.cache_read",
  costCacheWrite: "budget_guard.cost.cache_write",
  costReasoning: "budget_guard.cost.reasoning",
  costTools: "budget_guard.cost.tools",
  /** provider (its body says so), local (the price table), estimate (no usage came). */
  costSource: "budget_guard.cost.source",
  /** What went into retries and errors. */
  costWasted: "budget_guard.cost.wasted",
  priceTable: "budget_guard.price.table",
  /** No price is known; the provider's dearest is charged. */
  unpriced: "budget_guard.unpriced",
  /** It spends money in a way that cannot be counted. */
  unmetered: "budget_guard.unmetered",
  /**
   * The provider's name for a batch, or an answer to come: on the call that began it, which has no cost of its own, and
   * on the settlement that tells the cost, a span of its own with a link to that call.
   */
  workId: "budget_guard.work.id",
  /** How long the work took until somebody heard of its end, seconds. */
  workDuration: "budget_guard.work.duration",
  /** success, provider-error, network-error, aborted, timeout. */
  outcome: "budget_guard.outcome",
  /** The same work was done before with success, in this run. */
  repeat: "budget_guard.repeat",
  feature: "budget_guard.feature",
  /** A piece of the API key's hash, where the policy looks at keys. */
  key: "budget_guard.key",
  runId: "budget_guard.run.id",
  /** explicit, trace, request, process. */
  runSource: "budget_guard.run.source",
  /** What the run stands at: calls with this one, USD without it. */
  runCalls: "budget_guard.run.calls",
  runCost: "budget_guard.run.cost",
  /** Followed by the name of a declared dimension. */
  dimension: "budget_guard.dimension.",
  /** What the guard itself added before the call left; the waits that rules ask for are not in it. */
  checkDuration: "budget_guard.check.duration",
  /** Of a request that no hook saw: undici, http, http2, socket. */
  transport: "budget_guard.transport",
  /** Of such a request: whether its first bytes may have left before it was seen. */
  sent: "budget_guard.sent",
  /** memory, file, redis. */
  store: "budget_guard.store",
  /** The store was away. */
  storeDegraded: "budget_guard.store.degraded",
} as const;

/** Names of span events, one for each rule that spoke; `would_` is followed by deny, warn, cap, route, hold or backoff. */
export const events = {
  deny: "budget_guard.deny",
  warn: "budget_guard.warn",
  backoff: "budget_guard.backoff",
  hold: "budget_guard.hold",
  route: "budget_guard.route",
  cap: "budget_guard.cap",
  /** A rule would have changed the request and could not. */
  unshaped: "budget_guard.unshaped",
  would: "budget_guard.would_",
  /** A request to a provider that no hook saw, on the span around it, else on one of the same name. */
  unseen: "budget_guard.unseen",
  /** A changed policy was not taken up, on a span of the same name. */
  policy: "budget_guard.policy.reload",
} as const;

/** Values of `error.type` that are ours. */
export const errorTypes = {
  budget: "budget_exceeded",
  store: "budget_store_unavailable",
  policy: "policy_invalid",
} as const;

/** Names of metrics. Their attributes are bounded: never a tenant, a user or a run. */
export const metrics = {
  /** Histogram, s: how long the provider took; of calls that no other instrumentation reports. */
  duration: "gen_ai.client.operation.duration",
  /** Histogram, {USD}: what one call cost; of the same calls. */
  operationCost: "gen_ai.client.operation.cost",
  /** Histogram, {token}, by `gen_ai.token.type`: of the same calls. */
  tokens: "gen_ai.client.token.usage",
  /** Counter, {USD}, by provider, model, feature, part of the cost, and first attempt or retry. */
  cost: "budget_guard.cost",
  /** Counter, {USD}, by rule and feature: the estimates of calls that were refused. */
  prevented: "budget_guard.cost.prevented",
  /** Counter, {decision}, by decision, verdict, mode, deciding rule and feature. */
  decisions: "budget_guard.decisions",
  /** Histogram, s, by store and decision: what the guard added, waits left out. */
  check: "budget_guard.check.duration",
  /** Counter, {request}, by provider, transport and decision: what no hook saw. */
  unseen: "budget_guard.unseen",
  /** Counter, {reload}, by outcome: reloaded, kept. */
  reloads: "budget_guard.policy.reloads",
  /** Gauge with version, mode and policy hash, 1 for what is in force: its absence is a process without a guard. */
  info: "budget_guard.info",
} as const;

/** Names of attributes that stand on metrics only. */
export const labels = {
  /** input, output. */
  tokenType: "gen_ai.token.type",
  /** input, output, cache_read, cache_write, reasoning, tools. */
  costPart: "budget_guard.cost.part",
  /** first, retry. */
  attempt: "budget_guard.attempt",
  /** reloaded, kept. */
  outcome: "outcome",
  version: "version",
} as const;
