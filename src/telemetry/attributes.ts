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

/** Our own names. Money is USD as a double, durations are seconds, tokens and counts are integers. */
export const guard = {
  /** What was done: allow, warn, cap, deny. */
  decision: "budget_guard.decision",
  /** What the rules said; differs from the decision in shadow mode. */
  verdict: "budget_guard.verdict",
  mode: "budget_guard.mode",
  message: "budget_guard.message",
  ruleId: "budget_guard.rule.id",
  ruleDoc: "budget_guard.rule.doc",
  ruleSource: "budget_guard.rule.source",
  ruleAction: "budget_guard.rule.action",
  rulesMatched: "budget_guard.rules.matched",
  /** Ids of the rules that would have refused the call, were they or the process not in shadow. */
  wouldDeny: "budget_guard.would_deny",
  policyId: "budget_guard.policy.id",
  policyHash: "budget_guard.policy.hash",
  budgetMeter: "budget_guard.budget.meter",
  budgetScope: "budget_guard.budget.scope",
  budgetWindow: "budget_guard.budget.window",
  budgetUnit: "budget_guard.budget.unit",
  budgetLimit: "budget_guard.budget.limit",
  budgetUsed: "budget_guard.budget.used",
  budgetHeld: "budget_guard.budget.held",
  budgetRemaining: "budget_guard.budget.remaining",
  budgetResetAt: "budget_guard.budget.reset_at",
  closedSince: "budget_guard.closed.since",
  closedUntil: "budget_guard.closed.until",
  capTokens: "budget_guard.cap.tokens",
  estimateCost: "budget_guard.estimate.cost",
  estimateInputTokens: "budget_guard.estimate.input_tokens",
  estimateOutputTokens: "budget_guard.estimate.output_tokens",
  costInput: "budget_guard.cost.input",
  costOutput: "budget_guard.cost.output",
  costCacheRead: "budget_guard.cost.cache_read",
  costCacheWrite: "budget_guard.cost.cache_write",
  costReasoning: "budget_guard.cost.reasoning",
  costTools: "budget_guard.cost.tools",
  costSource: "budget_guard.cost.source",
  costWasted: "budget_guard.cost.wasted",
  priceTable: "budget_guard.price.table",
  unpriced: "budget_guard.unpriced",
  unmetered: "budget_guard.unmetered",
  outcome: "budget_guard.outcome",
  repeat: "budget_guard.repeat",
  feature: "budget_guard.feature",
  runId: "budget_guard.run.id",
  runSource: "budget_guard.run.source",
  runCalls: "budget_guard.run.calls",
  runCost: "budget_guard.run.cost",
  /** Followed by the name of a declared dimension. */
  dimension: "budget_guard.dimension.",
  checkDuration: "budget_guard.check.duration",
  store: "budget_guard.store",
  storeDegraded: "budget_guard.store.degraded",
} as const;

/** Names of span events; `would_` is followed by deny, warn or cap. */
export const events = {
  deny: "budget_guard.deny",
  warn: "budget_guard.warn",
  cap: "budget_guard.cap",
  would: "budget_guard.would_",
} as const;

/** Values of `error.type` that are ours. */
export const errorTypes = { budget: "budget_exceeded", store: "budget_store_unavailable" } as const;
