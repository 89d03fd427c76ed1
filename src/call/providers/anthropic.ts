/**
 * Anthropic: messages and batches of them are metered; whatever is not known here is unmetered; reading and counting is
 * free.
 */
import type { Operation, Spending } from "../call.ts";
import { fields, positive, text } from "../json.ts";
import type { AnswerHead, CapPlan, Edit, Endpoint, Provider, RoutePlan } from "../provider.ts";
import { anthropicBatchReader, anthropicFollows, readAnthropicBatch } from "./anthropic-batch.ts";
import { readAnthropicCompletion, readAnthropicRequest } from "./anthropic-request.ts";
import { anthropicUsageReader } from "./anthropic-usage.ts";
import { heedGateway } from "./gateway-words.ts";
import { segments } from "./segments.ts";

const FREE = new Set([
  "files",
  "skills",
  "organizations",
  "models",
  // What managed agents are given; their sessions are what is billed (platform.claude.com, "Pricing").
  "environments",
  "memory_stores",
  "tunnels",
  "user_profiles",
  "vaults",
]);
const FREE_VERBS = new Set(["count_tokens", "cancel", "archive", "pause"]);

function endpoint(method: string, path: string): Endpoint {
  if (method !== "POST") return other(method === "PUT" || method === "PATCH" ? "unmetered" : "free");
  const parts = segments(path);
  const last = parts.at(-1) ?? "";
  if (last === "batches" && parts.at(-2) === "messages") return { operation: "batch", spending: "metered" };
  if (last === "messages") return { operation: "messages", spending: "metered" };
  // Before there were messages; its answers count nothing.
  if (last === "complete") return { operation: "completions", spending: "metered" };
  // An agent is described, and described anew by its id; nobody runs it there.
  const described = last === "agents" || last.startsWith("agent_");
  if (described || FREE_VERBS.has(last) || parts.some((part) => FREE.has(part))) return other("free");
  return other("unmetered");
}

const other = (spending: Spending): Endpoint => ({ operation: "other", spending });

/** The API refuses a smaller thinking budget, and one that is not under `max_tokens`. */
const SMALLEST_THINKING = 1024;

function cap(operation: Operation, json: unknown, tokens: number): CapPlan {
  const body = fields(json);
  if (operation === "completions" && body !== null) {
    if ((positive(body.max_tokens_to_sample) ?? Number.POSITIVE_INFINITY) <= tokens) return { kind: "unchanged" };
    return { kind: "edits", edits: [{ path: ["max_tokens_to_sample"], value: tokens, insert: true }] };
  }
  if (operation !== "messages" || body === null) return { kind: "impossible", why: "the request has no output limit" };
  if ((positive(body.max_tokens) ?? Number.POSITIVE_INFINITY) <= tokens) return { kind: "unchanged" };
  const edits: Edit[] = [{ path: ["max_tokens"], value: tokens, insert: true }];
  const thinking = positive(fields(body.thinking)?.budget_tokens);
  if (thinking !== null && thinking >= tokens) {
    if (tokens <= SMALLEST_THINKING) {
      return { kind: "impossible", why: `a request that thinks needs max_tokens over ${SMALLEST_THINKING}` };
    }
    const half = Math.max(SMALLEST_THINKING, Math.floor(tokens / 2));
    edits.push({ path: ["thinking", "budget_tokens"], value: half, insert: false });
  }
  return { kind: "edits", edits };
}

function route(operation: Operation, _path: string, json: unknown, model: string): RoutePlan {
  if (operation !== "messages") return { kind: "impossible", why: "the endpoint is not known to take a model" };
  if (text(fields(json)?.model) === null) return { kind: "impossible", why: "the request names no model" };
  return { kind: "edits", edits: [{ path: ["model"], value: model, insert: false }] };
}

const DELTA = Object.freeze(['"delta"']);
const COMPLETION = Object.freeze(['"completion"']);

export const anthropic: Provider = Object.freeze({
  name: "anthropic",
  dialect: "anthropic",
  // The others are Anthropic's own platform, billed by Amazon and by Google (platform.claude.com, "Claude Platform on AWS",
  // "Claude Models on Google Cloud (Anthropic managed)").
  hosts: Object.freeze(["api.anthropic.com", "aws-external-anthropic.*.api.aws", "claude.googleapis.com"]),
  endpoint,
  readRequest(operation: Operation, body: unknown) {
    if (operation === "completions") return readAnthropicCompletion(body);
    return operation === "batch" ? readAnthropicBatch(body) : readAnthropicRequest(body);
  },
  usageReader: (operation: Operation, head: AnswerHead) =>
    heedGateway(operation === "batch" ? anthropicBatchReader() : anthropicUsageReader(), head),
  follows: anthropicFollows,
  streamKeys: (operation: Operation) => (operation === "completions" ? COMPLETION : DELTA),
  cap,
  route,
  cachesUnasked: false,
  // Thinking is summarised or left out of the stream, and billed whole.
  hidesReasoning: (model: string) => /claude-(opus|sonnet|haiku|fable|mythos)-[4-9]|claude-3-7/.test(model),
});
